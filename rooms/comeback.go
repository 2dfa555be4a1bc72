package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors"
)

// OnReturn is called when a member is to go on where its room may not have known
// it, or may not have reached it, any more: after the room came back on another
// node, and after pushes to the member were lost. Req is the request it joined
// with. It is sent nothing by itself; send it what it needs to go on. Without
// OnReturn, such a member joins anew, by OnJoin, when the room does not know it.
func OnReturn[R, Req any](f func(r *R, c *Ctx, m *Member, req *Req) error) Part[R] {
	return func(k *Kind) {
		k.back = func(room any, c *Ctx, m *Member, req any) error { return f(room.(*R), c, m, req.(*Req)) }
	}
}

// comeBack seats a member again.
func (st *state) comeBack(now time.Time, cl *call) {
	st.now = now
	if st.closed {
		return
	}
	m, seated := st.seats[cl.from.ID()]
	if !seated {
		m = &Member{ref: cl.from, id: cl.id, uid: cl.uid, index: -1}
	}
	if st.kind.back == nil {
		if seated {
			st.out.join(m)
			return
		}
		st.join(m, cl, &actors.Answer{})
		return
	}
	st.out.join(m)
	st.joining = m
	err := st.guarded(func(c *Ctx) error { return st.kind.back(st.room, c, m, cl.req) })
	st.joining = nil
	switch {
	case seated:
	case err != nil || st.closed:
		st.refuse(m, &actors.Answer{Err: err})
		st.out.leave(m)
	default:
		st.seat(m)
		st.out.answer(m, actors.Answer{Joined: &st.self})
		st.saveIfDue()
	}
}

// seat enters m among the members.
func (st *state) seat(m *Member) {
	st.changed = true
	m.index = len(st.members)
	st.members = append(st.members, m)
	st.seats[m.ID()] = m
	st.stats.Members.Add(1)
	st.stats.Joins.Add(1)
}
