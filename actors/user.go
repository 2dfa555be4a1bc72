package actors

import (
	"context"

	"github.com/shaddock-game/shaddock/protocol"
)

// UserPlacement is the one way to a user: by its uid, never by where it is kept.
// It hands msg, one of the User… messages, to whoever keeps the user; the messages
// of one sender arrive in the order of the calls. Deliver never blocks; a msg that
// cannot be delivered is told so through its Refused method.
//
// LocalUsers is the placement of a node alone; a cluster brings another, which
// hands the messages to the LocalUsers of the node that keeps the user.
type UserPlacement interface {
	Deliver(uid string, msg any)
}

// Users reaches players by uid, wherever they are connected. Its methods are
// usable from any goroutine.
//
// # Logging in twice
//
// Config.Duplicates decides about a login of a user who is logged in already. All
// logins of one user are decided by one actor, one after another. With KickOld:
//
//  1. the older session is told; pushes to the user wait from here on;
//  2. on the older session: its uid is void, its client gets the kick with
//     ReasonReplaced, its connection closes, and it reports that;
//  3. the newer session is confirmed: its uid is set, its login is answered;
//  4. the pushes that waited follow, and all later ones.
//
// So the kick is written before the login is answered, there is no moment in
// which both or neither stand for the user, and a push reaches exactly one of the
// two. An older session that does not get round to step 2 within a second, since
// a handler of its blocks, has its uid taken and its connection closed without a
// word. With RefuseNew the login is answered 409 as long as a session is live;
// with AllowSeveral all are live and get every push.
type Users struct {
	app   *App
	local *LocalUsers
	place UserPlacement // set before Start, read-only afterwards
	far   *farUsers     // nil for a node alone; as place
}

// Users returns the way to players by uid.
func (a *App) Users() *Users { return a.users }

// Place makes p the way to users, before App.Start.
func (u *Users) Place(p UserPlacement) { u.place = p }

func (u *Users) close() {
	u.local.close()
	u.far.close()
}

// Local returns the keeper of users on this node, which is the placement unless
// Place has set another.
func (u *Users) Local() *LocalUsers { return u.local }

// Push sends v to all sessions of a user. V is written once, before Push returns,
// and an error says that it cannot be; nobody may change v afterwards, since
// sessions of text endpoints write it in their own way. Done, if not nil, is called
// once, from any goroutine: sent counts the sessions that have taken the push to
// their connection, dropped those that were about to end. A user who is not logged
// in counts in neither.
func (u *Users) Push(uid, route string, v any, done func(sent, dropped int)) error {
	f, err := NewFrame(u.app.cfg.Serializer, route, v)
	if err != nil {
		return err
	}
	u.place.Deliver(uid, &UserPush{Frame: f, Route: route, Value: v, fate: newFate(done)})
	return nil
}

// Kick ends all sessions of a user and tells the clients why; an empty text is
// the reason's. Done, if not nil, is called once, from any goroutine, with the
// number of sessions that were live.
func (u *Users) Kick(uid string, why protocol.Reason, text string, done func(kicked int)) {
	if done == nil {
		done = func(int) {}
	}
	u.place.Deliver(uid, &UserKick{Reason: why, Text: text, Done: done})
}

// Online reports whether a user is logged in. During a handover it is.
func (u *Users) Online(ctx context.Context, uid string) (bool, error) {
	_, online, err := u.query(ctx, uid)
	return online, err
}

// Sessions returns the sessions of a user: at most one, except with
// AllowSeveral. The slice is the caller's.
func (u *Users) Sessions(ctx context.Context, uid string) ([]*Ref, error) {
	refs, _, err := u.query(ctx, uid)
	return refs, err
}

func (u *Users) query(ctx context.Context, uid string) ([]*Ref, bool, error) {
	type answer struct {
		live   []*Ref
		online bool
		err    error
	}
	got := make(chan answer, 1)
	u.place.Deliver(uid, &UserQuery{Done: func(live []*Ref, online bool, err error) { got <- answer{live, online, err} }})
	select {
	case a := <-got:
		return a.live, a.online, a.err
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}
