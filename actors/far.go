package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// ErrSessionEnded says that a session is no more.
var ErrSessionEnded = errors.New("the session has ended")

var errNoSuchRoute = errors.New("no such route")

// Posted takes one message of another node's application, see Nodes. Body is the
// application's from now on. It is called from one goroutine and does not block.
func (a *App) Posted(from string, body []byte) {
	r := &talk.Reader{Rest: body}
	code, _ := r.Next()
	switch code {
	case farSession:
		if id := r.Uint(); r.Err == nil {
			a.carryOut(id, r)
		}
	case farWatch:
		if id, number := r.Uint(), r.Uint(); r.Err == nil {
			a.watched(from, id, number)
		}
	case farStill:
		if id, number := r.Uint(), r.Uint(); r.Err == nil {
			a.stillThere(from, id, number)
		}
	case farEnded:
		m := &farEnd{number: r.Uint(), why: protocol.Reason(r.Uint()), uid: r.String(), state: r.Bytes()}
		if r.Err == nil {
			a.system.Root.Send(a.far, m)
		}
	case farLook:
		if id, number := r.Uint(), r.Uint(); r.Err == nil {
			a.looked(from, id, number)
		}
	case farReply:
		m := &farAnswer{number: r.Uint(), node: from}
		if code, text := protocol.Code(r.Uint()), r.String(); code != 0 {
			m.err = farError(code, text)
		}
		if m.body = r.Bytes(); r.Err == nil {
			a.system.Root.Send(a.far, m)
		}
	case farPushAll:
		a.pushed(from, r)
	case farAsk:
		a.asked(from, r)
	case farForce:
		if id, why := r.Uint(), protocol.Reason(r.Uint()); r.Err == nil {
			if s, ok := a.Session(id); ok {
				s.force(why)
			}
		}
	default:
		r.Fail()
	}
	if r.Err != nil {
		a.stats.FarUnreadable.Add(1)
		a.cfg.Logger.Warn("message of another node could not be read", "node", from, "code", code)
	}
}

// NodeGone takes in that a node has left the cluster: nothing of it is waited for
// any more. It does not block.
func (a *App) NodeGone(node string) {
	if a.far != nil {
		a.system.Root.Send(a.far, &nodeGone{node})
	}
}

// NodeBack takes in that this node had lost its place in the cluster, and has one
// again. It does not block.
func (a *App) NodeBack() {
	if a.far != nil {
		a.system.Root.Send(a.far, &nodeBack{}) // when lost, the next look comes by itself
	}
}

// carryOut hands a session what somebody elsewhere has sent to its reference.
func (a *App) carryOut(id uint64, r *talk.Reader) {
	s, ok := a.Session(id)
	if !ok {
		a.stats.FarEnded.Add(1)
		return
	}
	msg, err := a.read(r)
	if err != nil {
		if r.Err == nil { // that is counted by whoever reads
			a.stats.FarUnreadable.Add(1)
		}
		a.cfg.Logger.Warn("message for a session could not be carried out", "session", id, "error", err)
		return
	}
	s.send(msg)
}

// sendFar sends a message to a session of another node: by the way that r was made
// with, or else from node to node.
func (r *Ref) sendFar(msg any) {
	switch m := msg.(type) {
	case *closedOrder:
		r.watchFar(m.f)
	default:
		if r.pid == nil {
			r.postSession(msg)
			return
		}
		if d := r.distant(msg); d != nil {
			r.app.system.Root.Send(r.pid, d)
		}
	}
}

func (r *Ref) postSession(msg any) {
	b, err := r.app.write(msg)
	if err != nil {
		r.unwritten(msg, err)
		return
	}
	r.post(talk.PutUint([]byte{farSession}, r.id), b)
}

// post sends a message to the session's node; one that cannot be is counted.
func (r *Ref) post(head, tail []byte) {
	n, _ := r.app.nodeOf(r.id)
	_ = r.app.post(n.ID, append(head, tail...)) // counted
}

func (r *Ref) unwritten(msg any, err error) {
	r.app.stats.Unwritable.Add(1)
	r.app.cfg.Logger.Error("message for a session elsewhere could not be written", "session", r.id, "type", typeName(msg), "error", err)
}

// Refresh asks a session of another node for its user and attributes, which the
// reference shows from then on, behind everything that this goroutine has sent to it
// from node to node. The error is ErrSessionEnded, a *SilentError when the node does
// not answer, or ctx's. A session of this node needs none.
func (r *Ref) Refresh(ctx context.Context) error {
	if r.local != nil {
		return nil
	}
	n, ok := r.app.nodeOf(r.id)
	if !ok {
		return fmt.Errorf("session %d: %w", r.id, ErrNoNode)
	}
	answers, err := r.app.ask(ctx, []OtherNode{n}, func(number uint64) []byte {
		return talk.PutUint(talk.PutUint([]byte{farLook}, r.id), number)
	})
	if err != nil {
		return fmt.Errorf("session %d: %w", r.id, err)
	}
	in := talk.Reader{Rest: answers[0].body}
	r.Know(in.String())
	r.KnowState(in.Bytes())
	return in.Err
}

// looked serves Refresh, in turn with what was sent to the session before.
func (a *App) looked(node string, id, number uint64) {
	s, ok := a.Session(id)
	if !ok {
		a.reply(node, number, ErrSessionEnded, nil)
		return
	}
	s.send(&lookOrder{node, number})
}

type lookOrder struct {
	node   string
	number uint64
}

func (o *lookOrder) carry(s *Session, _ *turn) {
	if s.ended {
		s.app.reply(o.node, o.number, ErrSessionEnded, nil)
		return
	}
	s.app.reply(o.node, o.number, nil, talk.PutBytes(talk.PutBytes(nil, s.UID()), writeState(s.attrs())))
}

// reply answers a poll of another node. One that is lost is missing there.
func (a *App) reply(node string, number uint64, err error, body []byte) {
	e := &protocol.Error{}
	if err != nil {
		e = farCode(err)
	}
	b := talk.PutUint([]byte{farReply}, number)
	b = talk.PutBytes(talk.PutUint(b, uint64(e.Code)), e.Msg)
	_ = a.post(node, talk.PutBytes(b, body)) // counted
}

// farErrors are the errors that stay themselves on their way, by the codes of
// farReply.
var farErrors = map[protocol.Code]error{
	1: ErrSessionEnded, 2: ErrMember, 3: ErrNoMember, 4: ErrGroupClosed, 5: ErrBusy, 6: ErrStopped,
}

func farCode(err error) *protocol.Error {
	for code, known := range farErrors {
		if errors.Is(err, known) {
			return &protocol.Error{Code: code, Msg: err.Error()}
		}
	}
	return protocol.AsError(err)
}

func farError(code protocol.Code, text string) error {
	if known, ok := farErrors[code]; ok {
		return known
	}
	return &protocol.Error{Code: code, Msg: text}
}

// CarryOut does what ToDistant.Rest says, for whoever brought it to the session's own
// node.
func (r *Ref) CarryOut(rest []byte) {
	in := &talk.Reader{Rest: rest}
	r.app.carryOut(r.id, in)
	if in.Err != nil {
		r.app.stats.FarUnreadable.Add(1)
	}
}

// StateMark remembers which attributes of a session were written last; the zero mark
// remembers none.
type StateMark struct{ list *attrs }

// State returns the attributes of a session of this node as KnowState reads them;
// not changed: they are those of the mark.
func (m *StateMark) State(r *Ref) (state []byte, changed bool) {
	var list *attrs
	if more := r.more.Load(); more != nil {
		list = more.attrs.Load()
	}
	if list == m.list {
		return nil, false
	}
	m.list = list
	return writeState(*list), true
}

// KnowState notes the attributes of a session of another node, for Value and State.
// They are what JSON made of them: numbers are float64, which Lookup and Key read as
// any number.
func (r *Ref) KnowState(state []byte) {
	list, err := readState(state)
	if err != nil {
		r.app.stats.FarUnreadable.Add(1)
		return
	}
	m := r.more.Load()
	if m == nil {
		m = new(more)
		if !r.more.CompareAndSwap(nil, m) {
			m = r.more.Load()
		}
	}
	m.attrs.Store(&list)
}
