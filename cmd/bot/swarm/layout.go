package swarm

// layout says where every session of a run lives. It is a pure value, the same
// in every process.
type layout struct {
	sessions, rooms, procs, addrs int
	whole                         bool // a room lives in one process
	byRoom                        bool // a room lives on one server
	kinds                         []uint16
}

// place is where one session lives.
type place struct {
	worker int
	addr   int
	room   uint32
	kind   int // behaviour
}

// wholeRooms is how many rooms per process make it worth keeping each in one:
// the processes' shares then differ by a tenth at most.
const wholeRooms = 10

func newLayout(p *plan) layout {
	weights := make([]int, len(p.scen.Behaviours))
	enters := false
	for i := range p.scen.Behaviours {
		b := &p.scen.Behaviours[i]
		weights[i] = b.Weight
		enters = enters || b.Enters()
	}
	return layout{
		sessions: p.Sessions, rooms: p.Rooms, procs: p.Procs, addrs: len(p.Addr),
		whole:  p.Rooms%p.Procs == 0 || p.Rooms >= wholeRooms*p.Procs,
		byRoom: enters && !p.Mix,
		kinds:  interleave(weights),
	}
}

// at returns the place of session g.
func (l *layout) at(g int) place {
	room := g % l.rooms
	at := place{worker: g % l.procs, addr: g % l.addrs, room: uint32(room)}
	if l.whole {
		at.worker = room % l.procs
	}
	if l.byRoom {
		at.addr = room % l.addrs
	}
	// Kinds go on from room to room, so that small rooms have their share of all.
	nth := g/l.rooms + room*(l.sessions/l.rooms)
	at.kind = int(l.kinds[nth%len(l.kinds)])
	return at
}

// shared reports whether rooms have members in several processes: then each needs
// to know what the others published.
func (l *layout) shared() bool { return l.procs > 1 && !l.whole }

// interleave spreads kinds over a sequence by their weights, each as evenly as
// can be (smooth weighted round robin).
func interleave(weights []int) []uint16 {
	div, total := 0, 0
	for _, w := range weights {
		div = gcd(w, div)
	}
	for i := range weights {
		total += weights[i] / div
	}
	out := make([]uint16, total)
	credit := make([]int, len(weights))
	for i := range out {
		best := 0
		for k, w := range weights {
			credit[k] += w / div
			if credit[k] > credit[best] {
				best = k
			}
		}
		credit[best] -= total
		out[i] = uint16(best)
	}
	return out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
