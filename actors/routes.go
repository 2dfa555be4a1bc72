package actors

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Form is what a route takes and gives.
type Form string

// The forms. A client may send a request to a notify route, and is then answered
// with an empty object; a notify to a request route is handled, and its reply
// dropped.
const (
	FormRequest Form = "request" // typed, with a typed reply
	FormNotify  Form = "notify"  // typed, without a reply
	FormRaw     Form = "raw"     // bytes as they came
)

func formOf(req, rep reflect.Type) Form {
	switch {
	case req == nil:
		return FormRaw
	case rep == nil:
		return FormNotify
	}
	return FormRequest
}

// RouteInfo describes one route.
type RouteInfo struct {
	Route      string        `json:"route"`
	Form       Form          `json:"form"`
	Request    *TypeInfo     `json:"request,omitempty"` // nil where the form is raw
	Reply      *TypeInfo     `json:"reply,omitempty"`
	Owner      string        `json:"owner,omitempty"` // the component that serves it
	Serializer string        `json:"serializer"`
	Code       uint16        `json:"code,omitempty"` // in the dictionary
	Internal   bool          `json:"internal,omitempty"`
	Public     bool          `json:"public,omitempty"`
	Inline     bool          `json:"inline,omitempty"`
	Blocking   bool          `json:"blocking,omitempty"`
	Serial     bool          `json:"serial,omitempty"`
	Limit      string        `json:"limit,omitempty"`       // "5 per 1s"
	Deadline   time.Duration `json:"deadline_ns,omitempty"` // of its own
}

// TypeInfo describes the type of a body.
type TypeInfo struct {
	Type   string      `json:"type"`
	Fields []FieldInfo `json:"fields,omitempty"` // of a struct, as JSON names them
}

// FieldInfo describes one field of a body.
type FieldInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Routes lists the routes that clients can call in alphabetical order.
func (a *App) Routes() []string {
	names := make([]string, 0, len(a.routes))
	for name, r := range a.routes {
		if !r.internal {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// RouteTable describes all routes in alphabetical order, internal ones included.
func (a *App) RouteTable() []RouteInfo {
	infos := make([]RouteInfo, 0, len(a.routes))
	for _, r := range a.routes {
		info := RouteInfo{
			Route: r.name, Form: r.form, Request: describe(r.req), Reply: describe(r.rep),
			Owner: r.owner, Serializer: r.serializer.Name(),
			Internal: r.internal, Public: r.public, Inline: r.inline, Blocking: r.blocking, Serial: r.serial, Deadline: r.deadline,
		}
		if a.table != nil {
			info.Code = a.table.Code(r.name)
		}
		if r.limit.n > 0 {
			info.Limit = fmt.Sprintf("%d per %v", r.limit.n, r.limit.per)
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(x, y RouteInfo) int { return strings.Compare(x.Route, y.Route) })
	return infos
}

func describe(t reflect.Type) *TypeInfo {
	if t == nil {
		return nil
	}
	info := &TypeInfo{Type: t.String()}
	if t.Kind() != reflect.Struct {
		return info
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		info.Fields = append(info.Fields, FieldInfo{name, f.Type.String()})
	}
	return info
}

// Start ends the registration and brings the components up. It reports everything
// that is wrong with the registration, each naming the route or method and the
// fix, or the first component that did not come up.
func (a *App) Start() error {
	if err := a.Check(); err != nil {
		return err
	}
	return a.begin()
}

// Check ends the registration and reports what is wrong with it, as Start does,
// but brings nothing up: for tools that look at an application.
func (a *App) Check() error {
	a.started = true
	table, err := protocol.NewRoutes(a.Routes(), a.cfg.Dict)
	if err != nil {
		a.errs = append(a.errs, fmt.Errorf("route dictionary: %w", err))
	}
	a.table = table
	for _, r := range a.routes { // the others only hand their call on
		r.onLoop = r.inline || r.blocking || r.serial
	}
	return errors.Join(a.errs...)
}
