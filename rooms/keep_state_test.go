package rooms

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A thousand random runs of saves that fail, hang and succeed, beside what a room
// that counts by hand would know: nothing is held without a save to come, nothing is
// said before it is saved, and every rule is kept to.
func TestSaves(t *testing.T) {
	for seed := range uint64(1000) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { randomSaves(t, seed) })
	}
}

func randomSaves(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 5))
	rule := []saveRule{{every: 1}, {every: 5}, {after: time.Second}, {every: 7, after: 2 * time.Second}, {}}[r.IntN(5)]
	s := saves{rule: rule}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var (
		done, stored, under uint64             // operations; in the store; of the save under way
		at                  = []time.Time{now} // of each operation
		began               time.Time
		failed              bool
	)
	for range 300 {
		switch n := r.IntN(10); {
		case n < 5:
			done++
			at = append(at, now)
			s.handled(now, done)
		case n < 8 && s.saving:
			if r.IntN(3) == 0 {
				s.fail(began, r.Float64())
				failed = true
				break
			}
			s.succeed()
			stored, failed = under, false
		default:
			now = now.Add(time.Duration(r.IntN(1500)) * time.Millisecond)
		}
		due, next := s.due(now, done)
		oldest := time.Duration(-1)
		if stored < done {
			oldest = now.Sub(at[stored+1])
		}
		switch {
		case s.saving || stored == done:
			if due {
				t.Fatalf("a save though one is under way (%v) or nothing is to be saved", s.saving)
			}
		case !due && next.IsZero() && (failed || rule.after > 0 || rule.every > 0 && done-stored >= uint64(rule.every)):
			t.Fatalf("%d operations wait, failed %v, and nobody looks again", done-stored, failed)
		case !due && !next.IsZero() && !next.After(now):
			t.Fatal("it is to look again at a time that has come")
		case due && !failed && (rule.every == 0 || done-stored < uint64(rule.every)) && (rule.after == 0 || oldest < rule.after):
			t.Fatalf("saved too early: %d operations, %v", done-stored, oldest)
		}
		if holds := s.holds(done); holds != (rule.every == 1 && stored != done) {
			t.Fatalf("holds %v with %d of %d saved", holds, stored, done)
		}
		if s.stalled(now) && oldest < saveStall {
			t.Fatalf("it stands still after %v", oldest)
		}
		if due {
			seq := s.seq
			if n, ok := s.begin(done, fmt.Append(nil, done)); !ok || n != seq+1 {
				t.Fatalf("save %d after %d, %v", n, seq, ok)
			}
			under, began = done, now
		}
	}
}

// A room that cannot be saved tries less and less often, and never gives up.
func TestSavePauses(t *testing.T) {
	s := saves{rule: saveRule{every: 1}}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	s.handled(now, 1)
	for i, want := range []int64{200, 400, 800, 1000, 1000} {
		s.begin(1, []byte("x"))
		s.fail(now, 1)
		if _, next := s.due(now, 1); next.Sub(now).Milliseconds() != want {
			t.Fatalf("pause %d is %v", i, next.Sub(now))
		}
		now = s.again
	}
	s.begin(1, []byte("x"))
	s.succeed()
	s.handled(now, 2)
	s.begin(2, []byte("y"))
	s.fail(now, 0)
	if pause := s.again.Sub(now); pause != firstSavePause/2 {
		t.Fatalf("after a success the first pause is %v", pause)
	}
}
