package actors

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// component is a value whose exported methods are routes.
type component struct {
	// Set before Start, read-only afterwards.
	value     any
	name      string
	nameOf    func(string) string
	perMethod map[string][]RouteOption
	each      []RouteOption
	serial    bool
	hooksOnly bool

	desk *desk // of a Serial component, made at the start
}

// ComponentOption changes how a component is registered.
type ComponentOption func(*component)

// Named gives the component's routes their first part; without it that is the name
// of its type.
func Named(name string) ComponentOption { return func(c *component) { c.name = name } }

// NameFunc makes the last part of a route from the name of its method, for
// instance strings.ToLower; without it that is the name as it is.
func NameFunc(f func(method string) string) ComponentOption {
	return func(c *component) { c.nameOf = f }
}

// LowerFirst names the routes as JavaScript would: the method JoinRoom of a Lobby
// serves lobby.joinRoom. Named may follow it.
func LowerFirst(c *component) { c.name, c.nameOf = lowerFirst(c.name), lowerFirst }

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// Method gives options to the route of one method.
func Method(name string, opts ...RouteOption) ComponentOption {
	return func(c *component) { c.perMethod[name] = append(c.perMethod[name], opts...) }
}

// EachRoute gives options to all routes of the component.
func EachRoute(opts ...RouteOption) ComponentOption {
	return func(c *component) { c.each = append(c.each, opts...) }
}

// HooksOnly says that the component has no handlers on purpose: it is there for
// its life cycle.
func HooksOnly(c *component) { c.hooksOnly = true }

// Component registers v, mostly a pointer to a struct. Each exported method whose
// first parameter is a *Ctx serves the route <name>.<method>:
//
//	func (l *Lobby) Join(c *actors.Ctx, req *JoinRequest) (*JoinReply, error) // a request
//	func (l *Lobby) Say(c *actors.Ctx, req *Message) error                    // a notify; or answer with c.Reply
//	func (l *Lobby) Wave(c *actors.Ctx, req *Message)                         // a notify that cannot fail
//	func (l *Lobby) Blob(c *actors.Ctx, body []byte) ([]byte, error)          // raw
//	func (l *Lobby) Ping(c *actors.Ctx, body []byte) error                    // raw, without a reply
//
// and what holds of Handle holds of them. Handlers of different sessions run at
// the same time: a component whose fields they change is to be Serial.
//
// Reflection finds the methods once and calls them from then on, which costs 0.3 to
// 0.4 µs a call and one (raw) or three (typed) small allocations more than a
// function given to Handle. Where that matters give Handle the method itself,
// actors.Handle(app, "lobby.join", lobby.Join), which no reflection is in.
//
// A component may also have any of the hooks Init, AfterInit, BeforeShutdown and
// Shutdown, each as func(), func() error or func(context.Context) error. Start
// calls all Init in the order of registration and then all AfterInit; sessions
// open only then. Shutdown calls all BeforeShutdown in reverse order, while
// sessions are still there, and Finish all Shutdown. Each has Config.HookTimeout,
// at which its context ends.
//
// Component is for the time before Start, which reports what is wrong: a component
// without handlers, a method with a *Ctx and a wrong signature, a hook that is
// none, a route that exists.
func (a *App) Component(v any, opts ...ComponentOption) {
	t := reflect.TypeOf(v)
	if t == nil {
		a.fail("component nil: pass a pointer to a struct with handlers")
		return
	}
	c := &component{
		value: v, name: reflect.Indirect(reflect.ValueOf(v)).Type().Name(),
		nameOf: func(s string) string { return s }, perMethod: make(map[string][]RouteOption),
	}
	for _, o := range opts {
		o(c)
	}
	if c.name == "" || strings.HasPrefix(c.name, ".") || strings.HasSuffix(c.name, ".") {
		a.fail("component %v: the name %q is no first part of a route: use actors.Named", t, c.name)
		return
	}
	if c.serial {
		c.desk = &desk{app: a, name: c.name}
	}
	handlers := a.handlers(c)
	switch {
	case handlers == 0 && c.hooksOnly:
	case handlers == 0 && reflect.PointerTo(t).NumMethod() > t.NumMethod():
		a.fail("component %v has no handlers: its methods belong to the pointer, pass &%s{}", t, t.Name())
	case handlers == 0:
		a.fail("component %v has no handlers: export a method such as %s, or say actors.HooksOnly", t, wantMethod)
	}
	for name := range c.perMethod {
		a.fail("component %v: actors.Method(%q): it has no such handler", t, name)
	}
	a.checkHooks(c)
	a.components = append(a.components, c)
}

const wantMethod = "func(*actors.Ctx, *Req) (*Rep, error)"

// handlers registers the methods that take a *Ctx and returns how many there are.
func (a *App) handlers(c *component) (n int) {
	t := reflect.TypeOf(c.value)
	for i := range t.NumMethod() {
		m := t.Method(i)
		if m.Type.NumIn() < 2 || m.Type.In(1) != reflect.TypeFor[*Ctx]() {
			if m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[Ctx]() {
				a.fail("component %v: method %s takes a Ctx: take a *actors.Ctx", t, m.Name)
			}
			continue
		}
		n++
		h, err := methodHandler(reflect.ValueOf(c.value), m)
		if err != nil {
			a.fail("component %v: method %s %w", t, m.Name, err)
			delete(c.perMethod, m.Name)
			continue
		}
		opts := slices.Concat(c.each, c.perMethod[m.Name], []RouteOption{func(r *route) { r.owner = c.name }})
		if c.desk != nil {
			opts = append(opts, c.desk.serve)
		}
		delete(c.perMethod, m.Name)
		a.add(c.name+"."+c.nameOf(m.Name), h.call, h.req, h.rep, opts)
	}
	return n
}

// handler is what becomes of a method.
type handler struct {
	call     RouteFunc
	req, rep reflect.Type
}

// methodHandler makes a handler of a method of v whose first parameter is a *Ctx.
func methodHandler(v reflect.Value, m reflect.Method) (handler, error) {
	switch f := v.Method(m.Index).Interface().(type) {
	case func(*Ctx, []byte) ([]byte, error):
		return handler{call: rawCall(f)}, nil
	case func(*Ctx, []byte) error:
		return handler{call: func(c *Ctx, in Inbound) { c.done(f(c, in.Body)) }}, nil
	}
	in, out := m.Type.NumIn(), m.Type.NumOut()
	isError := out > 0 && m.Type.Out(out-1) == reflect.TypeFor[error]()
	switch {
	case in != 3 || m.Type.In(2).Kind() != reflect.Pointer:
		return handler{}, fmt.Errorf("is %s: take a *actors.Ctx and a pointer to the request, as in %s", signature(m), wantMethod)
	case out > 2 || out > 0 && !isError:
		return handler{}, fmt.Errorf("is %s: return (*Rep, error), error or nothing", signature(m))
	case out == 2 && m.Type.Out(0).Kind() != reflect.Pointer:
		return handler{}, fmt.Errorf("is %s: return a pointer to the reply, as in %s", signature(m), wantMethod)
	}
	h := handler{req: m.Type.In(2).Elem()}
	if out == 2 {
		h.rep = m.Type.Out(0).Elem()
	}
	h.call = typedCall(v, m.Func, h)
	return h, nil
}

// typedCall calls a typed method, by reflect because its types are known only now.
func typedCall(v, f reflect.Value, h handler) RouteFunc {
	return func(c *Ctx, in Inbound) {
		req := reflect.New(h.req)
		if err := c.decode(in.Body, req.Interface()); err != nil {
			c.ReplyError(err)
			return
		}
		out := f.Call([]reflect.Value{v, reflect.ValueOf(c), req})
		var err error
		if n := len(out); n > 0 {
			err, _ = out[n-1].Interface().(error)
		}
		switch {
		case h.rep == nil || err != nil:
			c.done(err)
		case out[0].IsNil():
			c.Reply(nil)
		default:
			c.Reply(out[0].Interface())
		}
	}
}

// signature is the type of a method as its author wrote it, without the receiver.
func signature(m reflect.Method) string {
	in := make([]string, 0, m.Type.NumIn())
	for i := 1; i < m.Type.NumIn(); i++ {
		in = append(in, m.Type.In(i).String())
	}
	out := make([]string, 0, m.Type.NumOut())
	for i := range m.Type.NumOut() {
		out = append(out, m.Type.Out(i).String())
	}
	return strings.TrimSpace(fmt.Sprintf("func(%s) (%s)", strings.Join(in, ", "), strings.Join(out, ", ")))
}
