package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// What a part of a group is asked by other nodes.
const (
	groupAdd      = 1 // session, attributes as JSON
	groupSet      = 2 // session, key, value as JSON
	groupLeave    = 3 // session
	groupLeaveAll = 4
	groupClose    = 5
	groupCount    = 6 // answer: number
	groupMembers  = 7 // session or 0: all. Answer: for each session, uid, its attributes, those in the group
)

// spans says whether the group may have members on other nodes.
func (g *Group) spans() bool { return !g.cfg.Local && g.app.nodes != nil }

// elsewhere says whether a session is on another node.
func (g *Group) elsewhere(s *Ref) bool { return g.spans() && s.id>>serialBits != g.app.prefix }

// question begins one for the group.
func (g *Group) question(number uint64, code byte) []byte {
	return append(talk.PutBytes(talk.PutUint([]byte{farAsk}, number), g.name), code)
}

// askOne asks the node that a session is on.
func (g *Group) askOne(ctx context.Context, session uint64, code byte, rest []byte) (*talk.Reader, error) {
	n, ok := g.app.nodeOf(session)
	if !ok {
		return nil, fmt.Errorf("group %q: session %d: %w", g.name, session, ErrNoNode)
	}
	answers, err := g.app.ask(ctx, []OtherNode{n}, func(number uint64) []byte {
		return append(talk.PutUint(g.question(number, code), session), rest...)
	})
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", g.name, err)
	}
	return &talk.Reader{Rest: answers[0].body}, nil
}

func (g *Group) addFar(ctx context.Context, s *Ref, attrs map[string]any) error {
	b, err := json.Marshal(attrs)
	if err != nil {
		return fmt.Errorf("group %q: attributes: %w", g.name, err)
	}
	_, err = g.askOne(ctx, s.id, groupAdd, talk.PutBytes(nil, b))
	return err
}

func (g *Group) setFar(ctx context.Context, s *Ref, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("group %q: attribute %s: %w", g.name, key, err)
	}
	_, err = g.askOne(ctx, s.id, groupSet, talk.PutBytes(talk.PutBytes(nil, key), b))
	return err
}

func (g *Group) leaveFar(ctx context.Context, s *Ref) error {
	_, err := g.askOne(ctx, s.id, groupLeave, nil)
	return err
}

func (g *Group) memberFar(ctx context.Context, id uint64) (GroupMember, error) {
	r, err := g.askOne(ctx, id, groupMembers, nil)
	if err != nil {
		return GroupMember{}, err
	}
	all, err := g.app.readMembers(r)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("group %q: %w", g.name, ErrNoMember)
	}
	if err != nil {
		return GroupMember{}, err
	}
	return all[0], nil
}

// askGates asks every other gate; with an error the answers are those of some.
func (g *Group) askGates(ctx context.Context, code byte, rest []byte) ([]farAnswer, error) {
	answers, err := g.app.ask(ctx, g.app.gates(), func(number uint64) []byte {
		return append(g.question(number, code), rest...)
	})
	if err != nil {
		err = fmt.Errorf("group %q: %w", g.name, err)
	}
	return answers, err
}

// tellGates has every other gate do something.
func (g *Group) tellGates(ctx context.Context, code byte) error {
	if !g.spans() {
		return nil
	}
	_, err := g.askGates(ctx, code, nil)
	return err
}

func (g *Group) countFar(ctx context.Context) (n int, err error) {
	answers, err := g.askGates(ctx, groupCount, nil)
	for _, a := range answers {
		r := talk.Reader{Rest: a.body}
		n += int(r.Uint())
	}
	return n, err
}

func (g *Group) membersFar(ctx context.Context) (all []GroupMember, err error) {
	answers, err := g.askGates(ctx, groupMembers, talk.PutUint(nil, 0))
	for _, a := range answers {
		some, unread := g.app.readMembers(&talk.Reader{Rest: a.body})
		all, err = append(all, some...), errors.Join(err, unread)
	}
	return all, err
}

func writeMembers(all []GroupMember) (b []byte) {
	for _, m := range all {
		list := make(attrs, 0, len(m.attrs))
		for key, v := range m.attrs {
			list = append(list, attr{key, v})
		}
		b = talk.PutBytes(talk.PutUint(b, m.ID()), m.UID())
		b = talk.PutBytes(talk.PutBytes(b, writeState(m.session.attrs())), writeState(list))
	}
	return b
}

func (a *App) readMembers(r *talk.Reader) (all []GroupMember, err error) {
	for len(r.Rest) > 0 {
		ref := &Ref{id: r.Uint(), app: a}
		uid, state, own := r.String(), r.Bytes(), r.Bytes()
		if r.Err != nil {
			return all, r.Err
		}
		ref.Know(uid)
		ref.KnowState(state)
		list, err := readState(own)
		if err != nil {
			return all, err
		}
		all = append(all, GroupMember{ref, list.state()})
	}
	return all, r.Err
}

// asked serves a question of another node to this node's part of a group.
func (a *App) asked(from string, r *talk.Reader) {
	whole := *r
	number, name := r.Uint(), r.String()
	code, _ := r.Next()
	do := a.question(code, r)
	if r.Err != nil {
		return
	}
	g, ok := a.part(name)
	if !ok && code == groupAdd {
		g, ok = a.adopt(name)
	}
	switch {
	case !ok && code == groupLeave:
		a.reply(from, number, ErrNoMember, nil)
		return
	case !ok:
		a.reply(from, number, nil, nil) // nobody is in it here
		return
	case !g.spans():
		a.reply(from, number, protocol.Errorf(protocol.CodeConflict, "group %q is a local one of this node", name), nil)
		return
	}
	g.send(&groupCall{
		run: func(p *groupActor) {
			body, err := do(p)
			a.reply(from, number, err, body)
		},
		refused: func(err error) {
			if g.cfg.adopted && errors.Is(err, ErrGroupClosed) { // it went meanwhile
				a.asked(from, &whole)
				return
			}
			a.reply(from, number, err, nil)
		},
	})
}

// adopt makes this node's part of a group that another node needs.
func (a *App) adopt(name string) (*Group, bool) {
	if g, err := a.NewGroup(name, GroupConfig{adopted: true}); err == nil {
		return g, true
	}
	return a.part(name) // somebody was faster
}

// question reads what a part of a group is asked.
func (a *App) question(code byte, r *talk.Reader) func(p *groupActor) ([]byte, error) {
	switch code {
	case groupAdd:
		id, b := r.Uint(), r.Bytes()
		return func(p *groupActor) ([]byte, error) { return nil, p.addFor(id, b) }
	case groupSet:
		id, key, b := r.Uint(), r.String(), r.Bytes()
		return func(p *groupActor) ([]byte, error) {
			var v any
			if err := json.Unmarshal(b, &v); err != nil {
				return nil, err
			}
			return nil, p.state.set(id, key, v)
		}
	case groupLeave:
		id := r.Uint()
		return func(p *groupActor) ([]byte, error) { return nil, p.leave(id) }
	case groupLeaveAll:
		return func(p *groupActor) ([]byte, error) { p.leaveAll(); return nil, nil }
	case groupClose:
		return func(p *groupActor) ([]byte, error) { p.close(); return nil, nil }
	case groupCount:
		return func(p *groupActor) ([]byte, error) { return talk.PutUint(nil, uint64(len(p.state.members))), nil }
	case groupMembers:
		id := r.Uint()
		return func(p *groupActor) ([]byte, error) { return writeMembers(p.state.some(id)), nil }
	}
	r.Fail()
	return nil
}

// addFor adds a session of this node for another node.
func (a *groupActor) addFor(id uint64, state []byte) error {
	s, ok := a.group.app.Session(id)
	if !ok {
		return ErrSessionEnded
	}
	list, err := readState(state)
	if err != nil {
		return err
	}
	return a.add(s, list.state())
}
