package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// office is a conversation with the deeds of node "a". Lines of what it wants done
// read as effects do.
type office struct {
	*testing.T
	*deeds
}

func newOffice(t *testing.T) *office {
	o := &office{t, newDeeds("a", func(kind string) bool { return kind == "room" })}
	o.standing(true, 5)
	return o
}

var (
	one      = Key{"room", "1"}
	two      = Key{"room", "2"}
	errStore = errors.New("store is away")
)

func (e effect) String() string {
	s := e.do.String()
	switch e.do {
	case answer:
		switch r := e.reply; {
		case r.refusal != 0:
			return fmt.Sprintf("answer %v: %v", e.ask, r.refusal)
		case r.elsewhere.Node != "":
			return fmt.Sprintf("answer %v: on %s@%d", e.ask, r.elsewhere.Node, r.elsewhere.Epoch)
		default:
			return fmt.Sprintf("answer %v: here@%d", e.ask, r.epoch)
		}
	case create:
		s += fmt.Sprintf(" %s lease %d", e.key, e.lease)
	case resume:
		s += fmt.Sprintf(" %s@%d as @%d", e.key, e.epoch, e.next)
	case drained:
	case stop:
		s += fmt.Sprintf(" %s@%d %s", e.key, e.epoch, [...]string{"", "idle", "drain", "lost"}[e.why])
	default:
		s += fmt.Sprintf(" %s@%d", e.key, e.epoch)
	}
	if e.again {
		s += " again"
	}
	return s
}

// wants checks what is to be done now, in any order.
func (o *office) wants(why string, lines ...string) {
	o.Helper()
	got := make([]string, 0, len(o.out))
	for _, e := range o.out {
		got = append(got, e.String())
	}
	o.out = nil
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		o.Fatalf("%s:\n got  %s\n want %s", why, strings.Join(got, "; "), strings.Join(lines, "; "))
	}
}

func rec(node string, epoch uint64, lease store.Lease) store.Record {
	return store.Record{Key: "k", Value: claim(node, "host:"+node), Epoch: epoch, Lease: lease}
}

// runs brings a room to life here.
func (o *office) runs(key Key, epoch uint64, lease store.Lease) {
	o.Helper()
	o.want(key, "setup")
	o.created(key, lease, rec("a", epoch, lease), nil)
	o.out = nil
	if r := o.rooms[key]; r == nil || r.phase != active {
		o.Fatalf("setup: %+v", r)
	}
}

func TestFirstAskActivates(t *testing.T) {
	o := newOffice(t)
	o.want(one, "x")
	o.wants("nobody may have it: ask the store", "create room/1 lease 5")
	o.want(one, "y")
	o.wants("one question is enough")
	o.created(one, 5, rec("a", 7, 5), nil)
	o.wants("it is ours", "start room/1@7", "answer x: here@7", "answer y: here@7")
	o.want(one, "z")
	o.wants("known from now on", "answer z: here@7")
}

func TestAnotherWasFirst(t *testing.T) {
	o := newOffice(t)
	o.want(one, "x")
	o.out = nil
	o.created(one, 5, rec("b", 6, 9), nil)
	o.wants("the store says who", "answer x: on b@6")
	o.want(one, "y")
	o.wants("and is asked again: b may be gone by then", "create room/1 lease 5")
}

func TestRefusals(t *testing.T) {
	o := newOffice(t)
	o.want(Key{"arena", "1"}, "x")
	o.wants("not our kind", "answer x: node does not run this kind of room")
	o.standing(false, 5)
	o.want(one, "x")
	o.wants("no lease, no room", "answer x: node is not sure of its lease")
	o.standing(true, 5)
	o.drain()
	o.wants("nothing to give up", "drained")
	o.want(one, "x")
	o.wants("on the way out", "answer x: node is leaving")
}

// After an error nobody knows whether the key was written; the next answer tells,
// and a key that carries our name and our lease is ours whoever created it.
func TestUnknownOutcomeIsAskedAgain(t *testing.T) {
	o := newOffice(t)
	o.want(one, "x")
	o.out = nil
	o.created(one, 5, store.Record{}, errStore)
	o.wants("asked again", "create room/1 lease 5 again")
	o.created(one, 5, rec("a", 7, 5), nil)
	o.wants("our own, from the first time", "start room/1@7", "answer x: here@7")
}

func TestLeftoverOfAnEarlierLease(t *testing.T) {
	o := newOffice(t)
	o.want(one, "x")
	o.out = nil
	o.created(one, 5, rec("a", 3, 4), nil)
	o.wants("about to go with its lease", "create room/1 lease 5 again")
}

func TestRoomEndsByItself(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.stopped(one, 6)
	o.wants("news of an earlier activation")
	o.stopped(one, 7)
	o.wants("its key is released", "remove room/1@7")
	o.want(one, "x")
	o.wants("who asks meanwhile waits: the key is still there")
	o.removed(one, 7, errStore)
	o.wants("until it is certain", "remove room/1@7 again")
	o.removed(one, 7, nil)
	o.wants("then it begins anew", "create room/1 lease 5")
}

func TestIdleRoom(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.retire(one, 6)
	o.wants("news of an earlier activation")
	o.retire(one, 7)
	o.wants("asked to stop", "stop room/1@7 idle")
	o.want(one, "x")
	o.wants("waits for what comes of it")
	o.stayed(one, 7)
	o.wants("somebody came in time", "answer x: here@7")
	o.retire(one, 7)
	o.stopped(one, 7)
	o.removed(one, 7, nil)
	o.wants("nobody came", "stop room/1@7 idle", "remove room/1@7")
	if len(o.rooms) != 0 {
		t.Fatalf("not forgotten: %v", o.rooms)
	}
}

func TestSuspendedAndResumed(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(false, 5)
	o.wants("not sure any more", "suspend room/1@7")
	o.want(one, "x")
	o.wants("answers nothing", "answer x: node is not sure of its lease")
	o.standing(false, 5)
	o.wants("no news")
	o.standing(true, 5)
	o.wants("the lease lived on: nobody can have had it", "resume room/1@7 as @7")
	o.want(one, "x")
	o.wants("as before", "answer x: here@7")
}

func TestReclaimed(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(false, 0)
	o.standing(true, 6)
	o.wants("the lease had ended: claim anew", "suspend room/1@7", "create room/1 lease 6")
	o.want(one, "x")
	o.wants("waits")
	o.created(one, 6, rec("a", 20, 6), nil)
	o.wants("nobody wanted it meanwhile", "resume room/1@7 as @20", "answer x: here@20")
	o.stopped(one, 20)
	o.wants("the new epoch is the one that counts", "remove room/1@20")
}

// The roster may tell of a loss and a new lease in one breath.
func TestLeaseReplacedAtOnce(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(true, 6)
	o.wants("what was under the old lease is not ours", "suspend room/1@7", "create room/1 lease 6")
}

func TestRunsElsewhereByNow(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(true, 6)
	o.want(one, "x")
	o.out = nil
	o.created(one, 6, rec("b", 9, 3), nil)
	o.wants("give it up, without saving", "answer x: on b@9", "stop room/1@7 lost")
	o.want(one, "y")
	o.stayed(one, 7)
	o.wants("it may not stay")
	o.stopped(one, 7)
	o.wants("nothing to release; who asked meanwhile is told by the store", "create room/1 lease 6")
}

func TestStoreGoesAwayAgainWhileReclaiming(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(true, 6)
	o.want(one, "x")
	o.out = nil
	o.created(one, 6, store.Record{}, errStore)
	o.wants("asked again", "create room/1 lease 6 again")
	o.standing(false, 6)
	o.wants("already suspended")
	o.created(one, 6, rec("a", 20, 6), nil)
	o.wants("a key that may have ended since proves nothing", "answer x: node is not sure of its lease")
	o.standing(true, 6)
	o.wants("claim it: ours is recognised", "create room/1 lease 6")
	o.created(one, 6, rec("a", 20, 6), nil)
	o.wants("back", "resume room/1@7 as @20")
}

func TestSecondLeaseEndsWhileReclaiming(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(true, 6)
	o.standing(true, 8)
	o.out = nil
	o.created(one, 6, store.Record{}, store.ErrNoLease)
	o.wants("by the next lease, at once", "create room/1 lease 8")
}

func TestRoomEndsWhileReclaiming(t *testing.T) {
	for _, c := range []struct {
		why  string
		rec  store.Record
		err  error
		want []string
	}{
		{"created: release it", rec("a", 20, 6), nil, []string{"remove room/1@20"}},
		{"another's: nothing to do", rec("b", 9, 3), nil, nil},
		{"no lease: nothing to do", store.Record{}, store.ErrNoLease, nil},
	} {
		o := newOffice(t)
		o.runs(one, 7, 5)
		o.standing(true, 6)
		o.stopped(one, 7)
		o.out = nil
		o.created(one, 6, c.rec, c.err)
		o.wants(c.why, c.want...)
	}
}

func TestLeaseEndsWhileClaiming(t *testing.T) {
	o := newOffice(t)
	o.want(one, "x")
	o.out = nil
	o.standing(false, 5)
	o.created(one, 5, rec("a", 7, 5), nil)
	o.wants("never started", "answer x: node is not sure of its lease")
	if len(o.rooms) != 0 {
		t.Fatalf("kept: %v", o.rooms)
	}
	o.standing(true, 5)
	o.want(one, "y")
	o.created(one, 5, rec("a", 7, 5), nil)
	o.wants("the orphan key is recognised", "create room/1 lease 5", "start room/1@7", "answer y: here@7")
}

// A room that has been told to stop answers until it has stopped.
func TestStoppingRoomPausesToo(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.retire(one, 7)
	o.out = nil
	o.standing(false, 5)
	o.wants("not sure any more", "suspend room/1@7")
	o.standing(true, 5)
	o.wants("sure again", "resume room/1@7 as @7")
	o.standing(true, 6)
	o.wants("paused for the rest of its time", "suspend room/1@7")
	o.stopped(one, 7)
	o.wants("which ends", "remove room/1@7")
}

func TestIdleRoomStaysWithoutALease(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.retire(one, 7)
	o.want(one, "x")
	o.standing(false, 5)
	o.out = nil
	o.stayed(one, 7)
	o.wants("it stays, and pauses", "answer x: node is not sure of its lease")
	o.standing(true, 5)
	o.wants("and goes on", "resume room/1@7 as @7")
	o.retire(one, 7)
	o.standing(true, 6)
	o.out = nil
	o.stayed(one, 7)
	o.wants("with another lease it is claimed first", "create room/1 lease 6")
}

func TestDrain(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.runs(two, 8, 5)
	o.want(Key{"room", "3"}, "x")
	o.out = nil
	o.drain()
	o.drain()
	o.wants("all at once", "stop room/1@7 drain", "stop room/2@8 drain")
	o.created(Key{"room", "3"}, 5, rec("a", 9, 5), nil)
	o.wants("what was on its way is given back, not started", "remove room/3@9")
	o.stayed(one, 7)
	o.wants("staying is no choice", "stop room/1@7 drain")
	o.want(one, "y")
	o.wants("waits until it may run elsewhere")
	o.stopped(one, 7)
	o.stopped(two, 8)
	o.removed(one, 7, nil)
	o.wants("go and ask another", "remove room/1@7", "remove room/2@8", "answer y: node is leaving")
	o.removed(Key{"room", "3"}, 9, nil)
	o.wants("and so may the third", "answer x: node is leaving")
	o.removed(two, 8, nil)
	o.wants("the last one", "drained")
}

// A room that has not been told to stop answers: a drain is no outage.
func TestDrainGoesBySteps(t *testing.T) {
	o := newOffice(t)
	o.width = 2
	rooms := []Key{one, two, {"room", "3"}, {"room", "4"}, {"room", "5"}}
	for i, key := range rooms {
		o.runs(key, uint64(i+1), 5)
	}
	told := func(why string, want int) (keys []Key) {
		o.Helper()
		for _, e := range o.out {
			if e.do == stop {
				keys = append(keys, e.key)
			}
		}
		if len(keys) != want {
			o.Fatalf("%s: %d rooms are told to stop, want %d: %v", why, len(keys), want, o.out)
		}
		o.out = nil
		return keys
	}
	o.drain()
	first := told("two at a time", 2)
	for i, key := range rooms {
		if !slices.Contains(first, key) {
			o.want(key, "x")
			o.wants("the others answer", fmt.Sprintf("answer x: here@%d", i+1))
		}
	}
	o.stopped(first[0], o.rooms[first[0]].epoch)
	told("its key is still ours", 0)
	o.removed(first[0], o.rooms[first[0]].epoch, nil)
	second := told("one has gone", 1)
	o.standing(false, 5)
	o.standing(true, 6)
	o.out = nil
	for key, r := range o.rooms {
		if r.phase == reclaiming {
			o.created(key, 6, rec("a", 20, 6), nil)
		}
	}
	told("what comes back under another lease waits its turn", 0)
	for _, key := range []Key{first[1], second[0]} {
		epoch := o.rooms[key].epoch
		o.stopped(key, epoch)
		o.removed(key, epoch, nil)
	}
	for _, key := range told("the last two", 2) {
		o.stopped(key, 20)
		o.removed(key, 20, nil)
	}
	if last := o.out[len(o.out)-1]; last.do != drained || o.leaving != 0 {
		o.Fatalf("ends with %v, %d still counted", last, o.leaving)
	}
}

func TestDrainWithoutALease(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(false, 5)
	o.out = nil
	o.drain()
	o.wants("paused rooms too", "stop room/1@7 drain")
	o.stopped(one, 7)
	o.removed(one, 7, nil)
	o.wants("released, for all we know", "remove room/1@7", "drained")
}

// What is drained while it is claimed anew must be resumed to be saved.
func TestDrainWhileReclaiming(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(true, 6)
	o.out = nil
	o.drain()
	o.wants("wait for the store")
	o.created(one, 6, rec("a", 20, 6), nil)
	o.wants("ours once more, to be saved", "resume room/1@7 as @20", "stop room/1@20 drain")
}

func TestStaleNews(t *testing.T) {
	o := newOffice(t)
	o.created(one, 5, rec("a", 7, 5), nil)
	o.removed(one, 7, nil)
	o.stopped(one, 7)
	o.stayed(one, 7)
	o.retire(one, 7)
	o.wants("about rooms that are not here")
	o.runs(one, 7, 5)
	o.created(one, 5, rec("b", 9, 3), nil)
	o.removed(one, 7, nil)
	o.stayed(one, 7)
	o.wants("about what was not asked")
}

// A drain that meets a room while its key is being created anew stops it also when
// that does not come about: else it would wait for the store to come back.
func TestDrainWhenReclaimingFails(t *testing.T) {
	o := newOffice(t)
	o.runs(one, 7, 5)
	o.standing(false, 0)
	o.wants("not sure", "suspend room/1@7")
	o.standing(true, 6)
	o.wants("another lease", "create room/1 lease 6")
	o.drain()
	o.wants("nothing can be stopped at the moment")
	o.standing(false, 0)
	o.created(one, 6, store.Record{}, errStore)
	o.wants("the claim came to nothing", "stop room/1@7 drain")
	o.stopped(one, 7)
	o.wants("its key may be there", "remove room/1@7")
	o.removed(one, 7, nil)
	o.wants("all is given up", "drained")
}
