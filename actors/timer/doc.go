// Package timer is what an actor needs to act later: a Set of pending calls that
// decides from the time it is told, and an Alarm, the one runtime timer that
// wakes the actor when the earliest of them is due.
//
// An actor keeps both as plain fields. Its alarm posts a message to its own
// mailbox; on that message it pops what is due and calls it. So timers are
// handled like any other message, never touch the actor's state from outside,
// and end with the actor:
//
//	case *wake:
//		r.alarm.Rang()
//		for f, ok := r.timers.Pop(now); ok; f, ok = r.timers.Pop(now) {
//			f(ctx)
//		}
//	…
//	at, ok := r.timers.Next()
//	r.alarm.Set(now, at, ok, func() { root.Send(self, &wake{}) })
//
// Calls are due to the nanosecond and made as soon as the runtime wakes the
// actor, in general within a millisecond. A repeating timer does not drift: it is
// due at its start plus a multiple of its interval, however late the calls come.
// In a testing/synctest bubble all this runs in fake time.
package timer
