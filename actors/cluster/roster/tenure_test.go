package roster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// tenureTalk is a conversation with a tenure in made-up time: ten seconds of
// lease, so held for eight and renewed every second.
type tenureTalk struct {
	*testing.T
	tenure
	start, now time.Time
}

func newTenureTalk(t *testing.T) *tenureTalk {
	start := time.Unix(1000, 0)
	return &tenureTalk{T: t, tenure: tenure{ttl: 10 * time.Second}, start: start, now: start}
}

func (t *tenureTalk) at(sec float64) { t.now = t.start.Add(time.Duration(sec * float64(time.Second))) }

func (t *tenureTalk) want(why string, do task, wakeAt float64) {
	t.Helper()
	got, wake := t.next(t.now)
	if got != do {
		t.Fatalf("%s: wants to %v, want %v", why, got, do)
	}
	if at := wake.Sub(t.start).Seconds(); wakeAt >= 0 && (at < wakeAt-0.01 || at > wakeAt+0.01) {
		t.Fatalf("%s: looks again at %.2f s, want %.2f s", why, at, wakeAt)
	}
}

func (t *tenureTalk) wantHeld(why string, held bool) {
	t.Helper()
	t.next(t.now)
	if t.held != held {
		t.Fatalf("%s: held is %v", why, t.held)
	}
}

// does lets the tenure have its way: it must want do, which takes sec seconds.
func (t *tenureTalk) does(do task, sec float64, o outcome) {
	t.Helper()
	t.want("about to "+do.String(), do, -1)
	t.begin(t.now, do)
	t.now = t.now.Add(time.Duration(sec * float64(time.Second)))
	t.done(t.now, o)
}

func (t *tenureTalk) join() {
	t.Helper()
	t.does(grantLease, 0, outcome{lease: 7, ttl: 10 * time.Second})
	t.does(putRecord, 0, outcome{revision: 3})
	t.wantHeld("lease granted, record written", true)
}

var errStore = errors.New("store is away")

func TestTenureJoins(t *testing.T) {
	tt := newTenureTalk(t)
	tt.wantHeld("nothing asked yet", false)
	tt.does(grantLease, 0.3, outcome{lease: 7, ttl: 10 * time.Second})
	tt.wantHeld("the others cannot see us yet", false)
	tt.does(putRecord, 0.3, outcome{revision: 3})
	tt.wantHeld("the record is written", true)
	tt.want("nothing to do until a tenth of the lease has passed", noTask, 1)
	tt.at(1.1)
	tt.want("time to renew", renewLease, -1)
}

func TestTenureCountsFromTheSending(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.at(4)
	tt.does(renewLease, 2, outcome{ttl: 10 * time.Second})
	tt.at(11.9)
	tt.wantHeld("asked at 4 s: good until 12 s, however long the answer took", true)
	tt.at(12)
	tt.wantHeld("12 s", false)
}

func TestTenureEndsWhileRenewalIsUnderWay(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.at(4)
	tt.want("renews", renewLease, -1)
	tt.begin(tt.now, renewLease)
	tt.want("no second one beside it, and looks again when the hold ends", noTask, 8)
	tt.at(8)
	tt.wantHeld("no answer by the deadline", false)
	tt.at(13)
	tt.done(tt.now, outcome{ttl: 10 * time.Second})
	tt.wantHeld("an answer from 13 s for a question of 4 s proves nothing", false)
	tt.does(renewLease, 0, outcome{ttl: 10 * time.Second})
	tt.wantHeld("a fresh one does", true)
	if tt.lease != 7 {
		t.Fatalf("lease %d, want the same as before: nobody can have taken anything", tt.lease)
	}
}

func TestTenureRetriesFaster(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.at(4)
	tt.does(renewLease, 0, outcome{err: errStore})
	tt.want("a first failure pauses for a moment", noTask, 4.25)
	tt.at(4.25)
	tt.does(renewLease, 0, outcome{err: errStore})
	tt.want("a second for longer", noTask, 4.75)
	tt.wantHeld("still in time", true)
	tt.at(4.75)
	tt.does(renewLease, 0, outcome{ttl: 10 * time.Second})
	tt.want("an answer ends the pauses", noTask, 4.75+1)
	tt.at(100)
	for range 8 {
		tt.does(renewLease, 0, outcome{err: errStore})
		tt.now = tt.retryAt
	}
	if tt.pause() != 500*time.Millisecond {
		t.Fatalf("pause grew to %v, want no more than a twentieth of the ttl", tt.pause())
	}
}

func TestTenureLeaseEnded(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.at(4)
	tt.does(renewLease, 0, outcome{err: fmt.Errorf("renew: %w", store.ErrNoLease)})
	tt.wantHeld("what was written with it is gone", false)
	tt.does(grantLease, 0, outcome{lease: 8, ttl: 10 * time.Second})
	tt.wantHeld("not before the record is back", false)
	tt.does(putRecord, 0, outcome{revision: 9})
	tt.wantHeld("a new lease", true)
}

func TestTenureLeaseEndedBeforeItsRecordWasWritten(t *testing.T) {
	tt := newTenureTalk(t)
	tt.does(grantLease, 0, outcome{lease: 7, ttl: 10 * time.Second})
	tt.does(putRecord, 0, outcome{err: store.ErrNoLease})
	tt.want("starts over", grantLease, -1)
}

// Somebody may delete a record by hand, or end a lease because our port refused
// connections; the watch tells sooner than the next renewal.
func TestTenureRecordDeleted(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.at(1)
	tt.deleted(3)
	tt.wantHeld("what is not newer than what we wrote is about an earlier record", true)
	tt.deleted(4)
	tt.wantHeld("the lease may have ended: nothing may rely on it", false)
	tt.does(renewLease, 0, outcome{ttl: 10 * time.Second})
	tt.wantHeld("the lease lives, but the others do not see us", false)
	tt.does(putRecord, 0, outcome{revision: 12})
	tt.wantHeld("written again", true)
	if tt.lease != 7 {
		t.Fatalf("lease %d, want the same", tt.lease)
	}
}

func TestTenureWritesChanges(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.dirty = true
	tt.want("the record has changed", putRecord, -1)
	tt.begin(tt.now, putRecord)
	tt.dirty = true // again, while the first is under way
	tt.done(tt.now, outcome{revision: 4})
	tt.does(putRecord, 0, outcome{err: errStore})
	tt.wantHeld("a record that cannot be written is not the lease", true)
	tt.at(0.5)
	tt.does(putRecord, 0, outcome{revision: 5})
	tt.want("all written", noTask, 1)
}

// A store whose answers take as long as the time between renewals still gets to hear
// of the record.
func TestTenureWritesToASlowStore(t *testing.T) {
	tt := newTenureTalk(t)
	tt.does(grantLease, 2, outcome{lease: 7, ttl: 10 * time.Second})
	tt.does(putRecord, 2, outcome{revision: 3})
	tt.dirty = true
	tt.does(renewLease, 2, outcome{ttl: 10 * time.Second})
	tt.does(putRecord, 1, outcome{revision: 4})
	tt.wantHeld("renewed in time", true)
}

// The task that keeps the hold goes before the one that is only news.
func TestTenureRenewsBeforeItWrites(t *testing.T) {
	tt := newTenureTalk(t)
	tt.join()
	tt.dirty = true
	tt.at(5)
	tt.does(renewLease, 0, outcome{ttl: 10 * time.Second})
	tt.does(putRecord, 0, outcome{revision: 4})
}
