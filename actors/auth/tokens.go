// Package auth lets players in by signed tokens that expire: issued at a login,
// shown again in the handshake or to a route after a reconnect, so that the name
// and the password are asked once. Tokens are JWTs signed with HMAC-SHA256.
package auth

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/shaddock-game/shaddock/protocol"
)

// Key is a secret to sign with, and the name under which tokens refer to it.
type Key struct {
	ID     string
	Secret []byte // at least 32 bytes, random; kept, not copied
}

// Config says how tokens are made. Keys must be given; the rest has defaults.
type Config struct {
	// Keys: the first one signs, all of them verify. To rotate, put a new key at the
	// front, and take the old one out when its last token has expired.
	Keys   []Key
	TTL    time.Duration // how long a token is good, 24 h
	Issuer string        // "shaddock"; tokens of another issuer are refused
}

// Tokens issues and verifies tokens. Its methods are safe from any goroutine.
type Tokens struct {
	ttl    time.Duration
	issuer string
	keys   atomic.Pointer[[]Key]
}

// New returns the Tokens of cfg. The error names the key that is unusable.
func New(cfg Config) (*Tokens, error) {
	t := &Tokens{ttl: cfg.TTL, issuer: cfg.Issuer}
	if t.ttl <= 0 {
		t.ttl = 24 * time.Hour
	}
	if t.issuer == "" {
		t.issuer = "shaddock"
	}
	return t, t.Rotate(cfg.Keys)
}

// minSecret is the size of the hash: RFC 7518, 3.2 asks for a key of at least that.
const minSecret = 32

// Rotate replaces the keys, for all tokens from now on. With an error, which names
// the key that is unusable, the old ones stay.
func (t *Tokens) Rotate(keys []Key) error {
	if len(keys) == 0 {
		return errors.New("token keys: give at least one")
	}
	for i, k := range keys {
		switch {
		case k.ID == "":
			return fmt.Errorf("token keys: the id of key %d is empty", i+1)
		case len(k.Secret) < minSecret:
			return fmt.Errorf("token keys: the secret of %q has %d bytes: give at least %d random ones", k.ID, len(k.Secret), minSecret)
		case slices.ContainsFunc(keys[:i], func(o Key) bool { return o.ID == k.ID }):
			return fmt.Errorf("token keys: the id %q is given twice", k.ID)
		}
	}
	keys = slices.Clone(keys)
	t.keys.Store(&keys)
	return nil
}

// Identity is who a token speaks for.
type Identity struct {
	UID     string    `json:"uid"`
	Roles   []string  `json:"roles,omitempty"` // what Require asks for; may be empty
	Expires time.Time `json:"-"`
}

// UserID implements actors.Identified: a session whose handshake validator returns
// an *Identity is bound to it.
func (i *Identity) UserID() string { return i.UID }

type claims struct {
	jwt.RegisteredClaims
	Roles []string `json:"roles,omitempty"`
}

// Issue returns a token for id, and when it expires; id.Expires does not count.
func (t *Tokens) Issue(id Identity) (token string, expires time.Time, err error) {
	if id.UID == "" {
		return "", expires, errors.New("issue token: the uid is empty")
	}
	key := (*t.keys.Load())[0]
	now := time.Now()
	expires = now.Add(t.ttl).Truncate(time.Second)
	j := jwt.NewWithClaims(jwt.SigningMethodHS256, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Subject: id.UID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Roles: id.Roles,
	})
	j.Header["kid"] = key.ID
	if token, err = j.SignedString(key.Secret); err != nil {
		return "", expires, fmt.Errorf("issue token: %w", err)
	}
	return token, expires, nil
}

// Verify returns who a token speaks for. The error is a *protocol.Error of
// CodeUnauthenticated that says whether the token has expired, which a client may
// mend by a new login, or is not good at all.
func (t *Tokens) Verify(token string) (*Identity, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, t.key,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // no token may choose how it is verified
		jwt.WithIssuer(t.issuer), jwt.WithExpirationRequired())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, protocol.Errorf(protocol.CodeUnauthenticated, "the token has expired").With(err)
	case err != nil:
		return nil, protocol.Errorf(protocol.CodeUnauthenticated, "bad token").With(err)
	case c.Subject == "":
		return nil, protocol.Errorf(protocol.CodeUnauthenticated, "bad token")
	}
	return &Identity{UID: c.Subject, Roles: c.Roles, Expires: c.ExpiresAt.Time}, nil
}

// key finds the key that a token says it was signed with.
func (t *Tokens) key(j *jwt.Token) (any, error) {
	id, _ := j.Header["kid"].(string)
	for _, k := range *t.keys.Load() {
		if k.ID == id {
			return k.Secret, nil
		}
	}
	return nil, fmt.Errorf("no key %q", id)
}
