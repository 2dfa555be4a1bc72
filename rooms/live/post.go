package live

import (
	"errors"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Post is a batch of messages from outside for one room, or for everyone, to be
// told with rooms.Host.Tell. A room takes all of it or nothing.
type Post struct {
	Items [][]byte // JSON values, as protocol.JSON writes them; nobody changes them any more
	Route string   // of the pushes, "" for OnMessage

	// Latest, when not 0, says that a newer post with this value takes the place of
	// this one for members that have not got it yet: only the last item counts.
	Latest uint64

	state atomic.Int32
}

// The states of a post: it is either taken up or given up, never both.
const (
	postWaiting int32 = iota
	postTaken
	postGivenUp
)

// ErrGivenUp is the verdict on a post that its sender did not wait for.
var ErrGivenUp = errors.New("given up by its sender")

// GiveUp takes a post back that no room has taken up yet, because its sender
// waits no longer. False means that it is too late: the verdict follows at once.
func (p *Post) GiveUp() bool { return p.state.CompareAndSwap(postWaiting, postGivenUp) }

// Take says that the post is being carried out, unless it was given up. Rooms do so
// themselves.
func (p *Post) Take() bool { return p.state.CompareAndSwap(postWaiting, postTaken) }

// PushRoute is the route of the pushes.
func (p *Post) PushRoute() string {
	if p.Route == "" {
		return OnMessage
	}
	return p.Route
}

// push takes p, unless too much is on its way already.
func (p *Post) push(c *rooms.Ctx, o *outbox) error {
	if !p.Take() {
		return ErrGivenUp
	}
	return o.push(c, words{p.PushRoute(), p.Items, p.Latest})
}

// Post pushes what was posted to this room.
func (r *Room) Post(c *rooms.Ctx, p *Post) error {
	if err := p.push(c, &r.out); err != nil {
		r.live.stats.RoomFail.Add(int64(len(p.Items)))
		return err
	}
	r.live.stats.Room.Add(int64(len(p.Items)))
	return nil
}

// everyone is the room of all who watch anything.
type everyone struct {
	live *Live
	out  outbox
}

func (e *everyone) init(l *Live) error {
	e.live, e.out = l, newOutbox(&l.cfg, &l.stats.Waiting)
	return nil
}

func (e *everyone) close(c *rooms.Ctx, _ protocol.Reason) { e.out.drain(c) }

func (e *everyone) join(*rooms.Ctx, *rooms.Member, *rooms.Anything) (*rooms.Empty, error) {
	return &rooms.Empty{}, nil
}

func (e *everyone) post(c *rooms.Ctx, p *Post) error {
	if err := p.push(c, &e.out); err != nil {
		e.live.stats.AllFail.Add(int64(len(p.Items)))
		return err
	}
	e.live.stats.All.Add(int64(len(p.Items)))
	return nil
}
