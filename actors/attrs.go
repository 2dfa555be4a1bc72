package actors

import (
	"maps"
	"reflect"
)

// Attributes is where values of a session are kept under names: the same for a
// handler's Ctx, which sees its own changes at once, and for a Ref, whose changes
// are messages to the session and show once it has handled them. Reading is free
// of locks, from any goroutine. It is meant for tens of values, not for
// thousands: a change copies the list.
//
// Who reads gets the value that was set, not a copy: do not change it in place.
type Attributes interface {
	// Value returns what was set under key, nil when nothing was.
	Value(key string) any
	// Set keeps v under key; nil is a value.
	Set(key string, v any)
}

var (
	_ Attributes = (*Ctx)(nil)
	_ Attributes = (*Ref)(nil)
)

// Key is the name of an attribute together with its type, so that a wrong type
// does not compile:
//
//	const Gold actors.Key[int] = "gold"
//
//	Gold.Set(c, Gold.Get(c)+5)
type Key[T any] string

// Get returns the attribute, the zero T when there is none or it has another type.
func (k Key[T]) Get(from Attributes) T { return Get[T](from, string(k)) }

// Set keeps v.
func (k Key[T]) Set(in Attributes, v T) { in.Set(string(k), v) }

// Get returns the attribute under key as a T, and the zero T when there is none
// or it is no T.
func Get[T any](from Attributes, key string) T {
	v, _ := Lookup[T](from, key)
	return v
}

// Lookup returns the attribute under key as a T; ok is false when there is none or
// it is no T. A number reads as any numeric type that holds it exactly, because a
// state that went through JSON comes back with float64s.
func Lookup[T any](from Attributes, key string) (v T, ok bool) {
	have := from.Value(key)
	if v, ok = have.(T); ok || have == nil {
		return v, ok
	}
	to := reflect.ValueOf(&v).Elem()
	n := reflect.ValueOf(have)
	if !number(n.Kind()) || !number(to.Kind()) {
		return v, false
	}
	got := n.Convert(to.Type())
	if !got.Convert(n.Type()).Equal(n) || negative(got) != negative(n) {
		return v, false
	}
	to.Set(got)
	return v, true
}

func number(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }

// negative tells an int64 that became a uint64 and back, unchanged in its bits.
func negative(v reflect.Value) bool {
	switch {
	case v.CanInt():
		return v.Int() < 0
	case v.CanFloat():
		return v.Float() < 0
	}
	return false
}

// attrs is a session's list of attributes. A list that was published is never
// changed, so that it can be read from anywhere.
type attrs []attr

type attr struct {
	key   string
	value any
}

func (a attrs) lookup(key string) (any, bool) {
	for i := range a {
		if a[i].key == key {
			return a[i].value, true
		}
	}
	return nil, false
}

// with returns a copy in which key has the value v.
func (a attrs) with(key string, v any) attrs {
	next := make(attrs, len(a), len(a)+1)
	copy(next, a)
	for i := range next {
		if next[i].key == key {
			next[i].value = v
			return next
		}
	}
	return append(next, attr{key, v})
}

// without returns a copy that lacks key.
func (a attrs) without(key string) attrs {
	next := make(attrs, 0, len(a))
	for _, have := range a {
		if have.key != key {
			next = append(next, have)
		}
	}
	return next
}

func (a attrs) state() map[string]any {
	m := make(map[string]any, len(a))
	for _, have := range a {
		m[have.key] = have.value
	}
	return m
}

// attrOrder changes the attributes of a session, whoever sent it.
type attrOrder struct {
	op    attrOp
	key   string
	value any
	state map[string]any
}

type attrOp uint8

const (
	attrSet attrOp = iota
	attrRemove
	attrRestore // nothing is left but state
)

func (o *attrOrder) carry(s *Session, _ *turn) {
	m := s.rare()
	var next attrs
	switch o.op {
	case attrSet:
		next = s.attrs().with(o.key, o.value)
	case attrRemove:
		next = s.attrs().without(o.key)
	case attrRestore:
		next = make(attrs, 0, len(o.state))
		for key, v := range o.state {
			next = append(next, attr{key, v})
		}
	}
	m.attrs.Store(&next)
}

func (r *Ref) attrs() attrs {
	if m := r.more.Load(); m != nil {
		if list := m.attrs.Load(); list != nil {
			return *list
		}
	}
	return nil
}

// Value implements Attributes.
func (r *Ref) Value(key string) any {
	v, _ := r.attrs().lookup(key)
	return v
}

// Has reports whether something is set under key, nil included.
func (r *Ref) Has(key string) bool {
	_, ok := r.attrs().lookup(key)
	return ok
}

// State returns a copy of all attributes, fit to be kept or stored.
func (r *Ref) State() map[string]any { return r.attrs().state() }

// Set implements Attributes.
func (r *Ref) Set(key string, v any) { r.send(&attrOrder{op: attrSet, key: key, value: v}) }

// Remove forgets what is set under key.
func (r *Ref) Remove(key string) { r.send(&attrOrder{op: attrRemove, key: key}) }

// Restore replaces all attributes by a copy of state.
func (r *Ref) Restore(state map[string]any) {
	r.send(&attrOrder{op: attrRestore, state: maps.Clone(state)})
}

// Clear forgets all attributes.
func (r *Ref) Clear() { r.Restore(nil) }

// Value implements Attributes.
func (c *Ctx) Value(key string) any { return c.s.Value(key) }

// Has reports whether something is set under key, nil included.
func (c *Ctx) Has(key string) bool { return c.s.Has(key) }

// State returns a copy of all attributes, fit to be kept or stored.
func (c *Ctx) State() map[string]any { return c.s.State() }

// Set implements Attributes.
func (c *Ctx) Set(key string, v any) { c.carry(&attrOrder{op: attrSet, key: key, value: v}) }

// Remove forgets what is set under key.
func (c *Ctx) Remove(key string) { c.carry(&attrOrder{op: attrRemove, key: key}) }

// Restore replaces all attributes by a copy of state.
func (c *Ctx) Restore(state map[string]any) {
	c.carry(&attrOrder{op: attrRestore, state: maps.Clone(state)})
}

// Clear forgets all attributes.
func (c *Ctx) Clear() { c.Restore(nil) }
