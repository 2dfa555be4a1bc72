package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// CallError says why a call has no answer, and whether it may have been carried
// out all the same.
type CallError struct {
	// Sent is false when no try left this process: the call was certainly not
	// carried out. When true, nobody knows.
	Sent  bool
	Tries int
	Err   error // of the context, or what Send last said
}

func (e *CallError) Error() string {
	if e.Sent {
		return fmt.Sprintf("no answer after %d tries: %v", e.Tries, e.Err)
	}
	return fmt.Sprintf("not sent after %d tries: %v", e.Tries, e.Err)
}

func (e *CallError) Unwrap() error { return e.Err }

// calls are the calls of this process that wait for their answers.
type calls struct {
	number  atomic.Uint64
	waiting sync.Map // number → *pending: each written once, read once
}

type pending struct {
	peer   string
	answer chan *wire.Envelope // takes one
	failed chan error          // takes one
}

// Tries of one call: repeated after 300 ms at first, 600 ms in the end; refused by
// our own window, after 10 ms at first, 300 ms in the end.
const (
	firstTry, lastTry     = 300 * time.Millisecond, 600 * time.Millisecond
	firstPause, lastPause = 10 * time.Millisecond, 300 * time.Millisecond
)

// Call sends a call until it is answered, ctx ends or the peer has left. The peer
// carries it out once, however often it arrives. An answer with a code is a
// *protocol.Error; no answer is a *CallError. It takes over e.
func (l *Link) Call(ctx context.Context, to Peer, e *wire.Envelope) (*wire.Envelope, error) {
	p := &pending{peer: to.ID, answer: make(chan *wire.Envelope, 1), failed: make(chan error, 1)}
	number := l.calls.number.Add(1)
	l.calls.waiting.Store(number, p)
	defer l.calls.waiting.Delete(number)
	l.stats.calls.Add(1)

	try, pause := firstTry, firstPause
	failed, sent := &CallError{}, 0
	for {
		wait := try
		// A try is a message of its own: the one before may still be on its way.
		failed.Tries++
		err := l.Send(to, &wire.Envelope{Op: e.Op, Call: number, Kind: e.Kind, Id: e.Id, Epoch: e.Epoch, Seq: e.Seq, Body: e.Body})
		switch {
		case err == nil:
			failed.Sent, failed.Err = true, nil
			sent++
			pause, try = firstPause, min(2*try, lastTry)
		case errors.Is(err, ErrClosed):
			failed.Err = err
			return nil, l.failed(failed)
		default:
			failed.Err = err
			if errors.Is(err, ErrDown) && l.left(to) {
				failed.Err = errors.Join(ErrGone, err)
				return nil, l.failed(failed)
			}
			wait, pause = pause, min(2*pause, lastPause)
		}
		answer, err := p.wait(ctx, wait)
		switch {
		case answer != nil && sent > 1 && notTaken(answer):
			failed.Err = errors.New(answer.Text) // that try was not; who knows about those before
			return nil, l.failed(failed)
		case answer != nil:
			return l.result(answer, failed.Tries)
		case err != nil:
			failed.Err = errors.Join(err, failed.Err)
			return nil, l.failed(failed)
		}
		l.stats.retries.Add(1)
	}
}

// left says whether a peer was seen to leave the cluster, or never seen in it.
func (l *Link) left(p Peer) bool {
	v := l.view.Load()
	_, there := v.Get(p.ID)
	return v != nil && !there
}

func (l *Link) failed(e *CallError) error {
	if e.Sent {
		l.stats.ended(callUnknown, e.Tries)
	} else {
		l.stats.ended(callUnsent, e.Tries)
	}
	return e
}

// wait waits for the answer of one try. Neither answer nor error: time for the next.
func (p *pending) wait(ctx context.Context, d time.Duration) (*wire.Envelope, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case a := <-p.answer:
		return a, nil
	case err := <-p.failed:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
		return nil, nil
	}
}

func (l *Link) result(a *wire.Envelope, tries int) (*wire.Envelope, error) {
	if a.Code == 0 {
		l.stats.ended(callAnswered, tries)
		return a, nil
	}
	l.stats.ended(callRefused, tries)
	return a, &protocol.Error{Code: protocol.Code(a.Code), Msg: a.Text}
}

// busyText marks the answer of a peer that has not looked at the call.
const busyText = "node is busy"

func notTaken(a *wire.Envelope) bool {
	return a.Code == int32(protocol.CodeUnavailable) && a.Text == busyText
}

// answered gives an answer to its call; one that nobody waits for is a repetition.
func (c *calls) answered(_ Peer, e *wire.Envelope) {
	if v, ok := c.waiting.LoadAndDelete(e.Call); ok {
		v.(*pending).answer <- e
	}
}

// failAll ends the calls to the peers that match.
func (c *calls) failAll(match func(peer string) bool, err error) {
	c.waiting.Range(func(k, v any) bool {
		if p := v.(*pending); match(p.peer) {
			c.waiting.Delete(k)
			select {
			case p.failed <- err:
			default:
			}
		}
		return true
	})
}
