package main

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// substance counts what a run's proof rests on: of a cluster that nobody spoke to, or
// whose rooms never moved, nothing bad can be proved.
type substance struct {
	steps           int
	asked, answered int
	heard           map[int]int     // pushes, by caller
	rooms           map[string]bool // that answered
	moved, restored int             // rooms that began anew, and of these from what had been saved
}

// count takes in what has happened since a time of proof.Now.
func count(rooms, callers []proof.Event, steps int, since int64) *substance {
	s := &substance{steps: steps, heard: make(map[int]int), rooms: make(map[string]bool)}
	for _, e := range callers {
		switch e.What {
		case proof.Asked:
			s.asked++
		case proof.Got:
			s.answered++
			s.rooms[e.Room] = true
		case proof.Heard:
			s.heard[e.From]++
		}
	}
	opened := make(map[string]bool)
	for _, e := range rooms {
		if e.What != proof.Opened || e.At < since {
			continue
		}
		if opened[e.Room] {
			s.moved++
			if e.Kept && e.Seq > 0 {
				s.restored++
			}
		}
		opened[e.Room] = true
	}
	return s
}

// lacks lists what is too little for a run of this kind, on a machine that is slow.
func (s *substance) lacks(cfg config, callers int) (all []string) {
	least := func(what string, got, want int) {
		if got < want {
			all = append(all, fmt.Sprintf("the run proves little: %d %s, want %d", got, what, want))
		}
	}
	least("steps carried out", s.steps, int(cfg.length/(15*time.Second)))
	least("calls answered", s.answered, cfg.rooms*int(cfg.length/cfg.every)/4)
	least("rooms that answered", len(s.rooms), cfg.rooms)
	least("callers that heard of others", len(s.heard), callers)
	least("rooms that moved", s.moved, 2)
	least("rooms that came back as they were saved", s.restored, 1)
	return all
}

// watched says whether this program, which is also its nodes', was built with the
// race detector.
func watched() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
