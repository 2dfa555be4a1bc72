package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Raw is a body that is written already: it is sent as it is.
type Raw []byte

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) { return r, nil }

// Distant returns a reference to a session of another node. It has no Wire; what
// is sent to it goes to via as a *ToDistant, in the order of the calls. It knows no
// attributes of the session and hears nothing of its end; Invoke is an error, and
// Close tells the client why, as Kick does.
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
// Push, Kick and Answer is set.
type ToDistant struct {
	Ref    *Ref
	Push   *DistantPush
	Kick   *DistantKick
	Answer *Answer
}

// DistantPush is a push to a distant session.
type DistantPush struct {
	Route string
	Value any
}

// distant wraps what was sent to r for whoever passes it on.
func (r *Ref) distant(msg any) any {
	d := &ToDistant{Ref: r}
	switch m := msg.(type) {
	case *pushMsg:
		d.Push = &DistantPush{m.route, m.v}
	case *kickMsg:
		d.Kick = &DistantKick{m.why, m.text}
	case *closeOrder:
		d.Kick = &DistantKick{Why: m.why}
	case *Answer:
		d.Answer = m
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
