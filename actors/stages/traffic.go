package stages

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shaddock-game/shaddock/actors"
)

// Traffic counts messages and bytes of bodies for each direction and kind, prints
// them and is a prometheus.Collector. It counts what passes the pipeline of an
// application: not what rooms and groups send to many at once, which the transport
// counts. Its methods are safe from any goroutine.
type Traffic struct{ flows [numFlows]flow }

// flow is one kind of message in one direction.
type flow struct{ messages, bytes atomic.Int64 }

const (
	requests = iota
	notifies
	responses
	errorAnswers
	pushes
	numFlows
)

var flowNames = [numFlows]struct{ direction, kind string }{
	{"in", "request"}, {"in", "notify"}, {"out", "response"}, {"out", "error"}, {"out", "push"},
}

// Count adds a Traffic to a pipeline: inbound at the front, so that it sees what
// other stages refuse, and outbound at the back, so that it sees what leaves.
func Count(p *actors.Pipeline) *Traffic {
	t := new(Traffic)
	p.Inbound.PushFront(func(_ *actors.Ctx, in *actors.Inbound) error {
		if in.Request {
			t.count(requests, in.Body)
		} else {
			t.count(notifies, in.Body)
		}
		return nil
	})
	p.Outbound.PushBack(func(out *actors.Outgoing) error {
		switch {
		case out.Push:
			t.count(pushes, out.Body)
		case out.Err != nil:
			t.count(errorAnswers, out.Body)
		default:
			t.count(responses, out.Body)
		}
		return nil
	})
	return t
}

func (t *Traffic) count(f int, body []byte) {
	t.flows[f].messages.Add(1)
	t.flows[f].bytes.Add(int64(len(body)))
}

// Flow is what passed in one direction.
type Flow struct{ Messages, Bytes int64 }

// In returns what came from clients.
func (t *Traffic) In() Flow { return t.sum("in") }

// Out returns what went to clients.
func (t *Traffic) Out() Flow { return t.sum("out") }

func (t *Traffic) sum(direction string) (f Flow) {
	for i, name := range flowNames {
		if name.direction == direction {
			f.Messages += t.flows[i].messages.Load()
			f.Bytes += t.flows[i].bytes.Load()
		}
	}
	return f
}

// Print writes one line with what passed in every interval, from the call until ctx
// ends:
//
//	traffic 10s: in 1200 messages 34800 bytes, out 1350 messages 51200 bytes
func (t *Traffic) Print(ctx context.Context, w io.Writer, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	in, out := t.In(), t.Out()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		nowIn, nowOut := t.In(), t.Out()
		fmt.Fprintf(w, "traffic %v: in %d messages %d bytes, out %d messages %d bytes\n", every,
			nowIn.Messages-in.Messages, nowIn.Bytes-in.Bytes, nowOut.Messages-out.Messages, nowOut.Bytes-out.Bytes)
		in, out = nowIn, nowOut
	}
}

var labels = []string{"direction", "kind"}

var (
	messagesDesc = prometheus.NewDesc("shaddock_traffic_messages_total", "Messages that passed the pipeline.", labels, nil)
	bytesDesc    = prometheus.NewDesc("shaddock_traffic_bytes_total", "Bytes of their bodies.", labels, nil)
)

// Describe implements prometheus.Collector.
func (t *Traffic) Describe(ch chan<- *prometheus.Desc) {
	ch <- messagesDesc
	ch <- bytesDesc
}

// Collect implements prometheus.Collector.
func (t *Traffic) Collect(ch chan<- prometheus.Metric) {
	for i, name := range flowNames {
		ch <- prometheus.MustNewConstMetric(messagesDesc, prometheus.CounterValue, float64(t.flows[i].messages.Load()), name.direction, name.kind)
		ch <- prometheus.MustNewConstMetric(bytesDesc, prometheus.CounterValue, float64(t.flows[i].bytes.Load()), name.direction, name.kind)
	}
}
