package swarm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// callersMax is how many HTTP requests of one process are under way at once;
// more wait, and their latency says so.
const callersMax = 64

// callers makes the HTTP requests of sessions, which must not block a loop.
type callers struct {
	client *http.Client
	queue  chan call
	quit   chan struct{}
	all    sync.WaitGroup
}

// call is one request, rendered.
type call struct {
	session *session
	op      *scenario.Op
	due     int64
	body    []byte
}

// newCallers starts them; none for scenarios without HTTP.
func newCallers(w *worker) *callers {
	if !w.scen.HTTP {
		return nil
	}
	c := &callers{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callersMax, TLSClientConfig: w.tls}},
		queue:  make(chan call, len(w.sessions)),
		quit:   make(chan struct{}),
	}
	for i := range callersMax {
		h := newHand(w, uint64(1000+i))
		w.hands = append(w.hands, h)
		c.all.Go(func() {
			for {
				select {
				case k := <-c.queue:
					c.make(h, k)
				case <-c.quit:
					return
				}
			}
		})
	}
	return c
}

// stop waits for the callers; what is queued is not made any more.
func (c *callers) stop() {
	if c == nil {
		return
	}
	close(c.quit)
	c.all.Wait()
	c.client.CloseIdleConnections()
}

// call queues the request of op. A session has at most one, so there is room.
func (s *session) call(h *hand, op *scenario.Op, now int64) {
	s.said = s.due
	h.speak(s, now)
	if op.Publish {
		s.mark(h, op)
	}
	s.wait, s.until = forHTTP, 0
	k := call{session: s, op: op, due: s.due, body: op.Body.Append(nil, &h.env)}
	select {
	case h.worker.callers.queue <- k:
	default: // the run is over
		s.fail(h, op, "queue", now)
	}
}

func (c *callers) make(h *hand, k call) {
	code := c.status(k)
	s, now := k.session, h.worker.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if code != "" {
		s.fault(h, k.op.Metric, code)
	} else {
		s.record(h, k.op.Metric, k.due, now)
	}
	switch {
	case s.wait != forHTTP:
	case code != "":
		s.abort(h, now)
	default:
		s.resume(h, now)
	}
}

// status makes the request; "" is success.
func (c *callers) status(k call) string {
	ctx, cancel := context.WithTimeout(context.Background(), k.op.Timeout)
	defer cancel()
	body := k.body
	if strings.HasPrefix(k.op.HTTP.ContentType, "application/x-www-form") {
		body = formOf(body)
	}
	req, err := http.NewRequestWithContext(ctx, k.op.HTTP.Method, httpURL(k.session.url, k.op.HTTP.URL), bytes.NewReader(body))
	if err != nil {
		return "address"
	}
	if k.op.HTTP.ContentType != "" {
		req.Header.Set("Content-Type", k.op.HTTP.ContentType)
	}
	for name, value := range k.op.HTTP.Header {
		req.Header.Set(name, value)
	}
	res, err := c.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return "timeout"
		}
		return "failed"
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection can be used again
	if want := k.op.HTTP.Status; res.StatusCode != want && (want != 0 || res.StatusCode/100 != 2) {
		return strconv.Itoa(res.StatusCode)
	}
	return ""
}

// httpURL is where a step's URL lies: at the session's server unless it says.
func httpURL(server, to string) string {
	if strings.Contains(to, "://") {
		return to
	}
	u, err := url.Parse(server)
	if err != nil {
		return to
	}
	scheme := "http"
	if u.Scheme == "wss" || u.Scheme == "tls" {
		scheme = "https"
	}
	return scheme + "://" + u.Host + to
}

// formOf writes the members of a JSON object as a form: texts as they are, all
// else as JSON.
func formOf(body []byte) []byte {
	form := url.Values{}
	for name, raw := range rawMembers(body) {
		form.Set(name, plain(raw))
	}
	return []byte(form.Encode())
}

func rawMembers(body []byte) (members map[string]json.RawMessage) {
	_ = json.Unmarshal(body, &members) // templates render JSON
	return members
}

func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
