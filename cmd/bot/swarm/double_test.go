package swarm

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// double is a chat server that keeps its own account of what it does to whom:
// a plan says, for every delivery, how often it is made and whether it waits
// until after the next one.
type double struct {
	url  string
	plan func(member, delivery int) fate

	welcome string // answer to the handshake, when it is another than the usual one

	mu       sync.Mutex     // guards all below
	away     string         // pushed to each guest behind its second echo: go away
	hellos   []string       // handshakes as they came
	http     []string       // bodies of HTTP requests
	codes    map[uint16]int // compressed routes of requests
	rooms    map[string][]*guest
	requests int
	stallAt  int // the request at which the whole server stands still for a second
	tally    truth
}

// fate is what happens to one delivery.
type fate struct {
	copies int
	late   bool // sent behind the next delivery to this member
}

// truth is what a result is compared with.
type truth struct{ owed, received, duplicated, outOfOrder int64 }

// guest is one connection to the double.
type guest struct {
	double     *double
	conn       *transport.Conn
	number     int
	deliveries int
	echoes     int
	held       [][]byte          // late ones
	tops       map[uint32]uint32 // highest position sent, by sender
}

func newDouble(t *testing.T, plan func(member, delivery int) fate) *double {
	t.Helper()
	return newDoubleWith(t, plan, transport.Config{})
}

func newDoubleWith(t *testing.T, plan func(member, delivery int) fate, cfg transport.Config) *double {
	t.Helper()
	d := &double{plan: plan, rooms: make(map[string][]*guest), codes: make(map[uint16]int)}
	cfg.Loops = 1
	cfg.Open = func(c *transport.Conn) transport.Receiver {
		return &guest{double: d, conn: c, tops: make(map[uint32]uint32)}
	}
	cfg.HTTP = http.HandlerFunc(d.push)
	s, err := transport.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx) // a bot that died left connections behind
	})
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.url = "ws://" + addr.String() + "/"
	return d
}

func (g *guest) sendAway() {
	g.double.mu.Lock()
	away := g.double.away
	g.double.mu.Unlock()
	if away != "" {
		g.conn.Write(appendMessage(protocol.AppendHeadroom(nil), protocol.Message{Type: protocol.Push, Route: protocol.AwayRoute, Body: []byte(away)}))
	}
}

// came is how many handshakes there were.
func (d *double) came() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.hellos)
}

// greet sets the answer to handshakes.
func (d *double) greet(welcome string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.welcome = welcome
}

// Batch implements transport.Receiver.
func (g *guest) Batch() {}

// Packet implements transport.Receiver.
func (g *guest) Packet(p protocol.Packet, c *protocol.Chunk) {
	switch {
	case g.conn.IsText():
		g.text(p.Body)
	case p.Type == protocol.Handshake:
		g.double.mu.Lock()
		g.double.hellos = append(g.double.hellos, string(p.Body))
		welcome := cmp.Or(g.double.welcome, `{"code":200,"sys":{}}`)
		g.double.mu.Unlock()
		g.conn.Write(protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Handshake, []byte(welcome)))
	case p.Type == protocol.Heartbeat:
		g.conn.Write(protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Heartbeat, nil))
	case p.Type == protocol.Data:
		g.message(p.Body)
	}
	g.conn.Done(1, len(p.Body))
	if c != nil {
		c.Release()
	}
}

func (g *guest) message(b []byte) {
	m, err := protocol.ParseMessage(b, doubleRoutes)
	if m.Code != 0 {
		g.double.mu.Lock()
		g.double.codes[m.Code]++
		g.double.mu.Unlock()
	}
	if err != nil {
		g.conn.Close(protocol.ReasonProtocol)
		return
	}
	switch {
	case m.Route == "room.echo":
		g.double.holdUp()
		g.answer(m.ID, m.Body)
		if g.echoes++; g.echoes == 2 {
			g.sendAway()
		}
	case m.Route == "room.join":
		g.answer(m.ID, []byte(`{"code":0,"result":"success"}`))
		g.double.join(string(m.Body), g)
	case m.Route == "room.message":
		g.double.publish(g, bytes.Clone(m.Body))
	}
}

// doubleRoutes is the dictionary of a double that offers one.
var doubleRoutes, _ = protocol.NewRoutes(nil, map[string]uint16{"room.echo": 7})

// text plays a JSON text endpoint with one room.
func (g *guest) text(b []byte) {
	switch {
	case bytes.Contains(b, []byte(`"PING"`)):
		g.conn.WriteText([]byte(`{"type":"PONG","data":{}}`))
	case bytes.Contains(b, []byte(`"JOIN"`)):
		g.double.join("text", g)
	case bytes.Contains(b, []byte(`"SEND"`)):
		g.double.publish(g, bytes.Clone(b))
	}
}

// push plays a push API: what comes goes to everyone in every room.
func (d *double) push(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("X-Key") != "k" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.http = append(d.http, r.Header.Get("Content-Type")+" "+string(body))
	for _, members := range d.rooms {
		for _, m := range members {
			m.deliver(body)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (g *guest) answer(id uint64, body []byte) {
	g.conn.Write(appendMessage(protocol.AppendHeadroom(nil), protocol.Message{Type: protocol.Response, ID: id, Body: body}))
}

// holdUp stalls the whole server once: it has one loop.
func (d *double) holdUp() {
	d.mu.Lock()
	d.requests++
	stalled := d.requests == d.stallAt
	d.mu.Unlock()
	if stalled {
		<-time.After(time.Second)
	}
}

func (d *double) join(room string, g *guest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g.number = len(d.rooms[room])
	d.rooms[room] = append(d.rooms[room], g)
}

// publish gives a message to everyone in the room of g, as fate wants it.
func (d *double) publish(g *guest, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, members := range d.rooms {
		for _, m := range members {
			if m == g {
				for _, to := range members {
					to.deliver(body)
				}
				return
			}
		}
	}
}

// deliver hands over one message and writes down what the bot must find.
func (g *guest) deliver(body []byte) {
	f := g.double.plan(g.number, g.deliveries)
	g.deliveries++
	tally := &g.double.tally
	tally.owed++
	if f.copies > 0 {
		tally.received++
		tally.duplicated += int64(f.copies - 1)
	}
	waiting := g.held
	g.held = nil
	for range f.copies {
		if f.late {
			g.held = append(g.held, body)
		} else {
			g.push(body)
		}
	}
	for _, b := range waiting {
		g.push(b)
	}
}

func (g *guest) push(body []byte) {
	if mark, _, ok := measure.CutMark(body); ok {
		switch top, seen := g.tops[mark.Sender]; {
		case !seen || mark.Seq > top:
			g.tops[mark.Sender] = mark.Seq
		case mark.Seq < top:
			g.double.tally.outOfOrder++
		}
	}
	if g.conn.IsText() {
		g.conn.WriteText(append([]byte(`{"type":"PUSH","data":`), append(body, '}')...))
		return
	}
	g.conn.Write(appendMessage(protocol.AppendHeadroom(nil), protocol.Message{Type: protocol.Push, Route: "onMessage", Body: body}))
}

// Tick implements transport.Receiver.
func (g *guest) Tick(time.Time) {}

// Reply implements transport.Receiver.
func (g *guest) Reply(any) {}

// Closed implements transport.Receiver. What is still held was never sent.
func (g *guest) Closed(protocol.Reason, error) {}

// run runs the bot against the double.
func (d *double) run(t *testing.T, cfg Config) *report.Result {
	t.Helper()
	if cfg.Addr == nil {
		cfg.Addr = []string{d.url}
	}
	cfg.Seed = 1
	cfg.Settle, cfg.Grace = 20*time.Millisecond, 400*time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rep, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// The double cannot send late what is followed by nothing: what it still holds
// at the end is lost, and it says so.
func (d *double) settle() truth {
	d.mu.Lock()
	defer d.mu.Unlock()
	sum := d.tally
	for _, members := range d.rooms {
		for _, g := range members {
			if len(g.held) > 0 {
				sum.received--
				sum.duplicated -= int64(len(g.held) - 1)
			}
		}
	}
	return sum
}

func TestCountersAreExactAgainstAServerThatMisbehaves(t *testing.T) {
	plans := map[string]func(member, delivery int) fate{
		"honest":  func(int, int) fate { return fate{copies: 1} },
		"drops":   func(m, n int) fate { return fate{copies: min(1, (n+m)%7)} },
		"doubles": func(m, n int) fate { return fate{copies: 1 + (n+m)%3/2} },
		"late":    func(m, n int) fate { return fate{copies: 1, late: (n+m)%5 == 0} },
		"all of it": func(m, n int) fate {
			return fate{copies: (n*5 + m) % 4 * 2 / 3, late: (n*3+m)%4 == 0}
		},
	}
	for name, plan := range plans {
		// Two processes have two rooms each, three share all of them.
		for _, procs := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s/procs=%d", strings.ReplaceAll(name, " ", "_"), procs), func(t *testing.T) {
				t.Parallel()
				checkCounters(t, plan, procs)
			})
		}
	}
}

func checkCounters(t *testing.T, plan func(member, delivery int) fate, procs int) {
	d := newDouble(t, plan)
	res := d.run(t, Config{Scenario: "chat", Sessions: 20, Rooms: 4, Rate: "400", Duration: time.Second, Procs: procs})
	want := d.settle()
	is := res.Deliveries
	got := truth{is.Expected, is.Received, is.Duplicated, is.OutOfOrder}
	if got != want || is.Lost != want.owed-want.received {
		t.Errorf("the result says %+v and %d lost, the server did %+v", got, is.Lost, want)
	}
	if want.owed != 400*5 || res.Schedule.Planned != 400 || res.Schedule.Sent != 400 {
		t.Errorf("the server owed %d deliveries of %d messages, want 2000 of 400", want.owed, res.Schedule.Sent)
	}
	if n := res.Metrics["push[onMessage]"].Count; n != want.received {
		t.Errorf("%d latencies for %d deliveries", n, want.received)
	}
	if n := res.Metrics["connect"].Count; n != 20 || res.Sessions.Opened != 20 || res.Failures() != 0 {
		t.Errorf("%d connects, %d opened, %d errors; want 20, 20, 0", n, res.Sessions.Opened, res.Failures())
	}
	var sent, delivered int64
	for _, s := range res.Series {
		sent += s.Sent
		delivered += s.Delivered
	}
	if sent != 400 || delivered != want.received {
		t.Errorf("the time series adds up to %d sent and %d delivered, want 400 and %d", sent, delivered, want.received)
	}
}

// Coordinated omission: at 200 requests a second, a server that stands still for
// a second makes 200 players wait, half a second on average. A closed loop would
// report one slow answer.
func TestAStallIsChargedWithEveryoneWhoWaited(t *testing.T) {
	t.Parallel()
	d := newDouble(t, nil)
	d.mu.Lock()
	d.stallAt = 50
	d.mu.Unlock()
	rep := d.run(t, Config{Scenario: "echo", Sessions: 10, Rooms: 1, Rate: "200", Duration: 2 * time.Second})
	l := rep.Metrics["request[room.echo]"]
	if l.Count != 400 || rep.Failures() != 0 {
		t.Fatalf("%d answers, %d errors; want 400, 0", l.Count, rep.Failures())
	}
	// Half of the requests meet the stall; the slowest tenth waited most of it.
	if l.Max < 900 || l.P90 < 0.6*l.Max {
		t.Errorf("p90 %.0f ms, max %.0f ms: the stall of about a second was seen by one request only", l.P90, l.Max)
	}
	if l.P50 > 0.5*l.Max {
		t.Errorf("p50 %.0f ms of max %.0f ms: requests outside of the stall were charged with it", l.P50, l.Max)
	}
}

// appendMessage appends a data package; the double's messages always fit.
func appendMessage(b []byte, m protocol.Message) []byte {
	b, mark := protocol.BeginPacket(b, protocol.Data)
	b, err := protocol.AppendMessage(b, m)
	if err != nil {
		panic(err)
	}
	return protocol.EndPacket(b, mark)
}
