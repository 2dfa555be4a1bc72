package swarm

import (
	"testing"

	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

func layoutOf(t *testing.T, sessions, rooms, procs, addrs int, text string) layout {
	t.Helper()
	s, err := scenario.Load("s.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return newLayout(&plan{Config: Config{Addr: make([]string, addrs), Sessions: sessions, Rooms: rooms, Procs: procs}, scen: s})
}

const talkers = `
name: talkers
behaviours:
  - {name: a, weight: 3, setup: [{request: {route: join, enter: true}}]}
  - {name: b, weight: 1}
`

func TestRoomsAreEvenAndWhole(t *testing.T) {
	for _, c := range []struct {
		rooms, procs, addrs int
		whole               bool
	}{{4, 1, 1, true}, {4, 2, 3, true}, {4, 3, 2, false}, {40, 3, 3, true}, {1, 3, 3, false}} {
		const sessions = 1200
		l := layoutOf(t, sessions, c.rooms, c.procs, c.addrs, talkers)
		members := map[uint32]int{}
		kinds := map[uint32]int{}
		workers, addrs := map[uint32]map[int]bool{}, map[uint32]map[int]bool{}
		perWorker := make([]int, c.procs)
		for g := range sessions {
			at := l.at(g)
			members[at.room]++
			kinds[at.room] += at.kind
			if workers[at.room] == nil {
				workers[at.room], addrs[at.room] = map[int]bool{}, map[int]bool{}
			}
			workers[at.room][at.worker], addrs[at.room][at.addr] = true, true
			perWorker[at.worker]++
		}
		for room, n := range members {
			if n != sessions/c.rooms || kinds[room]-n/4 > 1 {
				t.Errorf("%+v: room %d has %d members, %d of the second kind; want %d and a quarter", c, room, n, kinds[room], sessions/c.rooms)
			}
			if one := len(workers[room]) == 1; one != (c.whole || c.procs == 1) {
				t.Errorf("%+v: room %d lives in %d processes", c, room, len(workers[room]))
			}
			if len(addrs[room]) != 1 {
				t.Errorf("%+v: room %d lives on %d servers", c, room, len(addrs[room]))
			}
		}
		for w, n := range perWorker {
			if n < sessions/c.procs*9/10 || n > sessions/c.procs*11/10 {
				t.Errorf("%+v: process %d has %d sessions of %d", c, w, n, sessions)
			}
		}
		if l.shared() == c.whole && c.procs > 1 {
			t.Errorf("%+v: shared is %t", c, l.shared())
		}
	}
}

func TestInterleaveIsEven(t *testing.T) {
	seq := interleave([]int{950, 50}) // a talker in every twenty
	if len(seq) != 20 {
		t.Fatalf("a sequence of %d, want 20", len(seq))
	}
	n := 0
	for _, k := range seq {
		n += int(k)
	}
	if n != 1 {
		t.Errorf("%d talkers in twenty, want 1", n)
	}
}
