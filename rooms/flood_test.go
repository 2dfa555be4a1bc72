package rooms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/rooms"
)

// stuckKind is a game whose rooms can be held up until their mailbox is full.
func stuckKind(hold *chan struct{}, ticks *int) rooms.Kind {
	return countKind(
		rooms.OnNotify("hold", func(*count, *rooms.Ctx, *rooms.Member, *rooms.Anything) { <-*hold }),
		rooms.OnTick(time.Second, func(*count, *rooms.Ctx) { *ticks++ }),
	).Mailbox(4)
}

// fill holds a room up and has more said to it than its mailbox takes.
func fill(p *actorstest.Probe) {
	p.Notify("count.hold", `{}`)
	for range 10 {
		synctest.Wait()
		time.Sleep(10 * time.Millisecond)
		p.Notify("count.next", `{}`)
	}
	synctest.Wait()
	time.Sleep(10 * time.Millisecond)
}

// What a room must hear gets through a mailbox that was full when it was said: a node
// has left (else its sessions stay as ghosts), and it is time for the next tick (else
// none ever comes again).
func TestFullMailboxHearsOfTheEndOfAGate(t *testing.T) {
	var hold chan struct{}
	ticks := 0
	inTown(t, "g1 g2 b", []rooms.Kind{stuckKind(&hold, &ticks)}, func(t *town) {
		hold = make(chan struct{}) // of this bubble
		ann := t.nodes["g1"].counter("x")
		t.nodes["g2"].counter("x")
		t.nodes["g2"].counter("x")
		if fill(ann); t.nodes["b"].app.Stats().MailboxRefused == 0 {
			t.Fatal("the mailbox is not full")
		}
		t.nodes["g2"].kill()
		time.Sleep(15 * time.Second)
		synctest.Wait()
		ticks = 0
		close(hold)
		time.Sleep(10500 * time.Millisecond)
		synctest.Wait()
		if n := t.members(); n != 1 {
			t.Errorf("%d members, want one: the others' gate is gone", n)
		}
		if ticks < 10 {
			t.Errorf("%d ticks in ten seconds", ticks)
		}
	})
}
