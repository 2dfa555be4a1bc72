// Package ledger is a game that writes everything down: its rooms carry out
// numbered messages, tell everybody, and log what they did with the epoch in which
// they did it. It is served beside the real games by the nodes that a chaos run
// starts, and by no others.
package ledger

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// The kinds of rooms.
const (
	Fleeting = "fleeting" // lost with its node
	Kept     = "kept"     // saved before anything is said
	Slow     = "slow"     // saved when it moves, which takes SaveTime
)

// SaveTime is how long a slow room takes to be saved.
const SaveTime = 500 * time.Millisecond

// Kinds returns the kinds of a node whose rooms write to log. With quiet they tell
// only the one who asked what they did: for measurements.
func Kinds(log *proof.Log, quiet bool) []rooms.Kind {
	book := &book{log: log, quiet: quiet}
	restore := func(r *room, c *rooms.Ctx, b []byte) error { return r.restore(c, book, b) }
	parts := []rooms.Part[room]{
		rooms.OnInit(func(r *room, c *rooms.Ctx) error { return r.begin(c, book) }),
		rooms.OnJoin((*room).join),
		rooms.OnReturn(func(*room, *rooms.Ctx, *rooms.Member, *JoinRequest) error { return nil }),
		rooms.OnRequest("add", (*room).add),
		rooms.OnRequest("state", (*room).state),
	}
	save := rooms.Snapshots(1, (*room).save, restore)
	const never = 1 << 30 // but when it stops
	slowly := rooms.Snapshots(never, func(r *room) ([]byte, error) {
		time.Sleep(SaveTime)
		return r.save()
	}, restore)
	all := []rooms.Kind{
		rooms.KindOf(Fleeting, parts...),
		rooms.KindOf(Kept, append([]rooms.Part[room]{save}, parts...)...).Kept(),
		rooms.KindOf(Slow, append([]rooms.Part[room]{slowly}, parts...)...).Kept(),
	}
	for i, k := range all {
		all[i] = k.Serializer(protocol.JSON).Idle(time.Second)
	}
	return all
}

// book is where all rooms of a node write.
type book struct {
	log   *proof.Log
	quiet bool
}

// room is one room. What it exports is what is saved.
type room struct {
	Seq  uint64         // messages carried out
	Last map[int]uint64 // of each caller

	book *book
	life string
}

// JoinRequest is the body of a join; the field room names the room.
type JoinRequest struct {
	From int `json:"from"`
}

// AddRequest is one message of a caller.
type AddRequest struct {
	From int    `json:"from"`
	N    uint64 `json:"n"`
}

// Deed answers a message, and tells the others of it, as the push onDeed; of a join
// it says how far the room is.
type Deed struct {
	Life  string `json:"life"`
	Epoch uint64 `json:"epoch"`
	Seq   uint64 `json:"seq"`
	By    int    `json:"by"`
	N     uint64 `json:"n"`
	Again bool   `json:"again,omitempty"` // it was carried out before
}

// State is all that a room knows.
type State struct {
	Seq  uint64         `json:"seq"`
	Last map[int]uint64 `json:"last"`
}

// DeedRoute is the push of what a room has done.
const DeedRoute = "onDeed"

func (r *room) begin(c *rooms.Ctx, b *book) error {
	r.book, r.life = b, rand.Text()[:8]
	if r.Last == nil {
		r.Last = make(map[int]uint64)
	}
	r.write(c, proof.Event{What: proof.Opened, Seq: r.Seq, Last: maps.Clone(r.Last)})
	return nil
}

func (r *room) restore(c *rooms.Ctx, b *book, snapshot []byte) error {
	if err := json.Unmarshal(snapshot, r); err != nil {
		return err
	}
	return r.begin(c, b)
}

func (r *room) save() ([]byte, error) { return json.Marshal(r) }

func (r *room) write(c *rooms.Ctx, e proof.Event) {
	e.At, e.Room, e.Kept, e.Life, e.Epoch = proof.Now(), c.Kind()+"/"+c.ID(), c.Kind() == Kept, r.life, c.Epoch()
	r.book.log.Write(e)
}

func (r *room) deed(c *rooms.Ctx) *Deed { return &Deed{Life: r.life, Epoch: c.Epoch(), Seq: r.Seq} }

func (r *room) join(c *rooms.Ctx, _ *rooms.Member, _ *JoinRequest) (*Deed, error) {
	return r.deed(c), nil
}

// add carries a message out, once: it may be asked again of a room that was saved
// with it and lost before it could answer.
func (r *room) add(c *rooms.Ctx, _ *rooms.Member, req *AddRequest) (*Deed, error) {
	again := req.N <= r.Last[req.From]
	what := proof.Again
	if !again {
		what = proof.Done
		r.Seq++
		r.Last[req.From] = req.N
	}
	d := r.deed(c)
	d.By, d.N, d.Again = req.From, req.N, again
	r.write(c, proof.Event{What: what, Seq: r.Seq, By: req.From, N: req.N})
	if !again && !r.book.quiet {
		c.Broadcast(DeedRoute, d)
	}
	return d, nil
}

func (r *room) state(*rooms.Ctx, *rooms.Member, *JoinRequest) (*State, error) {
	return &State{r.Seq, maps.Clone(r.Last)}, nil
}
