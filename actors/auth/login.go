package auth

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// ErrDenied is what a check of Login returns for a wrong name or password: the
// client is answered 401.
var ErrDenied = protocol.Errorf(protocol.CodeUnauthenticated, "wrong name or password")

// Welcome is the reply of a login.
type Welcome struct {
	UID     string `json:"uid"`
	Token   string `json:"token"`
	Expires int64  `json:"expires"` // Unix seconds
}

// Login serves a route that logs players in: check looks at the request and says
// who it is, or returns ErrDenied, or another error; then the session is bound and
// the player gets a token. The route is Public and Blocking, since checks ask
// databases; the policy for duplicate logins is that of the application's users.
func Login[Req any](a *actors.App, route string, t *Tokens, check func(c *actors.Ctx, req *Req) (Identity, error), opts ...actors.RouteOption) {
	opts = append([]actors.RouteOption{actors.Public(), actors.Blocking()}, opts...)
	actors.Handle(a, route, func(c *actors.Ctx, req *Req) (*Welcome, error) {
		id, err := check(c, req)
		if err != nil {
			return nil, err
		}
		return t.welcome(c, id)
	}, opts...)
}

// Resume serves a route that takes a token in place of a name and a password, and
// gives a fresh one. A bad or expired token is answered 401.
func Resume(a *actors.App, route string, t *Tokens, opts ...actors.RouteOption) {
	opts = append([]actors.RouteOption{actors.Public()}, opts...)
	actors.Handle(a, route, func(c *actors.Ctx, req *credentials) (*Welcome, error) {
		id, err := t.Verify(req.Token)
		if err != nil {
			return nil, err
		}
		return t.welcome(c, *id)
	}, opts...)
}

type credentials struct {
	Token string `json:"token"`
}

// welcome binds the session and issues its token.
func (t *Tokens) welcome(c *actors.Ctx, id Identity) (*Welcome, error) {
	token, expires, err := t.Issue(id)
	if err != nil {
		return nil, err
	}
	id.Expires = expires.Truncate(time.Second)
	identity.Set(c, &id)
	c.Bind(id.UID)
	return &Welcome{UID: id.UID, Token: token, Expires: expires.Unix()}, nil
}

const identity actors.Key[*Identity] = "auth.identity"

// Of returns who the session has shown to be, by login or handshake; nil when it
// has not. It is not to be changed.
func Of(c *actors.Ctx) *Identity {
	if id := identity.Get(c); id != nil {
		return id
	}
	id, _ := c.User().(*Identity)
	return id
}

// Handshake is a handshake validator: a client may show its token as
// {"user":{"token":"…"}} and is then logged in from the start. A bad token refuses
// the handshake, and so does none where it is required.
func (t *Tokens) Handshake(required bool) func(*actors.Hello) (any, error) {
	return func(h *actors.Hello) (any, error) {
		var user credentials
		if len(h.User) > 0 {
			_ = json.Unmarshal(h.User, &user) // what else clients put there is none of our business
		}
		if user.Token == "" {
			if required {
				return nil, protocol.Errorf(protocol.CodeUnauthenticated, "log in first")
			}
			return nil, nil
		}
		id, err := t.Verify(user.Token)
		if err != nil {
			return nil, err
		}
		return id, nil
	}
}

// Require is an inbound stage that keeps routes for those who have a role: routes
// is one route, or all of a component as "admin.*". Who is not logged in is
// answered 401, who lacks the role 403.
func Require(role, routes string) func(*actors.Ctx, *actors.Inbound) error {
	prefix, all := strings.CutSuffix(routes, "*")
	return func(c *actors.Ctx, _ *actors.Inbound) error {
		if c.Route() != routes && !(all && strings.HasPrefix(c.Route(), prefix)) {
			return nil
		}
		id := Of(c)
		switch {
		case id == nil || c.UID() != id.UID:
			return protocol.Errorf(protocol.CodeUnauthenticated, "log in first")
		case !slices.Contains(id.Roles, role):
			return protocol.Errorf(protocol.CodeRefused, "this is for %s only", role)
		}
		return nil
	}
}
