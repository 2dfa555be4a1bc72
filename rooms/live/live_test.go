package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// bubble runs f with an application that serves live rooms, in fake time.
func bubble(t *testing.T, cfg live.Config, f func(t *testing.T, s *served)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &served{live: live.New(cfg)}
		s.app = actors.New(actors.Config{NewAudience: actorstest.NewAudience, Heartbeat: -1, Rate: -1})
		var err error
		if s.host, err = rooms.Install(s.app, nil, s.live.Kinds()...); err != nil {
			t.Fatal(err)
		}
		if err := s.app.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			ctx := context.Background()
			if err := errors.Join(s.app.Shutdown(ctx), s.host.Stop(ctx, protocol.ReasonShutdown)); err != nil {
				t.Errorf("stop: %v", err)
			}
			s.app.Close()
		}()
		f(t, s)
	})
}

type served struct {
	live *live.Live
	app  *actors.App
	host *rooms.Host
}

// tell posts items to a room and returns the verdict.
func (s *served) tell(key rooms.Key, p *live.Post) error {
	got := make(chan error, 1)
	s.host.Tell(key, p, func(err error) { got <- err })
	return <-got
}

func room(id string) rooms.Key { return rooms.Key{Kind: live.RoomKind, ID: id} }

func items(words ...string) (list [][]byte) {
	for _, w := range words {
		list = append(list, []byte(w))
	}
	return list
}

func TestLiveRoom(t *testing.T) {
	bubble(t, live.Config{}, func(t *testing.T, s *served) {
		ann, bob := actorstest.Connect(t, s.app), actorstest.Connect(t, s.app)
		ann.WantReply("in", ann.Request("live.join", `{"room":"r"}`), `{"code":0,"result":"success","room":"r","count":1,"history":[]}`)
		ann.WantPush("the first count comes at once", "onCount", `{"count":1}`)
		bob.WantReply("in", bob.Request("live.join", `{"room":"r"}`), `{"code":0,"result":"success","room":"r","count":2,"history":[]}`)
		bob.Notify("live.send", `{"name":"bob","content":"hi","more":"is cut"}`)
		for _, p := range []*actorstest.Probe{ann, bob} {
			p.WantPush("to all, the sender included", "onMessage", `{"name":"bob","content":"hi"}`)
		}
		start := time.Now()
		ann.WantPush("the next count comes a second later", "onCount", `{"count":2}`)
		if d := time.Since(start); d > time.Second || d < 900*time.Millisecond {
			t.Errorf("counted again after %v, want 1s", d)
		}
		id := ann.Request("live.send", `{"name":"ann","content":"ho"}`)
		ann.WantPush("own words", "onMessage", `{"name":"ann","content":"ho"}`)
		ann.WantReply("a request is answered", id, `{}`)
	})
}

// "messages from members (rate-limited per member)": five a second, twice as many
// at once.
func TestMemberRate(t *testing.T) {
	bubble(t, live.Config{Counting: -1}, func(t *testing.T, s *served) {
		ann := actorstest.Connect(t, s.app)
		ann.Request("live.join", `{"room":"r"}`)
		ann.Message("in")
		say := func() uint64 { return ann.Request("live.send", `{"name":"a","content":"b"}`) }
		heard := func(id uint64, what string) {
			t.Helper()
			ann.WantPush(what, "onMessage", `{"name":"a","content":"b"}`)
			ann.WantReply(what, id, `{}`)
		}
		for range 10 {
			heard(say(), "at once")
		}
		ann.WantCode("the eleventh", say(), protocol.CodeLimited)
		time.Sleep(200 * time.Millisecond)
		heard(say(), "after a fifth of a second")
		ann.WantCode("and no more", say(), protocol.CodeLimited)
		ann.WantCode("too long", ann.Request("live.send", fmt.Sprintf(`{"content":"%01025d"}`, 0)), protocol.CodeBadRequest)
		if got := s.live.Stats(); got.Sent != 11 || got.Limited != 2 {
			t.Errorf("stats %+v, want 11 sent and 2 limited", got)
		}
	})
}

func TestHistory(t *testing.T) {
	bubble(t, live.Config{Counting: -1, History: 3}, func(t *testing.T, s *served) {
		ann := actorstest.Connect(t, s.app)
		id := ann.Request("live.join", `{"room":"r","history":9}`)
		ann.WantReply("nothing was said yet", id, `{"code":0,"result":"success","room":"r","count":1,"history":[]}`)
		if err := s.tell(room("r"), &live.Post{Items: items(`1`, `2`, `"three"`)}); err != nil {
			t.Fatal(err)
		}
		ann.Notify("live.send", `{"name":"a","content":"b"}`)
		for range 4 {
			ann.Message("three posts and a message")
		}
		bob := actorstest.Connect(t, s.app)
		id = bob.Request("live.join", `{"room":"r","history":9}`)
		bob.WantReply("as many as are remembered, oldest first", id,
			`{"code":0,"result":"success","room":"r","count":2,"history":[2,"three",{"name":"a","content":"b"}]}`)
		carl := actorstest.Connect(t, s.app)
		id = carl.Request("live.join", `{"room":"r","history":1}`)
		carl.WantReply("as many as asked for", id,
			`{"code":0,"result":"success","room":"r","count":3,"history":[{"name":"a","content":"b"}]}`)
	})
}

// "at most 5 rooms, configurable", and a leave goes to the room that it names.
func TestSeveralRooms(t *testing.T) {
	bubble(t, live.Config{Counting: -1, PerUser: 2}, func(t *testing.T, s *served) {
		p := actorstest.Connect(t, s.app)
		for _, r := range []string{"a", "b"} {
			p.WantReply("in", p.Request("live.join", fmt.Sprintf(`{"room":%q}`, r)),
				fmt.Sprintf(`{"code":0,"result":"success","room":%q,"count":1,"history":[]}`, r))
		}
		p.WantCode("one too many", p.Request("live.join", `{"room":"c"}`), protocol.CodeRefused)
		p.WantReply("again is no more", p.Request("live.join", `{"room":"a"}`), `{"code":0,"result":"success","room":"a","count":1,"history":[]}`)
		p.WantCode("not in there", p.Request("live.leave", `{"room":"c"}`), protocol.CodeRefused)
		p.WantReply("out of a", p.Request("live.leave", `{"room":"a"}`), `{"code":0,"result":"success"}`)
		p.WantCode("not in there any more", p.Request("live.send", `{"room":"a","name":"x","content":"y"}`), protocol.CodeRefused)
		id := p.Request("live.send", `{"name":"x","content":"y"}`)
		p.WantPush("in one room there is no need to name it", "onMessage", `{"name":"x","content":"y"}`)
		p.WantReply("sent", id, `{}`)
	})
}

func TestPosts(t *testing.T) {
	bubble(t, live.Config{Counting: -1}, func(t *testing.T, s *served) {
		if err := s.tell(room("r"), &live.Post{Items: items(`1`)}); !errors.Is(err, rooms.ErrNoRoom) {
			t.Errorf("a room without members: verdict %v, want ErrNoRoom", err)
		}
		ann := actorstest.Connect(t, s.app)
		ann.Request("live.join", `{"room":"r"}`)
		ann.Message("in")
		ann.Request("live.join", `{"room":"s"}`)
		ann.Message("in")
		if err := s.tell(live.Everyone, &live.Post{Items: items(`1`, `2`)}); err != nil {
			t.Errorf("all: %v", err)
		}
		ann.WantPush("in two rooms, but once", "onMessage", `1`)
		ann.WantPush("in order", "onMessage", `2`)
		ann.WantIdle("nothing twice")
		if err := s.tell(room("s"), &live.Post{Items: items(`{"x":1}`), Route: "onScore", Latest: 9}); err != nil {
			t.Errorf("room: %v", err)
		}
		ann.WantPush("a route of its own", "onScore", `{"x":1}`)
		p := &live.Post{Items: items(`1`)}
		if !p.GiveUp() {
			t.Error("a post that nobody took cannot be given up")
		}
		if err := s.tell(room("s"), p); !errors.Is(err, live.ErrGivenUp) {
			t.Errorf("given up: verdict %v, want ErrGivenUp", err)
		}
		ann.WantIdle("what was given up is not pushed")
		want := live.Stats{Rooms: 2, Room: 1, RoomFailed: 1, All: 2}
		if got := s.live.Stats(); got != want {
			t.Errorf("stats %+v, want %+v", got, want)
		}
		if got := s.host.Traffic(live.EveryoneKind); got.Pushed != 2 || got.Delivered != 2 {
			t.Errorf("traffic %+v, want 2 pushed and delivered", got)
		}
	})
}

// A burst is said at the room's pace, so that no connection is filled by it; what
// waits counts against the budget, and what does not fit is refused whole.
func TestBurstIsPaced(t *testing.T) {
	const size = 1000
	bubble(t, live.Config{Counting: -1, Pace: 100_000, Burst: 50_000, Budget: 400_000}, func(t *testing.T, s *served) {
		ann := actorstest.Connect(t, s.app)
		ann.Request("live.join", `{"room":"r"}`)
		ann.Message("in")
		start := time.Now()
		burst := make([][]byte, 300)
		for i := range burst {
			burst[i] = fmt.Appendf(nil, "%0*d", size-41, 0) // with its package 1,000 bytes
			burst[i][0] = '1'
		}
		if err := s.tell(room("r"), &live.Post{Items: burst}); err != nil {
			t.Fatalf("the first burst: %v", err)
		}
		if err := s.tell(room("r"), &live.Post{Items: burst}); err == nil {
			t.Error("a second burst was taken: the budget is for one")
		}
		synctest.Wait()
		if w := s.live.Stats().Waiting; w < 200 || w > 250 {
			t.Errorf("%d messages wait, want all but what may be said at once", w)
		}
		ann.Notify("live.send", `{"name":"ann","content":"behind it"}`)
		bob := actorstest.Connect(t, s.app)
		bob.Request("live.join", `{"room":"r","history":500}`)
		var in live.JoinReply
		if err := json.Unmarshal(bob.Message("in").Body, &in); err != nil {
			t.Fatal(err)
		}
		late := 0
		for m := bob.Message("the rest"); string(m.Body) != `{"name":"ann","content":"behind it"}`; m = bob.Message("the rest") {
			late++
		}
		if len(in.History) != 50 || late < 200 || late > 250 {
			t.Errorf("who came in the middle got %d of history, want 50, and %d later, want those that waited", len(in.History), late)
		}
		for range burst {
			if m := ann.Message("the burst"); len(m.Body) != size-41 {
				t.Fatalf("%s overtook the burst", m.Body)
			}
		}
		ann.WantPush("in order", "onMessage", `{"name":"ann","content":"behind it"}`)
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			t.Errorf("300,000 bytes took %v, want 2 to 3 s at 100,000 a second", d)
		}
		if st := s.live.Stats(); st.Waiting != 0 || st.Room != 300 || st.RoomFailed != 300 {
			t.Errorf("stats %+v, want 300 taken, 300 refused, none waiting", st)
		}
	})
}

// A page written for the reference push system: PING, JOIN, PUSH, LEAVE.
func TestTextConversation(t *testing.T) {
	bubble(t, live.Config{PerUser: 2}, func(t *testing.T, s *served) {
		p := actorstest.OpenText(t, s.app, live.Codec)
		p.Say(`{"type":"PING"}`)
		p.Want("PING", `{"type":"PONG","data":{}}`)
		p.Say(`{"type":"PING","data":{}}`)
		p.Want("PING with data", `{"type":"PONG","data":{}}`)
		p.Say(`{"type":"JOIN","data":{"room":"r"}}`)
		p.Say(`{"type":"PING"}`)
		p.Want("a JOIN is not answered", `{"type":"PONG","data":{}}`)
		if err := s.tell(room("r"), &live.Post{Items: items(`{"msg":"a"}`, `"b"`)}); err != nil {
			t.Fatal(err)
		}
		p.Want("items come together", `{"type":"PUSH","data":{"items":[{"msg":"a"},"b"]}}`)
		if err := s.tell(live.Everyone, &live.Post{Items: items(`7`)}); err != nil {
			t.Fatal(err)
		}
		p.Want("what is for all", `{"type":"PUSH","data":{"items":[7]}}`)

		pom := actorstest.Connect(t, s.app)
		pom.Request("live.join", `{"room":"r"}`)
		pom.Message("in")
		p.Say(`{"type":"SEND","data":{"name":"t","content":"x"}}`)
		p.Want("own words", `{"type":"PUSH","data":{"items":[{"name":"t","content":"x"}]}}`)
		for { // counts may lie in between
			if m := pom.Message("text and pomelo share a room"); m.Route == "onMessage" {
				if string(m.Body) != `{"name":"t","content":"x"}` {
					t.Errorf("got %s", m.Body)
				}
				break
			}
		}

		p.Say(`{"type":"JOIN","data":{"room":"q"}}`)
		p.Say(`{"type":"JOIN","data":{"room":"one too many"}}`)
		p.Want("too many rooms", `{"type":"ERROR","data":{"code":403,"msg":"in 2 rooms of kind live already, which is as many as there may be"}}`)
		p.Say(`{"type":"JOIN","data":{"room":""}}`)
		p.Want("no room", `{"type":"ERROR","data":{"code":400,"msg":"JOIN must name a room"}}`)
		p.Say(`{"type":"DANCE"}`)
		p.Want("no such type", `{"type":"ERROR","data":{"code":404,"msg":"no type \"DANCE\""}}`)
		p.Say(`{"type":"LEAVE","data":{"room":"r"}}`)
		p.Say(`{"type":"PING"}`)
		p.Want("a LEAVE is not answered", `{"type":"PONG","data":{}}`)
		if err := s.tell(room("r"), &live.Post{Items: items(`1`)}); err != nil {
			t.Fatal(err)
		}
		p.Say(`{"type":"JOIN","data":{"room":"r","history":2}}`)
		p.Want("history is for those who ask", `{"type":"PUSH","data":{"items":[{"name":"t","content":"x"},1]}}`)
		p.Say(`{"type":`)
		p.Want("malformed JSON", `{"type":"KICK","data":{"code":2,"msg":"a message is a JSON object with a type"}}`)
		p.WantClosed("closes", protocol.ReasonProtocol)
	})
}

func TestDecodeRefuses(t *testing.T) {
	for _, bad := range []string{``, `null`, `7`, `[]`, `"PING"`, `{"type":7}`, `{"type":"PING"}x`} {
		if call, err := live.Codec.Decode([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, call)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"type":"PING"}`, `{"type":"JOIN","data":{"room":"r"}}`, `{"type":"SEND","data":null}`, `{"type":"JOIN","data":{"room":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		call, err := live.Codec.Decode(text)
		if err == nil && call.Route == "" && !json.Valid(call.Answer) {
			t.Errorf("%q is answered with %q, which is no JSON", text, call.Answer)
		}
	})
}
