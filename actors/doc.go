// Package actors is the players' side of a server: a session actor for each
// connection, the handlers that serve its messages, users, groups and timers.
//
//	a := actors.New(actors.Config{Logger: log})
//	a.Pipeline().Inbound.PushBack(stages.Gate("gate.*"))
//	a.Pipeline().Decoded.PushBack(stages.Validate(nil))
//	auth.Login(a, "gate.login", tokens, checkPassword)
//	actors.Handle(a, "hero.rename", func(c *actors.Ctx, r *Rename) (*Hero, error) { … })
//	a.Component(&Lobby{}, actors.LowerFirst) // exported methods become routes
//	err := a.Start()
//
// # Handlers
//
// A handler belongs to a session and has its Ctx: what it pushes leaves ahead of its
// answer, what it sets is there for the next message. Every request gets exactly one
// answer: the reply, the error, 500 for a panic, 408 when an awaited answer does not
// come. Messages of one session are handled in order and one at a time, those of
// different sessions at the same time: state that sessions share belongs into a room
// (package rooms), a group, or a component that is Serial.
//
// How a handler may wait is said by its route:
//
//	(nothing)   on the session's goroutine: it may take a moment, and only its own
//	            session waits, heartbeats and pushes included
//	Blocking    on a goroutine of its own: for databases, HTTP, files. The session
//	            lives on, its next messages keep their order behind this one
//	Inline      on the connection's loop: for what never waits and is done in
//	            microseconds
//	Later       the handler returns, the answer comes from elsewhere
//
// # What it costs
//
// From packet to answer, without the socket, on two cores of a shared machine
// (BenchmarkRequest; compare them with each other only):
//
//	raw, Inline                 0.29 µs   0 allocations
//	typed (JSON), Inline        1.0  µs   5, all of them encoding/json and the values
//	component, raw / typed      0.31 / 0.37 µs and 1 / 3 allocations on top
//	without Inline              2.2 µs on top for the session's goroutine, and up to
//	                            7 where its fresh stack has to grow
//	Blocking                    11 allocations and 2.5 µs more than that
//	a stage                     nothing where there is none
//
// # From elsewhere
//
// A Ref reaches its session from any goroutine, as long as one likes: everything it
// does is a message, and does nothing when the session is gone. Users finds sessions
// by uid.
package actors
