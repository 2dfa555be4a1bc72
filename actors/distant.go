package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Raw is a body that is written already: it is sent as it is.
type Raw []byte

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) { return r, nil }

// Distant returns a reference to a session of another node. It has no Wire; what
// is sent to it goes to via as a *ToDistant, in the order of the calls, so that it
// keeps its order with what else via says to the session. Of its user and attributes
// it knows what Know, KnowState and Ref.Refresh have brought. When via has stopped,
// what is sent goes from node to node.
func (a *App) Distant(id uint64, uid string, via *actor.PID) *Ref {
	r := &Ref{id: id, pid: via, app: a}
	if uid != "" {
		r.uid.Store(&uid)
	}
	return r
}

// Know notes which user a distant session belongs to.
func (r *Ref) Know(uid string) {
	if uid != r.UID() {
		r.uid.Store(&uid)
	}
}

// ToDistant is what somebody sent to a session of another node. Exactly one of
// Push, Kick, Answer and Rest is set.
type ToDistant struct {
	Ref    *Ref
	Push   *DistantPush
	Kick   *DistantKick
	Answer *Answer
	Rest   []byte // anything else, for Ref.CarryOut on the session's node

	msg any
}

// Refused implements Refusable: whoever was to pass it on has stopped, or cannot keep
// up, which is counted.
func (d *ToDistant) Refused(err error) {
	if errors.Is(err, ErrBusy) {
		d.Ref.app.stats.FarRefused.Add(1)
		return
	}
	d.Post()
}

// Post sends it from node to node instead, for one who cannot pass it on.
func (d *ToDistant) Post() { d.Ref.postSession(d.msg) }

// DistantPush is a push to a distant session.
type DistantPush struct {
	Route string
	Value any
}

// distant wraps what was sent to r for whoever passes it on; nil: it cannot travel.
func (r *Ref) distant(msg any) *ToDistant {
	d := &ToDistant{Ref: r, msg: msg}
	switch m := msg.(type) {
	case *pushMsg:
		d.Push = &DistantPush{m.route, m.v}
	case *kickMsg:
		d.Kick = &DistantKick{m.why, m.text}
	case *Answer:
		d.Answer = m
	default:
		var err error
		if d.Rest, err = r.app.write(msg); err != nil {
			r.unwritten(msg, err)
			return nil
		}
	}
	return d
}

// DistantKick ends a distant session.
type DistantKick struct {
	Why  protocol.Reason
	Text string
}

// Number is a token as another node knows it; NewToken is the way back.
func (t Token) Number() uint32 { return t.n }
