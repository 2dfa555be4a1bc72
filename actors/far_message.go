package actors

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// The messages between the applications of two nodes: a code, then its fields,
// written as package talk does. A code keeps its number; what it lacks is added as
// another one.
const (
	farSession = 1 // session, then one of the codes below: what somebody sent to a reference
	farWatch   = 2 // session, number: tell of its end
	farEnded   = 3 // number, reason, uid, attributes: the end
	farLook    = 4 // session, number: its user and attributes, as a farReply
	farReply   = 5 // number, code, text, body
	farForce   = 6 // session, reason: cut its connection
	farPushAll = 7 // number or 0, group, filter, frame: to its members there, with a farReply when there is a number
	farAsk     = 8 // number, group, question: see group_far.go
	farStill   = 9 // session, number: as farWatch, of one that was to be watched already
)

// What may be sent to a session.
const (
	sessionPush    = 1 // route, body
	sessionKick    = 2 // reason, text
	sessionClose   = 3 // reason
	sessionSet     = 4 // key, value as JSON
	sessionRemove  = 5 // key
	sessionRestore = 6 // attributes as JSON
	sessionInvoke  = 7 // route, body
	sessionAnswer  = 8 // token, code or 0, text, whether there is a value, body
)

// write makes a message of what is sent to a session of another node.
func (a *App) write(msg any) ([]byte, error) {
	switch m := msg.(type) {
	case *pushMsg:
		body, err := appendBody(a.cfg.Serializer, nil, m.v)
		return talk.PutBytes(talk.PutBytes([]byte{sessionPush}, m.route), body), err
	case *kickMsg:
		return talk.PutBytes(talk.PutUint([]byte{sessionKick}, uint64(m.why)), m.text), nil
	case *closeOrder:
		return talk.PutUint([]byte{sessionClose}, uint64(m.why)), nil
	case *invocation:
		return talk.PutBytes(talk.PutBytes([]byte{sessionInvoke}, m.route.name), m.body), nil
	case *attrOrder:
		return m.write()
	case *Answer:
		return a.writeAnswer(m)
	}
	return nil, fmt.Errorf("%s cannot travel to another node", typeName(msg))
}

func (o *attrOrder) write() ([]byte, error) {
	switch o.op {
	case attrSet:
		v, err := json.Marshal(o.value)
		return talk.PutBytes(talk.PutBytes([]byte{sessionSet}, o.key), v), err
	case attrRemove:
		return talk.PutBytes([]byte{sessionRemove}, o.key), nil
	default:
		state, err := json.Marshal(o.state)
		return talk.PutBytes([]byte{sessionRestore}, state), err
	}
}

func (a *App) writeAnswer(m *Answer) ([]byte, error) {
	e := &protocol.Error{}
	if m.Err != nil {
		e = protocol.AsError(m.Err)
	}
	var body []byte
	if m.Value != nil {
		var err error
		if body, err = appendBody(a.cfg.Serializer, nil, m.Value); err != nil {
			return nil, err
		}
	}
	b := talk.PutUint([]byte{sessionAnswer}, uint64(m.Token.n))
	b = talk.PutBytes(talk.PutUint(b, uint64(e.Code)), e.Msg)
	return talk.PutBytes(talk.PutBool(b, m.Value != nil), body), nil
}

// read is the way back: what write was given, for the session itself.
func (a *App) read(r *talk.Reader) (msg any, err error) {
	code, _ := r.Next()
	switch code {
	case sessionPush:
		msg = &pushMsg{r.String(), Raw(r.Bytes())}
	case sessionKick:
		msg = &kickMsg{protocol.Reason(r.Uint()), r.String()}
	case sessionClose:
		msg = &closeOrder{protocol.Reason(r.Uint())}
	case sessionSet:
		o := &attrOrder{op: attrSet, key: r.String()}
		err = json.Unmarshal(r.Bytes(), &o.value)
		msg = o
	case sessionRemove:
		msg = &attrOrder{op: attrRemove, key: r.String()}
	case sessionRestore:
		o := &attrOrder{op: attrRestore}
		err = json.Unmarshal(r.Bytes(), &o.state)
		msg = o
	case sessionInvoke:
		to := a.routes[r.String()]
		if msg = (&invocation{to, r.Bytes()}); to == nil {
			err = errNoSuchRoute
		}
	case sessionAnswer:
		msg = readAnswer(r)
	default:
		r.Fail()
	}
	if r.Err != nil {
		err = r.Err
	}
	return msg, err
}

func readAnswer(r *talk.Reader) *Answer {
	m := &Answer{Token: Token{uint32(r.Uint())}}
	if code, text := protocol.Code(r.Uint()), r.String(); code != 0 {
		m.Err = &protocol.Error{Code: code, Msg: text}
	}
	if some, body := r.Uint() == 1, r.Bytes(); some {
		m.Value = Raw(body)
	}
	return m
}

// writeState writes attributes for another node. What JSON cannot write stays behind.
func writeState(list attrs) []byte {
	if len(list) == 0 {
		return nil
	}
	state := make(map[string]json.RawMessage, len(list))
	for _, at := range list {
		if v, err := json.Marshal(at.value); err == nil {
			state[at.key] = v
		}
	}
	b, err := json.Marshal(state)
	if err != nil {
		panic(err) // it was JSON before
	}
	return b
}

// readState is the way back.
func readState(b []byte) (attrs, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var state map[string]any
	if err := json.Unmarshal(b, &state); err != nil {
		return nil, err
	}
	list := make(attrs, 0, len(state))
	for key := range maps.Keys(state) {
		list = append(list, attr{key, state[key]})
	}
	return list, nil
}
