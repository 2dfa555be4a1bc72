package link_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Ops of these tests.
const (
	opNote = 1000 + iota // direct
	opDouble
	opSlow
	opRefuse
	opNobody
)

// talk is two processes that talk in fake time.
type talk struct {
	*testing.T
	net  *linktest.Net
	a, b *node
}

type node struct {
	*link.Link
	notes   []string        // what opNote brought
	doubled map[uint64]int  // how often opDouble was carried out, by its argument
	slow    chan *link.Call // calls of opSlow, to be answered by the test
}

func inTalk(t *testing.T, configure func(*link.Config), f func(t *talk)) {
	synctest.Test(t, func(t *testing.T) {
		tk := &talk{T: t, net: linktest.New(1)}
		tk.a, tk.b = tk.start("a", configure), tk.start("b", configure)
		defer tk.net.Close()
		f(tk)
	})
}

func (t *talk) start(id string, configure func(*link.Config)) *node {
	n := &node{
		Link:    t.net.Add(id, "host:"+id[:1], configure),
		doubled: make(map[uint64]int), slow: make(chan *link.Call, 10),
	}
	n.Direct(opNote, func(_ link.Peer, e *wire.Envelope) { n.notes = append(n.notes, string(e.Body)) })
	n.Serve(opDouble, func(c *link.Call) {
		n.doubled[c.Seq]++
		c.Answer(&wire.Envelope{Seq: 2 * c.Seq})
	})
	n.Serve(opSlow, func(c *link.Call) { n.slow <- c })
	n.Serve(opRefuse, func(c *link.Call) { c.Fail(protocol.Errorf(protocol.CodeConflict, "not here")) })
	n.Start()
	t.Cleanup(n.Close)
	return n
}

// wait lets time pass and everything that it brings happen.
func (t *talk) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (n *node) note(text string, to *node) error {
	return n.Send(to.Self(), &wire.Envelope{Op: opNote, Body: []byte(text)})
}

func (t *talk) call(d time.Duration, op uint32, arg uint64) (*wire.Envelope, error) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return t.a.Call(ctx, t.b.Self(), &wire.Envelope{Op: op, Seq: arg})
}

func TestMessagesArriveInOrder(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		const count = 1000
		for i := range count {
			if err := t.a.note(fmt.Sprint(i), t.b); err != nil {
				t.Fatal(err)
			}
		}
		t.wait(time.Second)
		if len(t.b.notes) != count {
			t.Fatalf("%d of %d arrived", len(t.b.notes), count)
		}
		for i, got := range t.b.notes {
			if got != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, got)
			}
		}
		if p := t.a.Stats().Peers[0]; p.InFlight != 0 {
			t.Fatalf("%d not acknowledged", p.InFlight)
		}
		if s := t.b.Stats(); s.Lost != 0 || s.Received < count {
			t.Fatalf("received %d, lost %d", s.Received, s.Lost)
		}
	})
}

func TestMessageToOneself(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		if err := t.a.note("self", t.a); err != nil || len(t.a.notes) != 1 {
			t.Fatalf("%v, notes %q", err, t.a.notes)
		}
		if e, err := t.a.Call(t.Context(), t.a.Self(), &wire.Envelope{Op: opDouble, Seq: 4}); err != nil || e.Seq != 8 {
			t.Fatalf("%v, %v", e, err)
		}
	})
}

func TestWindowRefuses(t *testing.T) {
	for _, c := range []struct {
		why                   string
		window, bytes, fits   int
		size                  int
		refusedByOne, refused error
	}{
		{"by count", 16, 1 << 20, 16, 1, nil, link.ErrBusy},
		{"by bytes", 1000, 10_000, 10, 900, nil, link.ErrBusy},
		{"one message always fits", 10, 100, 1, 5000, nil, link.ErrBusy},
	} {
		t.Run(c.why, func(t *testing.T) {
			inTalk(t, func(cfg *link.Config) { cfg.Window, cfg.WindowBytes = c.window, c.bytes }, func(t *talk) {
				body := string(make([]byte, c.size))
				t.net.Cut("host:a", "host:b")
				sent := 0
				for ; sent < 100; sent++ {
					if err := t.a.note(body, t.b); err != nil {
						if !errors.Is(err, c.refused) {
							t.Fatal(err)
						}
						break
					}
				}
				if sent != c.fits {
					t.Fatalf("%d messages fit, want %d", sent, c.fits)
				}
				if t.a.Reachable(t.b.Self()) {
					t.Fatal("reachable with a full window")
				}
				t.net.Join("host:a", "host:b")
				t.wait(time.Second)
				if err := t.a.note("after", t.b); err != nil {
					t.Fatalf("the window did not open again: %v", err)
				}
				t.wait(time.Second)
				if s := t.b.Stats(); s.Lost != int64(sent) || len(t.b.notes) != 1 {
					t.Fatalf("lost %d, want %d noticed; %d arrived", s.Lost, sent, len(t.b.notes))
				}
			})
		})
	}
}

func TestBrokenConnection(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		if err := t.a.note("before", t.b); err != nil {
			t.Fatal(err)
		}
		t.wait(time.Second)
		t.net.Cut("host:a", "host:b")
		t.net.Break("host:a", "host:b")
		if err := t.a.note("while", t.b); !errors.Is(err, link.ErrDown) {
			t.Fatalf("sent into a broken connection: %v", err)
		}
		t.wait(10 * time.Second)
		if err := t.a.note("while", t.b); !errors.Is(err, link.ErrDown) {
			t.Fatalf("sent to a peer that does not answer: %v", err)
		}
		t.net.Join("host:a", "host:b")
		t.wait(2 * time.Second)
		if err := t.a.note("after", t.b); err != nil {
			t.Fatalf("not back: %v", err)
		}
		t.wait(time.Second)
		if got := fmt.Sprint(t.b.notes); got != "[before after]" {
			t.Fatalf("arrived: %v", got)
		}
	})
}

func TestCall(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		e, err := t.call(time.Second, opDouble, 21)
		if err != nil || e.Seq != 42 {
			t.Fatalf("%v, %v", e, err)
		}
		_, err = t.call(time.Second, opRefuse, 0)
		if coded, ok := errors.AsType[*protocol.Error](err); !ok || coded.Code != protocol.CodeConflict || coded.Msg != "not here" {
			t.Fatalf("refusal came as %v", err)
		}
		_, err = t.call(time.Second, opNobody, 0)
		if coded, ok := errors.AsType[*protocol.Error](err); !ok || coded.Code != protocol.CodeNoRoute {
			t.Fatalf("a call that an older node does not know came as %v", err)
		}
	})
}

// Calls survive a network that loses a third of everything, each is carried out
// once, and its answer is its own.
func TestCallsOverALossyNetwork(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		t.net.Lose(0.3)
		const count = 200
		results := make(chan error, count)
		for i := uint64(1); i <= count; i++ {
			go func() {
				e, err := t.call(20*time.Second, opDouble, i)
				if err == nil && e.Seq != 2*i {
					err = fmt.Errorf("answer %d for %d", e.Seq, i)
				}
				results <- err
			}()
		}
		for range count {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		for arg, times := range t.b.doubled {
			if times != 1 {
				t.Errorf("call %d was carried out %d times", arg, times)
			}
		}
		if s := t.b.Stats(); s.Repeated == 0 || t.a.Stats().Retries == 0 {
			t.Errorf("nothing was repeated: the test proves nothing: %+v", s)
		}
	})
}

func TestSlowCallIsNotRepeatedByItsRetries(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		done := make(chan error, 1)
		go func() {
			_, err := t.call(10*time.Second, opSlow, 0)
			done <- err
		}()
		c := <-t.b.slow
		t.wait(5 * time.Second)
		if len(t.b.slow) != 0 {
			t.Fatal("the call was handed out again while it was being carried out")
		}
		c.Answer(&wire.Envelope{})
		c.Fail(errors.New("a second answer")) // is none
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestFailedCallsSayWhatIsKnown(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		_, err := t.call(2*time.Second, opSlow, 0)
		if ce, ok := errors.AsType[*link.CallError](err); !ok || !ce.Sent || ce.Tries < 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("an unanswered call: %#v", err)
		}
		t.net.Cut("host:a", "host:b")
		t.net.Break("host:a", "host:b")
		_, err = t.call(2*time.Second, opDouble, 1)
		if ce, ok := errors.AsType[*link.CallError](err); !ok || ce.Sent || ce.Tries < 5 || !errors.Is(err, link.ErrDown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a call that could not be sent: %#v", err)
		}
		t.net.Join("host:a", "host:b")
		t.wait(2 * time.Second)
		_, answered := t.call(2*time.Second, opDouble, 2)
		_, refused := t.call(2*time.Second, opNobody, 3)
		if answered != nil || refused == nil {
			t.Fatalf("on a link that is well: %v, %v", answered, refused)
		}
		got := map[string]int64{}
		for _, c := range t.a.Stats().Ended {
			if c.N > 0 {
				got[c.Result+" "+c.Tries] = c.N
			}
		}
		want := map[string]int64{"unknown more": 1, "unsent more": 1, "answered 1": 1, "refused 1": 1}
		if !maps.Equal(got, want) {
			t.Fatalf("counted %v, want %v", got, want)
		}
	})
}

func TestCallsEndWithTheirPeer(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		done := make(chan error, 2)
		go func() {
			_, err := t.call(time.Minute, opSlow, 0)
			done <- err
		}()
		synctest.Wait()
		t.a.Members(roster.NewView([]roster.Member{{ID: "b"}, {ID: "other"}}))
		t.a.Members(roster.NewView([]roster.Member{{ID: "b"}}))
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("ended with somebody else")
		}
		start := time.Now()
		t.a.Members(roster.NewView(nil))
		if err := <-done; !errors.Is(err, link.ErrGone) || time.Since(start) > 0 {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		go func() {
			_, err := t.call(time.Minute, opSlow, 0)
			done <- err
		}()
		synctest.Wait()
		t.a.Close()
		if err := <-done; !errors.Is(err, link.ErrClosed) {
			t.Fatalf("call on a closed link: %v", err)
		}
		if err := t.a.note("", t.b); !errors.Is(err, link.ErrClosed) {
			t.Fatalf("send on a closed link: %v", err)
		}
	})
}

// What was meant for a process that crashed never reaches the next one at its
// address.
func TestRestartedPeerIsSomebodyElse(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		t.net.Delay = time.Second
		if err := t.a.note("for the first", t.b); err != nil {
			t.Fatal(err)
		}
		t.net.Remove("host:b")
		t.b.Close()
		second := t.start("b2", nil)
		t.wait(3 * time.Second)
		if err := t.a.note("for the second", second); err != nil {
			t.Fatal(err)
		}
		t.wait(3 * time.Second)
		if got := fmt.Sprint(second.notes); got != "[for the second]" {
			t.Fatalf("the second got %v", got)
		}
	})
}

func TestFullInboxRefusesCalls(t *testing.T) {
	inTalk(t, func(c *link.Config) { c.Inbox = 1 }, func(t *talk) {
		t.net.Delay = 0
		busy := 0
		results := make(chan error, 50)
		for i := range 50 {
			go func() {
				_, err := t.call(time.Second, opDouble, uint64(i))
				results <- err
			}()
		}
		for range 50 {
			if err := <-results; err != nil {
				coded, ok := errors.AsType[*protocol.Error](err)
				if !ok || coded.Code != protocol.CodeUnavailable {
					t.Fatal(err)
				}
				busy++
			}
		}
		if s := t.b.Stats(); s.Overrun != int64(busy) {
			t.Fatalf("%d refused, %d counted", busy, s.Overrun)
		}
	})
}

func TestPeersAreForgotten(t *testing.T) {
	inTalk(t, nil, func(t *talk) {
		if _, err := t.call(time.Second, opDouble, 1); err != nil {
			t.Fatal(err)
		}
		t.a.Members(roster.NewView([]roster.Member{{ID: "b"}}))
		t.wait(10 * time.Minute)
		t.a.Members(roster.NewView(nil))
		if _, err := t.call(time.Second, opDouble, 2); err != nil { // it only lost its lease
			t.Fatal(err)
		}
		t.wait(4 * time.Minute)
		if len(t.a.Stats().Peers) != 1 {
			t.Fatal("forgot a peer that may only have lost its lease")
		}
		t.wait(2 * time.Minute)
		if len(t.a.Stats().Peers) != 0 {
			t.Fatal("a peer that left stays in memory")
		}
	})
}

// "503 only when certainly nothing was carried out": a repetition that the peer is too
// busy for says nothing about the try before it.
func TestBusyRepetitionIsNoRefusal(t *testing.T) {
	inTalk(t, func(c *link.Config) { c.Inbox = 1 }, func(t *talk) {
		t.net.Delay = 0
		const handed = 10 // to the test; the next stops the peer's server, the one after fills its inbox
		results := make([]chan error, handed+3)
		for i := range results {
			results[i] = make(chan error, 1)
			go func() {
				_, err := t.call(10*time.Second, opSlow, 0)
				results[i] <- err
			}()
			t.wait(time.Millisecond)
		}
		t.wait(time.Second)
		for i, result := range results {
			select {
			case err := <-result:
				call, unknown := errors.AsType[*link.CallError](err)
				if refused := i == len(results)-1; refused == unknown || unknown && !call.Sent {
					t.Errorf("call %d: %v", i, err)
				}
			default:
				if i < handed {
					t.Errorf("call %d was not repeated", i)
				}
			}
		}
		for range handed + 2 {
			(<-t.b.slow).Answer(&wire.Envelope{})
		}
	})
}
