package actors

import (
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// LocalUsers keeps users on this node. A user is a value in the hands of one of
// userKeepers actors, the one that its uid hashes to: nothing that a user does can
// block, so nobody is held up by sharing an actor, and a user who comes back while
// being forgotten cannot meet a mailbox that is closing.
type LocalUsers struct {
	app  *App
	seed maphash.Seed
	pids [userKeepers]*actor.PID

	// Any goroutine.
	closed atomic.Bool
}

const (
	userKeepers = 16 // a power of two

	// userMailbox bounds the messages that wait for one keeper. Past it logins are
	// answered 503, pushes count as dropped, and goodbyes are said again.
	userMailbox = 65536

	// handover is how long a session that is told to go may take to confirm it.
	handover = time.Second

	// goodbyeAgain is the pause before a refused goodbye is said again.
	goodbyeAgain = 50 * time.Millisecond
)

func newUsers(a *App) *Users {
	l := &LocalUsers{app: a, seed: maphash.MakeSeed()}
	for i := range l.pids {
		props := actor.PropsFromProducer(func() actor.Actor {
			return &userKeeper{app: a, userBook: newUserBook(a)}
		}, actor.WithMailbox(a.Mailbox(userMailbox)))
		pid, err := a.system.Root.SpawnNamed(props, fmt.Sprintf("users/%s/%d", a.system.ID, i))
		if err != nil {
			panic(fmt.Sprintf("actors: keeper of users: %v", err)) // the name is this system's own
		}
		l.pids[i] = pid
	}
	return &Users{app: a, local: l, place: l}
}

// Deliver implements UserPlacement.
func (l *LocalUsers) Deliver(uid string, msg any) {
	if l.closed.Load() {
		refuse(msg, ErrStopped)
		return
	}
	if g, ok := msg.(*UserGone); ok {
		msg = g.until(l, uid)
	}
	i := maphash.String(l.seed, uid) & (userKeepers - 1)
	l.app.system.Root.Send(l.pids[i], &userMail{uid, msg})
}

func (l *LocalUsers) close() {
	if l.closed.Swap(true) {
		return
	}
	for _, pid := range l.pids {
		l.app.system.Root.Stop(pid)
	}
}

// userMail is a message to one user.
type userMail struct {
	uid string
	msg any
}

// Refused passes the word on to the sender of what could not be delivered.
func (m *userMail) Refused(err error) { refuse(m.msg, err) }

// userKeeper is the actor of a share of the users. It is their userSink.
type userKeeper struct {
	app *App

	// Owned by Receive.
	userBook
	now    time.Time
	timers timer.Set[time.Time]
	alarm  timer.Alarm
	ring   func()
}

type userWake struct{}

// Receive implements actor.Actor.
func (k *userKeeper) Receive(c actor.Context) {
	k.now = time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		root, self := c.ActorSystem().Root, c.Self()
		k.ring = func() { root.Send(self, &userWake{}) }
	case *actor.Stopping:
		k.alarm.Stop()
		return
	case *userMail:
		k.mail(m)
	case *userWake:
		k.alarm.Rang()
		for f, ok := k.timers.Pop(k.now); ok; f, ok = k.timers.Pop(k.now) {
			f(k.now)
		}
	}
	at, ok := k.timers.Next()
	k.alarm.Set(k.now, at, ok, k.ring)
}

func (k *userKeeper) mail(mail *userMail) {
	u, known := k.open(mail.uid)
	switch m := mail.msg.(type) {
	case *UserBind:
		u.bind(k, login{id: m.Session.id, token: m.Token, ref: m.Session})
	case *UserGone:
		u.gone(k, m.Session, m.Token)
	case *UserPush:
		u.push(k, m)
	case *UserKick:
		m.Done(u.kick(k, m.Reason, m.Text))
	case *UserQuery:
		refs := make([]*Ref, len(u.live))
		for i, l := range u.live {
			refs[i] = l.ref
		}
		m.Done(refs, u.online(), nil)
	default:
		k.app.cfg.Logger.Warn("user got a message of no known type", "type", typeName(m))
	}
	k.settle(known, u)
}

func (k *userKeeper) confirm(l *login) {
	k.app.stats.Logins.Add(1)
	l.ref.send(&UserBound{UID: k.uid, Token: l.token})
}

func (k *userKeeper) refuse(l login, err error) {
	k.app.stats.LoginsRefused.Add(1)
	l.ref.send(&UserBound{UID: k.uid, Token: l.token, Err: err})
}

// evict tells a session to go, and sees to it that it does.
func (k *userKeeper) evict(l login, why protocol.Reason, text string) {
	uid := k.uid
	l.ref.send(&userEvict{uid: uid, token: l.token, why: why, text: text})
	k.timers.After(k.now, handover, func(time.Time) {
		u, ok := k.users[uid]
		if !ok || find(u.leaving, l.id) < 0 {
			return
		}
		k.app.stats.Forced.Add(1)
		l.ref.force(why)
		k.mail(&userMail{uid, &UserGone{Session: l.id, Token: l.token}})
	})
}

func (k *userKeeper) deliver(to []login, p *UserPush) {
	p.fate.split(len(to))
	for _, l := range to {
		l.ref.send(&framePush{p.Frame, p.Route, p.Value, p.fate})
	}
}
