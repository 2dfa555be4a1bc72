// Package proof judges what rooms and callers have written down while a cluster was
// mistreated: it looks for two activations of one room that answered at the same
// time, for messages that were acknowledged and are lost, for gaps and inversions
// that nobody was told of. It knows nothing of the server; it believes its logs.
package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// What an event tells of.
const (
	// Of rooms.
	Opened = "opened" // a room began, with Seq and Last as they are
	Done   = "done"   // it carried a message out for the first time, and told everybody
	Again  = "again"  // it answered a message that it had carried out already

	// Of callers.
	Asked   = "asked"   // message N
	Got     = "got"     // its answer
	Refused = "refused" // an error instead, or none in time: Note says which
	Heard   = "heard"   // a push with what the room has done
	Joined  = "joined"  // in the room, with Seq as it was
	Resync  = "resync"  // told that something may be missing
	Cut     = "cut"     // the connection is gone
	Went    = "went"    // left it by itself
	Final   = "final"   // what the room has in the end: Seq and Last
)

// Notes of callers.
const (
	Repeated = "again"  // of Got: the room had it already
	NotIn    = "not in" // of Refused: by the room's word the caller is no member
	Late     = "late"   // of Refused: no answer in time
)

// Event is one line of a log. Which fields mean something depends on What.
type Event struct {
	At    int64          `json:"at"` // ns of the machine's monotonic clock, the same in all processes
	What  string         `json:"what"`
	Room  string         `json:"room"`
	Kept  bool           `json:"kept,omitempty"` // the room's kind promises to lose nothing
	Life  string         `json:"life,omitempty"` // one run of the room's code, in one process
	Epoch uint64         `json:"epoch,omitempty"`
	Seq   uint64         `json:"seq,omitempty"`  // how many messages the room has carried out
	By    int            `json:"by,omitempty"`   // whose message it is
	N     uint64         `json:"n,omitempty"`    // the message's number, by its caller, from 1
	From  int            `json:"from,omitempty"` // the caller that writes
	Gate  string         `json:"gate,omitempty"` // that it is connected to
	Note  string         `json:"note,omitempty"`
	Last  map[int]uint64 `json:"last,omitempty"` // the last message of each caller
}

func (e Event) String() string {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // numbers, strings and a map of them
	}
	return string(b)
}

// Log is a file of events. Each is written at once, so that a process which is
// killed has said what it did. Its methods are safe from any goroutine.
type Log struct {
	mu   sync.Mutex
	file *os.File
	buf  []byte
	err  error
}

// Create opens a log to append to.
func Create(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Log{file: f}, nil
}

// Write writes an event down.
func (l *Log) Write(e Event) {
	b := e.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(append(l.buf[:0], b...), '\n')
	if _, err := l.file.Write(l.buf); err != nil && l.err == nil {
		l.err = err
	}
}

// Close closes the file and returns the first error of all that was written.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); l.err == nil {
		l.err = err
	}
	return l.err
}

// Read returns the events of a log. The last line of a process that was killed may
// be half a line.
func Read(path string) ([]Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Event
	for lines, n := bufio.NewScanner(f), 1; lines.Scan(); n++ {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			if !lines.Scan() {
				break
			}
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		all = append(all, e)
	}
	return all, nil
}
