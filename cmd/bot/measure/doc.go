// Package measure is the bot's book-keeping: which deliveries were owed, which
// came, how long everything took. It opens no socket and reads no clock by
// itself, so every number in a report can be recomputed in a test.
//
// # Deliveries
//
// A publication is one message that a room has to relay to its members. Each
// process writes its publications to a room as one stream, numbered 0, 1, 2, …
// in the order in which they were handed to the connections. The number, the
// stream, the sender and the planned moment travel inside the chat text as a
// [Mark], so that any server relays them unchanged.
//
// A publication is owed to a session when
//
//   - the session's join response had been read before the publication was
//     given its number (in another process: before the moment it was sent, by
//     the machine's clock), and
//   - the session had not asked to leave the room, and had not closed its own
//     connection, before the run ended. A session that the server threw out
//     stays a creditor: what it no longer hears is lost.
//
// Of the owed ones, those that have not come when the grace period ends are
// lost. A delivery that came twice is counted once as received and once as
// duplicated. A delivery is out of order when a later publication of the same
// sender to the same room reached the same session first; order between
// different senders is the server's to choose. A delivery that was not owed
// (published while the join response was under way, or after leaving) is
// unclaimed: legitimate, and never mixed into the owed ones.
//
// # Time
//
// Every latency starts at the planned moment, not at the moment at which the
// generator got round to sending: a stalled server is charged with what its
// users would have waited (see "coordinated omission"). The lag between plan
// and send is a metric of its own, so that a generator that could not keep up
// is seen as that.
package measure
