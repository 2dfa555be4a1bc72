package actorstest

import (
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// TextProbe is a client of a text endpoint in memory. Its methods fail the test;
// the first argument of those that expect something is the failure message. Use it
// from the test's goroutine.
type TextProbe struct {
	*Wire
	Session *actors.Session

	t testing.TB
}

// OpenText connects a text probe that talks as c says.
func OpenText(t testing.TB, a *actors.App, c actors.Codec) *TextProbe {
	t.Helper()
	w := NewWire()
	w.text = true
	s := a.OpenText(w, c)
	if s == nil {
		t.Fatal("the application opens no session")
	}
	w.open(s)
	t.Cleanup(w.Drop)
	return &TextProbe{Wire: w, Session: s, t: t}
}

// Say sends one text message.
func (p *TextProbe) Say(text string) {
	p.session.Packet(protocol.Packet{Type: protocol.Data, Body: []byte(text)}, nil)
	p.session.Batch()
}

// Want fails unless the next message is this one.
func (p *TextProbe) Want(what, text string) {
	p.t.Helper()
	if got, ok := p.next(patience); !ok || got != text {
		p.t.Fatalf("%s: got %q (%v, closed: %v), want %q", what, got, ok, p.reason(), text)
	}
}

// WantIdle fails when anything waits to be read.
func (p *TextProbe) WantIdle(what string) {
	p.t.Helper()
	if got, ok := p.next(50 * time.Millisecond); ok {
		p.t.Fatalf("%s: got %q", what, got)
	}
}

// WantClosed fails unless the session ends with this reason, whatever is said
// before.
func (p *TextProbe) WantClosed(what string, why protocol.Reason) {
	p.t.Helper()
	for {
		if _, ok := p.next(patience); !ok {
			break
		}
	}
	if got := p.reason(); got != why {
		p.t.Fatalf("%s: closed with %v, want %v", what, got, why)
	}
}

func (p *TextProbe) next(d time.Duration) (text string, ok bool) {
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	for {
		if text, ok, closed := p.take(); ok || closed {
			return text, ok
		}
		select {
		case <-p.arrived:
		case <-deadline.C:
			return "", false
		}
	}
}

func (p *TextProbe) take() (text string, ok, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.texts) == 0 {
		return "", false, p.closed
	}
	text, p.texts = p.texts[0], p.texts[1:]
	return text, true, false
}

func (p *TextProbe) reason() protocol.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}
