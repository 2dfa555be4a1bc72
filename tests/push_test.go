package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
)

// api is a caller of the push API.
type api struct {
	t    *testing.T
	addr string
}

type answer struct {
	t        *testing.T
	Status   int
	Header   http.Header
	Accepted int
	Dropped  int
	Error    string
}

// body is what is posted: its type, the text and further headers in pairs.
type body struct {
	kind, text string
	headers    []string
}

func form(pairs ...string) body {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return body{kind: "application/x-www-form-urlencoded", text: v.Encode()}
}

func jsonBody(text string) body { return body{kind: "application/json", text: text} }

func (b body) with(headers ...string) body {
	b.headers = headers
	return b
}

func (a api) post(path string, b body) (res answer) {
	a.t.Helper()
	req, err := http.NewRequest("POST", "http://"+a.addr+path, strings.NewReader(b.text))
	if err != nil {
		a.t.Fatal(err)
	}
	if b.kind != "" {
		req.Header.Set("Content-Type", b.kind)
	}
	for i := 0; i < len(b.headers); i += 2 {
		req.Header.Set(b.headers[i], b.headers[i+1])
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatalf("POST %s: %v", path, err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatalf("POST %s: %v", path, err)
	}
	if err := json.Unmarshal(text, &res); err != nil {
		a.t.Fatalf("POST %s: %d %s is no JSON", path, r.StatusCode, text)
	}
	res.t, res.Status, res.Header = a.t, r.StatusCode, r.Header
	return res
}

func (r answer) want(what string, status, accepted, dropped int) {
	r.t.Helper()
	if r.Status != status || r.Accepted != accepted || r.Dropped != dropped || (status == 202) != (r.Error == "") {
		r.t.Fatalf("%s: got %d accepted %d dropped %d %q, want %d accepted %d dropped %d", what, r.Status, r.Accepted, r.Dropped, r.Error, status, accepted, dropped)
	}
	if again := r.Header.Get("Retry-After"); (again != "") != (status == 429 || status == 503) {
		r.t.Fatalf("%s: %d with Retry-After %q", what, status, again)
	}
}

// stats reads /stats.
func (a api) stats() (s map[string]int64) {
	a.t.Helper()
	r, err := http.Get("http://" + a.addr + "/stats")
	if err != nil {
		a.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		a.t.Fatalf("stats: %v", err)
	}
	return s
}

func TestPushAnswers(t *testing.T) {
	addr, _ := serve(t, app.Config{Push: push.Config{MaxBody: 10_000, MaxItems: 10, MaxItem: 100}})
	p := openPage(t, addr, "/connect")
	p.say(`{"type":"JOIN","data":{"room":"r"}}`)
	p.wantIdle("in")
	for _, row := range []struct {
		what, path        string
		body              body
		status            int
		accepted, dropped int
	}{
		{"a form", "/push/room", form("room", "r", "items", `[1,2]`), 202, 2, 0},
		{"JSON", "/push/room", jsonBody(`{"room":"r","items":[3]}`), 202, 1, 0},
		{"JSON to all", "/push/all", jsonBody(`{"items":[4]}`), 202, 1, 0},
		{"a multipart form", "/push/room", body{kind: "multipart/form-data; boundary=x", text: "--x\r\nContent-Disposition: form-data; name=\"room\"\r\n\r\nr\r\n--x\r\nContent-Disposition: form-data; name=\"items\"\r\n\r\n[5]\r\n--x--\r\n"}, 202, 1, 0},
		{"no such room", "/push/room", form("room", "nobody", "items", `[1,2]`), 404, 0, 2},
		{"no such user", "/push/user", form("user", "nobody", "items", `[1]`), 404, 0, 1},
		{"no room named", "/push/room", form("items", `[1]`), 400, 0, 0},
		{"no user named", "/push/user", form("items", `[1]`), 400, 0, 0},
		{"no items", "/push/all", form("x", "y"), 400, 0, 0},
		{"items that are no JSON", "/push/all", form("items", `[1,`), 400, 0, 0},
		{"items that are no array", "/push/all", form("items", `{"a":1}`), 400, 0, 0},
		{"an empty array", "/push/all", form("items", `[]`), 400, 0, 0},
		{"a body that is no JSON", "/push/all", jsonBody(`{"items":`), 400, 0, 0},
		{"no content type", "/push/all", body{text: "x"}, 400, 0, 0},
		{"another content type", "/push/all", body{kind: "text/plain", text: "x"}, 400, 0, 0},
		{"two latest", "/push/room", form("room", "r", "latest", "score", "items", `[1,2]`), 400, 0, 0},
		{"too many items", "/push/all", form("items", `[1,2,3,4,5,6,7,8,9,10,11]`), 413, 0, 11},
		{"an item too long", "/push/all", form("items", `["`+strings.Repeat("x", 200)+`"]`), 413, 0, 1},
		{"a body too long", "/push/all", form("items", `["`+strings.Repeat("x", 20_000)+`"]`), 413, 0, 0},
		{"a page of another site", "/push/all", form("items", `[1]`).with("Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example"), 403, 0, 0},
	} {
		api{t, addr}.post(row.path, row.body).want(row.what, row.status, row.accepted, row.dropped)
	}
	var got []string
	for _, item := range p.items(5) {
		got = append(got, string(item))
	}
	slices.Sort(got) // between everyone and a room there is no order
	if want := []string{"1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("got items %v, want %v", got, want)
	}
	p.wantIdle("what was refused is not pushed")
	r, err := http.Get("http://" + addr + "/push/all")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 405 {
		t.Errorf("GET /push/all: %d, want 405", r.StatusCode)
	}
}

func TestPushKey(t *testing.T) {
	addr, _ := serve(t, app.Config{Push: push.Config{Key: "s3cret"}})
	items := form("items", `[1]`)
	a := api{t, addr}
	a.post("/push/all", items).want("no key", 401, 0, 0)
	a.post("/push/all", items.with("X-API-Key", "wrong")).want("a wrong key", 401, 0, 0)
	a.post("/push/all", items.with("Authorization", "Bearer s3cret")).want("bearer", 202, 1, 0)
	a.post("/push/all", items.with("X-API-Key", "s3cret")).want("X-API-Key", 202, 1, 0)
}

func TestPushRate(t *testing.T) {
	addr, _ := serve(t, app.Config{Push: push.Config{Rate: 1}})
	a := api{t, addr}
	a.post("/push/all", form("items", `[1,2,3,4,5,6,7,8,9,10]`)).want("may overdraw", 202, 10, 0)
	a.post("/push/all", form("items", `[1]`)).want("but not go on", 429, 0, 1)
}

// A request is charged before its body is read.
func TestPushBudget(t *testing.T) {
	addr, _ := serve(t, app.Config{Push: push.Config{Pending: 100}})
	a := api{t, addr}
	a.post("/push/all", form("items", `["`+strings.Repeat("x", 100)+`"]`)).want("more than the budget", 503, 0, 0)
	a.post("/push/all", form("items", `["x"]`)).want("within", 202, 1, 0)
	if s := a.stats(); s["pendingBytes"] != 0 || s["shedRequests"] != 1 {
		t.Errorf("stats %v, want nothing pending and one request shed", s)
	}
}

// Users are reached by uid, wherever they are connected.
func TestPushUser(t *testing.T) {
	addr, _ := serve(t, app.Config{Setup: loginByName})
	p := join(t, addr, "/nano")
	p.wantAnswer("login", p.request("test.login", `{"uid":"ann"}`))
	api{t, addr}.post("/push/user", form("user", "ann", "items", `[{"n":1},{"n":2}]`)).want("online", 202, 2, 0)
	for i := range 2 {
		if m := p.message("a push"); m.Route != "onMessage" || string(m.Body) != fmt.Sprintf(`{"n":%d}`, i+1) {
			t.Fatalf("got %s %s", m.Route, m.Body)
		}
	}
	if s := (api{t, addr}).stats(); s["userTotal"] != 2 || s["sendMessageTotal"] != 2 {
		t.Errorf("stats %v, want 2 items for users, sent to one session", s)
	}
}

// "GET /stats returns the counters of the reference … with correct values."
func TestPushStats(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	a := api{t, addr}
	for i := range 3 {
		p := openPage(t, addr, "/connect")
		p.say(fmt.Sprintf(`{"type":"JOIN","data":{"room":"r%d"}}`, i%2))
		p.wantIdle("in")
	}
	a.post("/push/all", form("items", `[1]`)).want("3 receivers", 202, 1, 0)
	a.post("/push/room", form("room", "r0", "items", `[1,2]`)).want("2 receivers", 202, 2, 0)
	a.post("/push/room", form("room", "none", "items", `[1]`)).want("no receivers", 404, 0, 1)
	eventually(t, func() error {
		got := a.stats()
		for name, want := range map[string]int64{
			"onlineConnections": 3, "roomCount": 2, "sendMessageTotal": 3 + 2*2, "sendMessageFail": 0,
			"dispatchPending": 0, "dispatchTotal": 3, "dispatchFail": 1,
			"mergerPending": 0, "mergerRoomTotal": 2, "mergerRoomFail": 0, "mergerAllTotal": 1, "mergerAllFail": 0,
		} {
			if have, ok := got[name]; !ok || have != want {
				return fmt.Errorf("%s is %d (%v), want %d", name, have, ok, want)
			}
		}
		return nil
	})
}

// eventually waits for counters that are a step behind what they count.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// The OpenAPI file says what the server does: every path and every counter.
func TestOpenAPI(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	r, err := http.Get("http://" + addr + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("openapi.json: %v, version %q", err, doc.OpenAPI)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			req, err := http.NewRequest(strings.ToUpper(method), "http://"+addr+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode == 404 || res.StatusCode == 405 {
				t.Errorf("%s %s is documented and answers %d", method, path, res.StatusCode)
			}
		}
	}
	documented, have := doc.Components.Schemas["Stats"].Properties, api{t, addr}.stats()
	for name := range have {
		if documented[name] == nil {
			t.Errorf("counter %s is not documented", name)
		}
	}
	if len(documented) != len(have) || len(have) == 0 {
		t.Errorf("%d counters, %d documented", len(have), len(documented))
	}
}
