package actors_test

import (
	"bytes"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

// nullWire takes everything and signals each write.
type nullWire struct{ wrote chan struct{} }

func (w *nullWire) Write([]byte) {
	select {
	case w.wrote <- struct{}{}:
	default:
	}
}
func (*nullWire) WriteFrame(protocol.Frame)  {}
func (*nullWire) WriteText([]byte)           {}
func (*nullWire) Close(protocol.Reason)      {}
func (*nullWire) Done(int, int)              {}
func (*nullWire) Timer(time.Time)            {}
func (*nullWire) Resume()                    {}
func (*nullWire) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }
func (*nullWire) IsText() bool               { return false }

// working returns a session that has shaken hands.
func working(tb testing.TB, a *actors.App) (*actors.Session, *nullWire) {
	w := &nullWire{wrote: make(chan struct{}, 1)}
	s := a.Open(w)
	s.Packet(protocol.Packet{Type: protocol.Handshake}, nil)
	s.Batch()
	<-w.wrote
	s.Packet(protocol.Packet{Type: protocol.HandshakeAck}, nil)
	s.Batch()
	<-w.wrote
	return s, w
}

// No allocation from the transport to the handler and back, for a raw route.
func TestInboundAllocatesNothing(t *testing.T) {
	a := newApp(t, actors.Config{Rate: -1, ByteRate: -1})
	s, w := working(t, a)
	body, err := protocol.AppendMessage(nil, protocol.Message{Type: protocol.Request, ID: 1, Route: "t.echo", Body: []byte(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	c := protocol.NewChunk()
	defer c.Release()
	p := protocol.Packet{Type: protocol.Data, Body: c.Bytes()[:copy(c.Bytes(), body)]}
	n := testing.AllocsPerRun(2000, func() {
		c.Retain()
		s.Packet(p, c)
		s.Batch()
		<-w.wrote
	})
	if n != 0 && !raceEnabled {
		t.Errorf("%v allocations per request, want 0", n)
	}
}

// BenchmarkRequest is the cost of the framework per request, without a socket: from
// the packet to the answer's bytes.
func BenchmarkRequest(b *testing.B) {
	pass := func(p *actors.Pipeline) {
		p.Inbound.PushBack(func(*actors.Ctx, *actors.Inbound) error { return nil })
		p.Outbound.PushBack(func(*actors.Outgoing) error { return nil })
	}
	for _, bench := range []struct {
		name, route string
		stages      func(*actors.Pipeline)
	}{
		{"raw", "t.echo", nil}, {"typed", "t.add", nil}, {"typed-inline", "t.inline", nil},
		{"component-raw", "lobby.echo", nil}, {"component-typed", "lobby.joinRoom", nil}, {"component-serial", "tally.bump", nil},
		{"raw-inline", "t.bytes", nil}, {"component-raw-inline", "inline.Echo", nil}, {"component-typed-inline", "inline.JoinRoom", nil},
		{"blocking", "t.blocking", nil}, {"raw-staged", "t.echo", pass}, {"typed-staged", "t.add", pass},
	} {
		b.Run(bench.name, func(b *testing.B) {
			a := actors.New(actors.Config{Rate: -1, ByteRate: -1})
			defer a.Close()
			if bench.stages != nil {
				bench.stages(a.Pipeline())
			}
			add := func(_ *actors.Ctx, v *value) (*value, error) { return v, nil }
			actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil })
			actors.Handle(a, "t.add", add)
			actors.Handle(a, "t.inline", add, actors.Inline())
			actors.Handle(a, "t.blocking", add, actors.Blocking())
			a.Component(&Lobby{tell: func(string) {}}, actors.LowerFirst)
			a.Component(&Tally{}, actors.LowerFirst, actors.Serial)
			actors.HandleRaw(a, "t.bytes", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil }, actors.Inline())
			a.Component(&Lobby{tell: func(string) {}}, actors.Named("inline"), actors.EachRoute(actors.Inline()))
			if err := a.Start(); err != nil {
				b.Fatal(err)
			}
			s, w := working(b, a)
			body, _ := protocol.AppendMessage(nil, protocol.Message{Type: protocol.Request, ID: 1, Route: bench.route, Body: []byte(`{"n":1}`)})
			b.ReportAllocs()
			for b.Loop() {
				s.Packet(protocol.Packet{Type: protocol.Data, Body: body}, nil)
				s.Batch()
				<-w.wrote
			}
		})
	}
}

// An idle session costs less than 750 bytes, its actor and registry entry included.
func TestMemoryOfIdleSession(t *testing.T) {
	a := newApp(t, actors.Config{})
	const n = 50_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := &nullWire{wrote: make(chan struct{}, 1)}
	for range n {
		a.Open(w)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n
	t.Logf("%d bytes per idle session", each)
	if each > 750 && !raceEnabled {
		t.Errorf("%d bytes per idle session, want at most 750", each)
	}
	runtime.KeepAlive(a)
}
