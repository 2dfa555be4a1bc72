package tests

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// "20,000 items posted in a burst to the API: no silent loss, no growth beyond the
// configured budgets", as one request, as many, and as many at once. Every item that
// was accepted arrives, in the order of its poster.
func TestBurst(t *testing.T) {
	const burst = 20_000
	for _, row := range []struct {
		name          string
		posters, each int // requests of each poster have each items
	}{
		{"one request", 1, burst},
		{"many requests", 1, 100},
		{"many posters", 20, 50},
	} {
		t.Run(row.name, func(t *testing.T) {
			addr, _ := serve(t, app.Config{})
			p := join(t, addr, "/nano")
			p.wantAnswer("join", p.request("live.join", `{"room":"r"}`))
			text := openPage(t, addr, "/connect")
			text.say(`{"type":"JOIN","data":{"room":"r"}}`)
			text.wantIdle("in")
			var wg sync.WaitGroup
			for poster := range row.posters {
				wg.Go(func() {
					a := api{t, addr}
					for n := 0; n < burst/row.posters; n += row.each {
						var items []string
						for i := range row.each {
							items = append(items, fmt.Sprintf(`{"p":%d,"i":%d}`, poster, n+i))
						}
						b := form("room", "r", "items", "["+strings.Join(items, ",")+"]")
						res := a.post("/push/room", b)
						for res.Status == 503 { // honest: nothing was taken
							res = a.post("/push/room", b)
						}
						if res.Status != 202 || res.Accepted != row.each {
							t.Errorf("poster %d, item %d: %+v", poster, n, res)
							return
						}
					}
				})
			}
			next, texts := make([]int, row.posters), make([]int, row.posters)
			for got := 0; got < burst; {
				m := p.message(fmt.Sprintf("item %d", got))
				if m.Route == "onMessage" {
					inOrder(t, next, m.Body)
					got++
				}
			}
			for _, item := range text.items(burst) {
				inOrder(t, texts, item)
			}
			wg.Wait()
			text.wantIdle("nothing twice")
		})
	}
}

func inOrder(t *testing.T, next []int, item []byte) {
	t.Helper()
	var it struct{ P, I int }
	if err := json.Unmarshal(item, &it); err != nil || it.I != next[it.P] {
		t.Fatalf("got %s (%v), want item %d of that poster", item, err, next[it.P])
	}
	next[it.P]++
}

// The account of a room under more load than its members take: what callers were
// told was accepted is what members got, plus what is counted as dropped.
func TestAccepted(t *testing.T) {
	addr, _ := serve(t, app.Config{Live: live.Config{Budget: 100_000}})
	a := api{t, addr}
	reader, stalled := join(t, addr, "/nano"), join(t, addr, "/nano")
	reader.wantAnswer("join", reader.request("live.join", `{"room":"r"}`))
	stalled.wantAnswer("join", stalled.request("live.join", `{"room":"r"}`))
	const each = 60
	var accepted, refused int64
	payload := strings.Repeat("x", 1000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		wg.Go(func() {
			for range each {
				items := `["` + strings.Repeat(payload+`","`, 19) + payload + `"]`
				res := a.post("/push/room", form("room", "r", "items", items))
				mu.Lock()
				accepted += int64(res.Accepted)
				refused += int64(res.Dropped)
				mu.Unlock()
			}
		})
	}
	go func() {
		wg.Wait()
		for a.post("/push/room", form("room", "r", "items", `["end"]`)).Status != 202 {
		}
	}()
	var got int64
	for end := false; !end; {
		if m := reader.message("what was accepted"); m.Route == "onMessage" {
			if end = string(m.Body) == `"end"`; !end {
				got++
			}
		}
	}
	if got != accepted || accepted+refused != 4*each*20 {
		t.Errorf("%d accepted, %d refused of %d; the one who reads got %d", accepted, refused, 4*each*20, got)
	}
	eventually(t, func() error {
		s := a.stats()
		sum := s["sendMessageTotal"] + s["sendMessageFail"]
		total, fail := s["dispatchTotal"]-1, s["dispatchFail"] // the end was accepted too
		if total != accepted || fail < refused || s["mergerRoomTotal"] != total+1 || s["mergerRoomFail"] != fail || s["mergerPending"] != 0 {
			return fmt.Errorf("accepted %d, refused %d: %v", accepted, refused, s)
		}
		if sum < accepted || sum > 2*accepted+10 {
			return fmt.Errorf("%d deliveries and drops of %d messages to two members", sum, accepted)
		}
		return nil
	})
	t.Logf("accepted %d, refused %d, %v", accepted, refused, a.stats())
}
