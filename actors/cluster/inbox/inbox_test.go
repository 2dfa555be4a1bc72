package inbox_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/inbox"
)

func TestInboxKeepsOrderAndBound(t *testing.T) {
	b := inbox.New()
	if got := b.Take(); len(got) != 0 {
		t.Fatalf("a new inbox holds %v, want nothing", got)
	}
	for i := range 3 {
		if took := b.Put(i, 2); took != (i < 2) {
			t.Errorf("message %d with room for two is taken: %v", i, took)
		}
	}
	if !b.Put("own", 0) {
		t.Error("without a limit an inbox refuses")
	}
	if got := b.Take(); !slices.Equal(got, []any{0, 1, "own"}) {
		t.Errorf("took %v, want what was accepted in its order", got)
	}
	if !b.Put("later", 2) {
		t.Error("an emptied inbox is full")
	}
}

// A reader that takes only when it is woken gets everything, whoever races it.
func TestNothingIsLeftWithoutAWake(t *testing.T) {
	const senders, each = 4, 500
	b := inbox.New()
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				b.Put([2]int{s, i}, 0)
			}
		})
	}
	var next [senders]int
	for got := 0; got < senders*each; {
		<-b.Wake()
		for _, m := range b.Take() {
			m := m.([2]int)
			if m[1] != next[m[0]] {
				t.Fatalf("sender %d: message %d came in place of %d", m[0], m[1], next[m[0]])
			}
			next[m[0]]++
			got++
		}
	}
	all.Wait()
}
