package actors

import (
	"fmt"
	"slices"

	"github.com/shaddock-game/shaddock/protocol"
)

// DuplicateLogin says what happens when a user who is logged in logs in again.
type DuplicateLogin uint8

// The policies. What they promise is described at Users.
const (
	KickOld      DuplicateLogin = iota // the older session is closed with ReasonReplaced
	RefuseNew                          // the login is answered 409
	AllowSeveral                       // all sessions are the user's
)

var duplicateNames = map[DuplicateLogin]string{KickOld: "kick-old", RefuseNew: "refuse-new", AllowSeveral: "allow-several"}

// MarshalText implements encoding.TextMarshaler.
func (d DuplicateLogin) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the name in settings.
func (d DuplicateLogin) String() string {
	if name, ok := duplicateNames[d]; ok {
		return name
	}
	return fmt.Sprintf("DuplicateLogin(%d)", uint8(d))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *DuplicateLogin) UnmarshalText(text []byte) error {
	for policy, name := range duplicateNames {
		if name == string(text) {
			*d = policy
			return nil
		}
	}
	return fmt.Errorf("%q is none of kick-old, refuse-new, allow-several", text)
}

// userState decides who is logged in as one user: a value without actor, clock or
// wire. Each login is in exactly one of its lists, and while one is leaving
// nobody is let in, so that with KickOld and RefuseNew two are never live at the
// same time.
type userState struct {
	policy  DuplicateLogin
	live    []login
	leaving []login // told to go, not known to be gone
	waiting []login // not decided yet, because someone is leaving
	held    []*UserPush
}

// login is one session's bind to the user.
type login struct {
	id    uint64    // of the session
	token uint32    // of its newest bind
	ref   *Ref      // when users are kept on the session's own node
	gate  *userGate // when they are not: where it is
	since moment    // when it was confirmed, in a cluster
}

// moment is a place in the order of all confirmed logins of a shard, through all its
// activations.
type moment struct{ epoch, n uint64 }

func (m moment) before(o moment) bool {
	return m.epoch < o.epoch || m.epoch == o.epoch && m.n < o.n
}

// userSink carries out what a userState decides.
type userSink interface {
	confirm(l *login) // which is live, and not kept
	refuse(l login, err error)
	evict(l login, why protocol.Reason, text string)
	deliver(to []login, p *UserPush)
}

// maxHeld bounds the pushes that wait while one session takes over from another;
// later ones are reported as dropped.
const maxHeld = 1024

// bind decides about a login, now or when those who are leaving have gone. One
// of a session that has bound before takes the place of its earlier one.
func (u *userState) bind(out userSink, l login) {
	if i := find(u.live, l.id); i >= 0 {
		u.live[i].token = l.token
		out.confirm(&u.live[i])
		return
	}
	if i := find(u.waiting, l.id); i >= 0 {
		u.waiting[i].token = l.token
		return
	}
	u.waiting = append(u.waiting, l)
	u.advance(out)
}

// gone forgets the binds of a session up to a token.
func (u *userState) gone(out userSink, id uint64, token uint32) {
	left := func(l login) bool { return l.id == id && l.token <= token }
	u.live = slices.DeleteFunc(u.live, left)
	u.leaving = slices.DeleteFunc(u.leaving, left)
	u.waiting = slices.DeleteFunc(u.waiting, left)
	u.advance(out)
}

// back takes in a login that an earlier keeper of the user has confirmed. Of two
// that were confirmed by keepers who did not know of each other, one goes: the
// older, and with RefuseNew the newer; back reports whether that was so. Advance is to
// be called once all are back.
func (u *userState) back(out userSink, l login, leaving bool) (twice bool) {
	switch {
	case leaving:
		u.leaving = append(u.leaving, l)
	case len(u.live) == 0 || u.policy == AllowSeveral:
		u.live = append(u.live, l)
	case u.live[0].since.before(l.since) == (u.policy == KickOld):
		u.evictAll(out, protocol.ReasonReplaced, "")
		u.live = append(u.live, l)
		return true
	default:
		u.leaving = append(u.leaving, l)
		out.evict(l, protocol.ReasonReplaced, "")
		return true
	}
	return false
}

// drop forgets all logins behind a gate, and reports whether there were any.
// Advance is to be called afterwards.
func (u *userState) drop(g *userGate) (any bool) {
	behind := func(l login) bool { return l.gate == g }
	was := len(u.live) + len(u.leaving) + len(u.waiting)
	u.live = slices.DeleteFunc(u.live, behind)
	u.leaving = slices.DeleteFunc(u.leaving, behind)
	u.waiting = slices.DeleteFunc(u.waiting, behind)
	return was != len(u.live)+len(u.leaving)+len(u.waiting)
}

// kick tells all live sessions to go, and returns how many.
func (u *userState) kick(out userSink, why protocol.Reason, text string) int {
	n := len(u.live)
	u.evictAll(out, why, text)
	return n
}

// push hands p to the live sessions. While one session takes over from another p
// waits for the new one: it reaches exactly one of them.
func (u *userState) push(out userSink, p *UserPush) {
	switch {
	case len(u.live) > 0 || len(u.waiting) == 0:
		out.deliver(u.live, p)
	case len(u.held) < maxHeld:
		u.held = append(u.held, p)
	default:
		p.Refused(ErrBusy)
	}
}

// advance decides about those who wait, in the order in which they came.
func (u *userState) advance(out userSink) {
	for len(u.waiting) > 0 && len(u.leaving) == 0 {
		l := u.waiting[0]
		switch {
		case len(u.live) == 0 || u.policy == AllowSeveral:
			u.next()
			u.live = append(u.live, l)
			out.confirm(&u.live[len(u.live)-1])
			u.release(out)
		case u.policy == RefuseNew:
			u.next()
			out.refuse(l, errLoggedIn)
		default:
			u.evictAll(out, protocol.ReasonReplaced, "")
		}
	}
	if len(u.waiting) == 0 {
		u.release(out)
	}
}

var errLoggedIn = protocol.Errorf(protocol.CodeConflict, "already logged in")

func (u *userState) next() { u.waiting = slices.Delete(u.waiting, 0, 1) }

// release hands on what was held during a handover.
func (u *userState) release(out userSink) {
	for _, p := range u.held {
		out.deliver(u.live, p)
	}
	u.held = nil
}

func (u *userState) evictAll(out userSink, why protocol.Reason, text string) {
	u.leaving = append(u.leaving, u.live...)
	for _, l := range u.live {
		out.evict(l, why, text)
	}
	u.live = nil
}

// online says whether the user counts as logged in: a session is live, or about
// to take over.
func (u *userState) online() bool { return len(u.live) > 0 || len(u.waiting) > 0 }

// empty says that there is nothing to remember.
func (u *userState) empty() bool {
	return len(u.live)+len(u.leaving)+len(u.waiting) == 0
}

func find(ls []login, id uint64) int {
	return slices.IndexFunc(ls, func(l login) bool { return l.id == id })
}
