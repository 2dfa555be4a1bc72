package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is USER_HZ: the unit of /proc, 100 on every Linux that Go runs on.
const ticksPerSecond = 100

const watchEvery = 100 * time.Millisecond

// shares tells who used the machine during a measurement, as parts of all cores.
type shares struct {
	Server float64 `json:"server"`
	Bot    float64 `json:"bot"`
	Others float64 `json:"others"` // neither of the two: the noise of this machine
}

// usage is one look at /proc; all but at in ticks.
type usage struct {
	at                       time.Time
	server, bot, busy, whole uint64
}

// watcher looks at /proc while a bot runs. Its goroutine ends with stop.
type watcher struct {
	bot        int
	servers    []int
	quit, done chan struct{}
	seen       []usage // the goroutine's until done is closed
}

// watch looks at a bot and at the processes of the server that it drives.
func watch(bot int, servers ...int) *watcher {
	w := &watcher{bot: bot, servers: servers, quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

func (w *watcher) run() {
	defer close(w.done)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if u, err := look(w.bot, w.servers...); err == nil {
			w.seen = append(w.seen, u)
		}
		select {
		case <-tick.C:
		case <-w.quit:
			return
		}
	}
}

// stop ends the watching; between may be called afterwards.
func (w *watcher) stop() {
	close(w.quit)
	<-w.done
}

// between returns the shares from one moment to another.
func (w *watcher) between(from, to time.Time) shares {
	var first, last usage
	for _, u := range w.seen {
		if !u.at.After(from) || first.at.IsZero() {
			first = u
		}
		if !u.at.After(to) {
			last = u
		}
	}
	if last.whole <= first.whole {
		return shares{}
	}
	part := func(a, b uint64) float64 { return float64(b-a) / float64(last.whole-first.whole) }
	s := shares{Server: part(first.server, last.server), Bot: part(first.bot, last.bot)}
	s.Others = max(0, part(first.busy, last.busy)-s.Server-s.Bot)
	return s
}

func look(bot int, servers ...int) (usage, error) {
	u := usage{at: time.Now()}
	var err error
	for _, pid := range servers {
		ticks, err := processTicks(pid)
		if err != nil {
			return u, err
		}
		u.server += ticks
	}
	if u.bot, err = processTicks(bot); err != nil {
		return u, err
	}
	u.busy, u.whole, err = machineTicks()
	return u, err
}

// processTicks is the user and system time of a process and its threads.
func processTicks(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read cpu time: %w", err)
	}
	// The name, in parentheses, may hold anything; utime and stime are the 12th
	// and 13th field after it (proc_pid_stat(5) counts them as 14 and 15).
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("read cpu time: /proc/%d/stat has %d fields", pid, len(f))
	}
	user, err1 := strconv.ParseUint(f[11], 10, 64)
	system, err2 := strconv.ParseUint(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read cpu time: /proc/%d/stat: %q, %q", pid, f[11], f[12])
	}
	return user + system, nil
}

// machineTicks is the time that all cores were busy and that passed on them.
// Stolen time counts as busy: the cores were not there for us.
func machineTicks() (busy, whole uint64, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("read machine time: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(line)[1:9] { // guest time is part of user time
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read machine time: %w", err)
		}
		whole += n
		if i != 3 && i != 4 { // idle and waiting for a disk
			busy += n
		}
	}
	return busy, whole, nil
}
