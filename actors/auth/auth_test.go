package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/auth"
	"github.com/shaddock-game/shaddock/actors/stages"
	"github.com/shaddock-game/shaddock/protocol"
)

func key(id string) auth.Key { return auth.Key{ID: id, Secret: bytes.Repeat([]byte(id), 32)} }

func newTokens(t *testing.T, ids ...string) *auth.Tokens {
	t.Helper()
	var keys []auth.Key
	for _, id := range ids {
		keys = append(keys, key(id))
	}
	tokens, err := auth.New(auth.Config{Keys: keys, TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func issue(t *testing.T, tokens *auth.Tokens, uid string, roles ...string) string {
	t.Helper()
	token, _, err := tokens.Issue(auth.Identity{UID: uid, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := newTokens(t, "a")
		token := issue(t, tokens, "ann", "admin")
		id, err := tokens.Verify(token)
		if err != nil || id.UID != "ann" || id.Roles[0] != "admin" || time.Until(id.Expires) != time.Hour {
			t.Fatalf("%+v, %v", id, err)
		}
		time.Sleep(time.Hour)
		_, err = tokens.Verify(token)
		refused(t, "an hour later", err, "the token has expired")
		if _, _, err := tokens.Issue(auth.Identity{}); err == nil {
			t.Error("a token for nobody was issued")
		}
	})
}

func refused(t *testing.T, what string, err error, msg string) {
	t.Helper()
	if e, is := errors.AsType[*protocol.Error](err); !is || e.Code != protocol.CodeUnauthenticated || e.Msg != msg {
		t.Errorf("%s: %v, want 401 %s", what, err, msg)
	}
}

// What an attacker may try: RFC 8725, 2.1 and 3.1.
func TestForgedTokens(t *testing.T) {
	tokens := newTokens(t, "a")
	sign := func(m jwt.SigningMethod, secret any, kid, issuer string, c jwt.MapClaims) string {
		j := jwt.NewWithClaims(m, c)
		j.Header["kid"] = kid
		if issuer != "" {
			c["iss"] = issuer
		}
		s, err := j.SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	later := time.Now().Add(time.Hour).Unix()
	good := issue(t, tokens, "ann")
	for what, token := range map[string]string{
		"nothing":         "",
		"no token":        "a.b.c",
		"no signature":    sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "a", "shaddock", jwt.MapClaims{"sub": "ann", "exp": later}),
		"another method":  sign(jwt.SigningMethodHS512, key("a").Secret, "a", "shaddock", jwt.MapClaims{"sub": "ann", "exp": later}),
		"another secret":  sign(jwt.SigningMethodHS256, key("b").Secret, "a", "shaddock", jwt.MapClaims{"sub": "ann", "exp": later}),
		"an unknown key":  sign(jwt.SigningMethodHS256, key("b").Secret, "b", "shaddock", jwt.MapClaims{"sub": "ann", "exp": later}),
		"another issuer":  sign(jwt.SigningMethodHS256, key("a").Secret, "a", "other", jwt.MapClaims{"sub": "ann", "exp": later}),
		"no issuer":       sign(jwt.SigningMethodHS256, key("a").Secret, "a", "", jwt.MapClaims{"sub": "ann", "exp": later}),
		"no expiry":       sign(jwt.SigningMethodHS256, key("a").Secret, "a", "shaddock", jwt.MapClaims{"sub": "ann"}),
		"nobody":          sign(jwt.SigningMethodHS256, key("a").Secret, "a", "shaddock", jwt.MapClaims{"exp": later}),
		"a changed claim": strings.Replace(good, ".", ".e30", 1),
		"a cut signature": good[:len(good)-2],
	} {
		_, err := tokens.Verify(token)
		refused(t, what, err, "bad token")
	}
	if _, err := tokens.Verify(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestRotation(t *testing.T) {
	tokens := newTokens(t, "a")
	old := issue(t, tokens, "ann")
	if err := tokens.Rotate([]auth.Key{key("b"), key("a")}); err != nil {
		t.Fatal(err)
	}
	fresh := issue(t, tokens, "ann")
	for _, token := range []string{old, fresh} {
		if _, err := tokens.Verify(token); err != nil {
			t.Errorf("while both keys are there: %v", err)
		}
	}
	if err := tokens.Rotate([]auth.Key{key("b")}); err != nil {
		t.Fatal(err)
	}
	_, err := tokens.Verify(old)
	refused(t, "its key is gone", err, "bad token")
	for want, keys := range map[string][]auth.Key{
		"give at least one":     nil,
		"the id of key 1":       {{Secret: key("b").Secret}},
		`the secret of "c" has`: {{ID: "c", Secret: []byte("short")}},
		`"b" is given twice`:    {key("b"), key("b")},
	} {
		if err := tokens.Rotate(keys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := tokens.Verify(fresh); err != nil {
		t.Errorf("keys that are no good replaced good ones: %v", err)
	}
}

type credentials struct{ Name, Password string }

// start starts an application with a login, behind a gate.
func start(t *testing.T, tokens *auth.Tokens, cfg actors.Config) *actors.App {
	t.Helper()
	a := actors.New(cfg)
	t.Cleanup(a.Close)
	a.Pipeline().Inbound.PushBack(stages.Gate())
	a.Pipeline().Inbound.PushBack(auth.Require("admin", "admin.*"))
	auth.Login(a, "gate.login", tokens, func(_ *actors.Ctx, req *credentials) (auth.Identity, error) {
		if req.Password != "secret" {
			return auth.Identity{}, auth.ErrDenied
		}
		id := auth.Identity{UID: req.Name}
		if req.Name == "root" {
			id.Roles = []string{"admin"}
		}
		return id, nil
	})
	auth.Resume(a, "gate.resume", tokens)
	who := func(c *actors.Ctx, _ []byte) ([]byte, error) { return []byte(c.UID()), nil }
	actors.HandleRaw(a, "me.who", who)
	actors.HandleRaw(a, "admin.who", who)
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

// "a login route helper with signed expiring tokens … 401/403 answers".
func TestLoginRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, newTokens(t, "a"), actors.Config{Heartbeat: -1})
		p := actorstest.Connect(t, a)
		p.WantCode("before the login", p.Request("me.who", ``), protocol.CodeUnauthenticated)
		p.WantCode("a wrong password", p.Request("gate.login", `{"Name":"ann","Password":"x"}`), protocol.CodeUnauthenticated)
		p.WantCode("still nobody", p.Request("me.who", ``), protocol.CodeUnauthenticated)
		p.Request("gate.login", `{"Name":"ann","Password":"secret"}`)
		var w auth.Welcome
		if m := p.Message("the welcome"); m.Error || json.Unmarshal(m.Body, &w) != nil || w.UID != "ann" || w.Expires != time.Now().Add(time.Hour).Unix() {
			t.Fatalf("got %s", m.Body)
		}
		p.WantReply("logged in", p.Request("me.who", ``), `ann`)
		p.WantCode("without the role", p.Request("admin.who", ``), protocol.CodeRefused)
		p.Drop()

		again := actorstest.Connect(t, a)
		again.WantCode("a bad token", again.Request("gate.resume", `{"token":"x"}`), protocol.CodeUnauthenticated)
		again.Request("gate.resume", `{"token":"`+w.Token+`"}`)
		again.Message("a fresh token")
		again.WantReply("after a reconnect", again.Request("me.who", ``), `ann`)

		root := actorstest.Connect(t, a)
		root.Request("gate.login", `{"Name":"root","Password":"secret"}`)
		root.Message("the welcome")
		root.WantReply("with the role", root.Request("admin.who", ``), `root`)
		time.Sleep(2 * time.Hour)
		root.WantReply("the session outlives its token", root.Request("me.who", ``), `root`)
		again = actorstest.Connect(t, a)
		again.WantCode("which is good for nothing more", again.Request("gate.resume", `{"token":"`+w.Token+`"}`), protocol.CodeUnauthenticated)
	})
}

// shake opens a probe whose handshake shows a token.
func shake(t *testing.T, a *actors.App, token string) *actorstest.Probe {
	p := actorstest.Open(t, a)
	p.Packet(protocol.Handshake, `{"user":{"token":"`+token+`"}}`)
	return p
}

func TestHandshakeToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := newTokens(t, "a")
		a := start(t, tokens, actors.Config{Validate: tokens.Handshake(false), Duplicates: actors.RefuseNew, Heartbeat: -1})
		p := shake(t, a, issue(t, tokens, "root", "admin"))
		if got := p.Recv("the answer"); !bytes.Contains(got.Body, []byte(`"user":{"uid":"root","roles":["admin"]}`)) {
			t.Errorf("got %s", got.Body)
		}
		p.Packet(protocol.HandshakeAck, "")
		p.WantReply("logged in before the first message", p.Request("me.who", ``), `root`)
		p.WantReply("with its role", p.Request("admin.who", ``), `root`)

		second := shake(t, a, issue(t, tokens, "root"))
		second.Recv("the answer")
		second.Packet(protocol.HandshakeAck, "")
		second.Request("me.who", ``)
		second.WantClosed("the policy refuses a second login", protocol.ReasonHandshakeRefused)
		p.WantReply("the first stays", p.Request("me.who", ``), `root`)

		bad := shake(t, a, "x")
		bad.Recv("a refusal")
		bad.WantClosed("a bad token", protocol.ReasonHandshakeRefused)

		none := actorstest.Connect(t, a)
		none.WantCode("no token is no login", none.Request("me.who", ``), protocol.CodeUnauthenticated)
	})
}

func TestHandshakeTokenRequired(t *testing.T) {
	tokens := newTokens(t, "a")
	a := start(t, tokens, actors.Config{Validate: tokens.Handshake(true)})
	p := actorstest.Open(t, a)
	p.Packet(protocol.Handshake, `{}`)
	if got := p.Recv("a refusal"); !bytes.Contains(got.Body, []byte("log in first")) {
		t.Errorf("got %s", got.Body)
	}
	p.WantClosed("without a token", protocol.ReasonHandshakeRefused)
}
