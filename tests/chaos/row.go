package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// row is what came of one failure.
type row struct {
	name string
	size int // rooms

	calls, failed  int // of callers whose gate nothing was done to
	longest        time.Duration
	own, ownFailed int           // of the others, from when they lost it until they were at another
	all            time.Duration // until all rooms had answered, from its beginning
	passes         bool          // it has an end: after is meant
	after          time.Duration // until all rooms had answered what they were asked since its end
	moved          int           // rooms that began anew
	cut            int           // connections
	hungUp         int           // callers that lost patience
	silent         int           // callers without an answer in the end
	faults         []string
}

const heading = `| failure | calls, by other gates | of them failed | longest | all rooms answer after | and after its end | calls by its own gate | of them failed | rooms opened anew | connections lost | given up |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`

func (r *row) String() string {
	after := "–"
	if r.passes {
		after = fmt.Sprintf("%.2f s", r.after.Seconds())
	}
	return fmt.Sprintf("| %s | %d | %d | %.2f s | %.2f s | %s | %d | %d | %d | %d | %d |",
		r.name, r.calls, r.failed, r.longest.Seconds(), r.all.Seconds(), after, r.own, r.ownFailed, r.moved, r.cut, r.hungUp)
}

// judge counts the calls that were due between the beginning of a failure and the
// end of its watch.
func (r *row) judge(rooms, callers []proof.Event, f *field, end int64) {
	type call struct {
		from int
		n    uint64
	}
	asked := make(map[call]proof.Event)
	first, after := make(map[string]int64), make(map[string]int64) // answer of each room
	for _, e := range callers {
		if e.At < f.began-int64(6*time.Second) || e.At > end+int64(6*time.Second) {
			continue
		}
		c := call{e.From, e.N}
		switch e.What {
		case proof.Asked:
			asked[c] = e
		case proof.Got, proof.Refused:
			q, ok := asked[c]
			if ok && e.At >= f.began && q.At <= end {
				r.count(q, e, slices.Contains(f.victims, q.Gate) || q.Gate == "")
			}
			if e.What == proof.Refused || slices.Contains(f.victims, e.Gate) {
				continue
			}
			earliest(first, e, f.began)
			if q.At >= f.ended {
				earliest(after, e, f.ended)
			}
		case proof.Cut:
			if e.At >= f.began {
				r.cut++
			}
		case proof.Went:
			if e.At >= f.began {
				r.hungUp++
			}
		}
	}
	for _, at := range first {
		r.all = max(r.all, time.Duration(at-f.began))
	}
	for _, at := range after {
		r.after = max(r.after, time.Duration(at-f.ended))
	}
	r.passes = f.ended > f.began
	for _, e := range rooms {
		if e.What == proof.Opened && e.At >= f.began {
			r.moved++
		}
	}
	if len(first) != r.size || r.passes && len(after) != r.size {
		r.faults = append(r.faults, fmt.Sprintf("%d of %d rooms have answered, %d after its end", len(first), r.size, len(after)))
	}
	if r.silent > 0 {
		r.faults = append(r.faults, fmt.Sprintf("%d callers have no answer in the end", r.silent))
	}
	outage := []proof.Outage{{From: 0, To: 1 << 62}} // connections are counted above
	for i := range callers {
		callers[i].Gate = outage[0].Gate
	}
	for _, x := range proof.ProveAnswers(rooms, callers, outage) {
		r.faults = append(r.faults, x.String())
	}
}

// earliest keeps the first answer of each room since a time.
func earliest(of map[string]int64, e proof.Event, since int64) {
	if at, ok := of[e.Room]; e.At >= since && (!ok || e.At < at) {
		of[e.Room] = e.At
	}
}

func (r *row) count(asked, e proof.Event, own bool) {
	failed := 0
	if e.What == proof.Refused {
		failed = 1
	}
	if own {
		r.own++
		r.ownFailed += failed
		return
	}
	r.calls++
	r.failed += failed
	r.longest = max(r.longest, time.Duration(e.At-asked.At))
}

// goal is what a row must have kept to.
type goal func(r *row) error

func noneFailed(r *row) error {
	if r.failed > 0 {
		return fmt.Errorf("%d calls failed, want none", r.failed)
	}
	return nil
}

func noneMoved(r *row) error {
	if r.moved > 0 {
		return fmt.Errorf("%d rooms moved, want none", r.moved)
	}
	return nil
}

func noneCut(r *row) error {
	if r.cut > 0 {
		return fmt.Errorf("%d connections were lost, want none", r.cut)
	}
	return nil
}

func answersWithin(d time.Duration) goal {
	return func(r *row) error {
		if r.all > d {
			return fmt.Errorf("all rooms answered after %v, want %v", r.all, d)
		}
		return nil
	}
}

func longest(d time.Duration) goal {
	return func(r *row) error {
		if r.longest > d {
			return fmt.Errorf("the longest call took %v, want %v", r.longest, d)
		}
		return nil
	}
}
