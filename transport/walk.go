package transport

import (
	"github.com/shaddock-game/shaddock/protocol"
)

// fanState is a loop's list of shards that have something to deliver.
type fanState struct{ walks []*shard }

// activate puts s on the loop's list.
func (s *shard) activate() {
	if !s.active {
		s.active = true
		s.loop.fan.walks = append(s.loop.fan.walks, s)
	}
}

// walk lets the shards write, in turn, up to budget writes, and returns how many
// there were. What is left is for the next turn, after sockets have been read.
func (l *loop) walk(budget int) (writes int) {
	for len(l.fan.walks) > 0 && writes < budget {
		s := l.fan.walks[0]
		writes += s.step(budget - writes)
		if s.at > 0 {
			return writes
		}
		s.finishWalk()
		l.fan.walks[0] = nil
		l.fan.walks = l.fan.walks[1:]
		if s.active = false; len(s.queue) > 0 {
			s.activate() // behind the others
		}
	}
	if len(l.fan.walks) == 0 {
		l.fan.walks = nil
	}
	return writes
}

// step goes on with the walk, or begins one, for at most budget writes.
func (s *shard) step(budget int) (writes int) {
	if len(s.walk) == 0 {
		if len(s.queue) == 0 {
			return 0
		}
		s.begin()
	}
	newest, oldest := s.walk[len(s.walk)-1].seq, s.walk[0].seq
	sent, dropped := 0, 0
	for s.at > 0 && writes < budget {
		s.at--
		m := &s.members[s.at]
		switch {
		case m.got >= newest:
			continue
		case m.got >= oldest || m.conn == s.walk[0].except || m.conn.kind == kindText:
			s.deliver(m, s.walk) // an exception, or one who came in between
		case m.conn.fromAudience(s.wire(m.conn), s.bytes.replace, len(s.walk)):
			sent++
		default:
			dropped++
		}
		m.got = newest
		writes++
	}
	s.loop.tally.messagesOut += uint64((sent + dropped) * len(s.walk))
	for i := range s.walk {
		s.walk[i].sent += sent
		s.walk[i].dropped += dropped
	}
	return writes
}

func (s *shard) wire(c *Conn) []byte {
	if c.kind == kindStream {
		return s.bytes.packages
	}
	return s.bytes.socket
}

// begin takes what waits and can leave together.
func (s *shard) begin() {
	n, size := 1, len(s.queue[0].frame.Payload())
	for ; n < len(s.queue) && s.queue[0].mergeable() && s.queue[n].mergeable(); n++ {
		if size += len(s.queue[n].frame.Payload()); size > mergeBytes {
			break
		}
	}
	s.walk, s.queue = append(s.walk[:0], s.queue[:n]...), s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.at = len(s.members)
	s.loop.tally.walks++
	if n == 1 {
		f := s.walk[0].frame
		s.bytes = merged{packages: f.Payload(), socket: sealed(f), replace: f.Replace}
		return
	}
	all := protocol.AppendHeadroom(make([]byte, 0, protocol.Headroom+size))
	for i := range s.walk {
		all = append(all, s.walk[i].frame.Payload()...)
	}
	start := putWSHeader(all[:protocol.Headroom], len(all)-protocol.Headroom)
	s.bytes = merged{packages: all[protocol.Headroom:], socket: all[start:]}
}

func (b *broadcast) mergeable() bool { return b.except == nil && b.frame.Replace == 0 }

func (s *shard) finishWalk() {
	s.settle(s.walk)
	clear(s.walk)
	s.walk, s.bytes, s.at = s.walk[:0], merged{}, 0
}
