package measure

import "sort"

// Inbox is one session's account of one room: what it was owed there and what
// came. It has one owner and no locks. The zero value is of a session that has
// joined nothing.
type Inbox struct {
	room   uint32
	member bool
	fresh  bool  // nobody had published anything when we joined
	joined int64 // by the machine's clock, when the join response was read
	from   uint32
	home   seen
	away   []awaySeen // by worker, nil while nothing came from other processes
}

// awaySeen is the account of another process's stream. How far that stream was
// at our join is not known here before the run ends, so that it begins with the
// first position that arrives, unless nothing had been published at all.
type awaySeen struct {
	seen  seen
	begun bool
}

// Join opens the account: the join response has just been read. Joining again
// closes what was open before, as Leave does.
func (in *Inbox) Join(l *Ledger, room uint32, now int64) {
	from := l.Published(room)
	*in = Inbox{room: room, member: true, joined: now, from: from}
	in.home.startAt(from)
}

// Fresh says, right after Join, that no process has published anything yet.
func (in *Inbox) Fresh() { in.fresh = true }

// Leave closes the account: from here on nothing is owed, and what came is
// unclaimed.
func (in *Inbox) Leave() { in.member = false }

// Member reports whether the account is open.
func (in *Inbox) Member() bool { return in.member }

// Room returns the room of the last Join.
func (in *Inbox) Room() uint32 { return in.room }

// Receive records one delivery. self is the worker number of this process.
func (in *Inbox) Receive(m Mark, self uint8) Verdict {
	if m.Worker == self {
		return in.home.add(m.Seq, m.Sender)
	}
	return in.receiveAway(m)
}

func (in *Inbox) receiveAway(m Mark) Verdict {
	if int(m.Worker) >= len(in.away) {
		in.away = append(in.away, make([]awaySeen, int(m.Worker)+1-len(in.away))...)
	}
	a := &in.away[m.Worker]
	if !a.begun {
		a.begun = true
		if !in.fresh {
			a.seen.startAt(m.Seq)
		}
	}
	return a.seen.add(m.Seq, m.Sender)
}

// Balance is what an account comes to.
type Balance struct {
	Owed     int64 // publications this session had to get
	Received int64 // of those, the ones that came
}

// Lost returns how many owed publications have not come.
func (b Balance) Lost() int64 { return b.Owed - b.Received }

// Settle returns the balance as of now. logs holds the other processes' logs by
// worker number; nil when this process publishes alone.
func (in *Inbox) Settle(l *Ledger, logs []Log) Balance {
	if !in.member {
		return Balance{}
	}
	end := l.Published(in.room)
	b := Balance{
		Owed:     int64(end - min(in.from, end)),
		Received: int64(in.home.count(in.from, end)),
	}
	for worker, log := range logs {
		if worker == int(l.worker) || int(in.room) >= len(log) {
			continue
		}
		sent := log[in.room]
		from := sort.Search(len(sent), func(i int) bool { return sent[i] >= in.joined })
		b.Owed += int64(len(sent) - from)
		if worker < len(in.away) && in.away[worker].begun {
			b.Received += int64(in.away[worker].seen.count(uint32(from), uint32(len(sent))))
		}
	}
	return b
}
