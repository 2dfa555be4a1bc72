package actors

import "github.com/shaddock-game/shaddock/actors/cluster/talk"

// What a clerk says to its shard. A batch is a row of these, see package talk.
const (
	saysHello  = 1 // first of each conversation, then saysBack and nothing else in this batch
	saysBack   = 2 // login, moment, whether it was told to go: a login that was confirmed before
	saysBind   = 3 // login
	saysGone   = 4 // login: binds up to its token are void
	saysPush   = 5 // number, uid, frame
	saysKick   = 6 // number, uid, reason, text
	saysQuery  = 7 // number, uid
	saysPushed = 8 // part, sent, dropped: what became of a tellsPush
)

// What a shard says to a clerk.
const (
	tellsBound   = 1 // login, moment
	tellsRefused = 2 // login, code, text
	tellsEvict   = 3 // login, reason, text
	tellsPush    = 4 // part, session, uid, node and number of the saysPush, frame
	tellsPushed  = 5 // number, sent, dropped
	tellsKicked  = 6 // number, sessions
	tellsQueried = 7 // number, whether the user is online, n, then n sessions
	tellsMoved   = 8 // the shard goes on elsewhere
)

func putLogin(b []byte, uid string, session uint64, token uint32) []byte {
	return talk.PutUint(talk.PutUint(talk.PutBytes(b, uid), session), uint64(token))
}

func readLogin(o *talk.Reader) (uid string, session uint64, token uint32) {
	return o.String(), o.Uint(), uint32(o.Uint())
}

func putMoment(b []byte, m moment) []byte { return talk.PutUint(talk.PutUint(b, m.epoch), m.n) }

func readMoment(o *talk.Reader) moment { return moment{o.Uint(), o.Uint()} }
