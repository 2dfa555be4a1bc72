package actors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
)

// ErrFunction says that a function was to choose members of other nodes, where it
// cannot go.
var ErrFunction = errors.New("a function does not travel to other nodes: use Where, or a Local group")

// Filter chooses members of a group: Where, or a FilterFunc. It runs in the group's
// actor.
type Filter interface {
	passes(m GroupMember) bool
	// write makes it a message for other nodes.
	write() ([]byte, error)
}

// FilterFunc is a filter for groups of one node. It must be quick, must not call the
// group, and must not keep m.
type FilterFunc func(m GroupMember) bool

func (f FilterFunc) passes(m GroupMember) bool { return f(m) }
func (FilterFunc) write() ([]byte, error)      { return nil, ErrFunction }

// Where chooses the members whose attribute key has that value. Numbers are the same
// when their values are, whatever their types; other values of members elsewhere when
// JSON writes them alike.
func Where[T comparable](key string, v T) Filter { return whereOf[T]{where{key, v}, v} }

// whereOf is Where as it was called: of values of one type it needs no more than ==.
type whereOf[T comparable] struct {
	where
	v T
}

func (w whereOf[T]) passes(m GroupMember) bool {
	have := m.Value(w.key)
	if v, ok := have.(T); ok {
		return v == w.v
	}
	return same(have, w.value)
}

// where is Where as other nodes are told of it.
type where struct {
	key   string
	value any
}

func (w where) passes(m GroupMember) bool { return same(m.Value(w.key), w.value) }

func (w where) write() ([]byte, error) {
	v, err := json.Marshal(w.value)
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", w.key, err)
	}
	return talk.PutBytes(talk.PutBytes([]byte{filterWhere}, w.key), v), nil
}

// same compares values of which one may have been JSON on its way.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case !x.IsValid() || !y.IsValid():
		return a == nil && b == nil
	case number(x.Kind()) && number(y.Kind()):
		return sameNumber(x, y)
	case x.Type() == y.Type() && x.Comparable() && y.Comparable():
		return x.Equal(y)
	}
	p, err := json.Marshal(a)
	q, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(p, q)
}

func sameNumber(x, y reflect.Value) bool {
	if x.Type() == y.Type() {
		return x.Equal(y)
	}
	as := y.Convert(x.Type())
	return as.Equal(x) && as.Convert(y.Type()).Equal(y) && negative(x) == negative(y)
}

// oneSession chooses the member with this session id.
type oneSession uint64

func (f oneSession) passes(m GroupMember) bool { return m.ID() == uint64(f) }

func (f oneSession) write() ([]byte, error) {
	return talk.PutUint([]byte{filterSession}, uint64(f)), nil
}

// Filters as other nodes are told of them.
const (
	filterAll     = 0
	filterSession = 1 // session
	filterWhere   = 2 // key, value as JSON
)

// readFilter is the way back; nil chooses all.
func readFilter(r *talk.Reader) Filter {
	code, _ := r.Next()
	switch code {
	case filterAll:
		return nil
	case filterSession:
		return oneSession(r.Uint())
	case filterWhere:
		w := where{key: r.String()}
		if json.Unmarshal(r.Bytes(), &w.value) == nil {
			return w
		}
	}
	r.Fail()
	return nil
}
