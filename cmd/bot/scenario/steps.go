package scenario

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// defaultTimeout is how long an answer or an expected push may take.
const defaultTimeout = 10 * time.Second

// stepKinds maps the name of a step to what compiles it.
var stepKinds map[string]func(l *loader, v value, op *Op)

// The names in the order in which a message lists them.
var stepNames = []string{
	"connect", "request", "notify", "publish", "send", "expect", "think", "loop", "close", "stall", "raw", "expect_close", "http",
}

func init() {
	stepKinds = map[string]func(l *loader, v value, op *Op){
		"connect":      (*loader).connectStep,
		"close":        (*loader).closeStep,
		"request":      (*loader).requestStep,
		"notify":       (*loader).notifyStep,
		"publish":      (*loader).publishStep,
		"send":         (*loader).sendStep,
		"expect":       (*loader).expectStep,
		"think":        (*loader).thinkStep,
		"stall":        (*loader).stallStep,
		"raw":          (*loader).rawStep,
		"expect_close": (*loader).expectCloseStep,
		"http":         (*loader).httpStep,
	}
}

// steps compiles a list of steps behind ops; depth counts the loops around it.
func (l *loader) steps(ops []Op, v value, depth int) []Op {
	for _, item := range l.items(v) {
		kind, body, ok := l.step(item)
		if !ok {
			continue
		}
		if kind == "loop" {
			ops = l.loop(ops, body, depth)
			continue
		}
		op := Op{Line: item.line, Metric: -1}
		stepKinds[kind](l, body, &op)
		ops = append(ops, op)
	}
	return ops
}

// step splits "- kind: body" or "- kind".
func (l *loader) step(item value) (kind string, body value, ok bool) {
	if s, isText := item.node.(*ast.StringNode); isText {
		kind, body = s.Value, value{path: item.path + "." + s.Value, line: item.line}
	} else {
		members, ok := l.members(item)
		if !ok {
			return "", body, false
		}
		if len(members) != 1 {
			l.fail(item, "a step is one of %s, and nothing beside it", strings.Join(stepNames, ", "))
			return "", body, false
		}
		kind, body = members[0].key, members[0].value
	}
	if !slices.Contains(stepNames, kind) {
		l.fail(body, "no such step; there are %s", strings.Join(stepNames, ", "))
		return "", body, false
	}
	return kind, body, true
}

func (l *loader) loop(ops []Op, v value, depth int) []Op {
	enter := Op{Kind: OpLoop, Line: v.line, Metric: -1, Depth: depth}
	var steps value
	for _, f := range l.fields(v, "times", "steps") {
		switch f.key {
		case "times":
			enter.Times = l.whole(f.value, 1, 1<<30)
		case "steps":
			steps = f.value
		}
	}
	if depth >= MaxDepth {
		l.fail(v, "loops nest at most %d deep", MaxDepth)
		return ops
	}
	if steps.node == nil {
		l.fail(v, `a loop needs "steps"`)
		return ops
	}
	at := len(ops)
	ops = l.steps(append(ops, enter), steps, depth+1)
	if enter.Times == 0 && !waits(ops[at+1:]) {
		l.fail(v, "a loop without times needs a step that waits: request, expect, think or stall")
	}
	ops = append(ops, Op{Kind: OpNext, Line: v.line, Metric: -1, Depth: depth, Times: enter.Times, Jump: at + 1})
	ops[at].Jump = len(ops)
	return ops
}

// waits reports whether some operation takes time.
func waits(ops []Op) bool {
	return slices.ContainsFunc(ops, func(op Op) bool {
		switch op.Kind {
		case OpConnect, OpRequest, OpExpect, OpThink, OpStall, OpExpectEnd, OpHTTP:
			return true
		}
		return false
	})
}

func (l *loader) connectStep(v value, op *Op) {
	op.Kind = OpConnect
	for _, f := range l.fields(orNull(v), "handshake") {
		op.Bare = !l.boolean(f.value)
	}
}

func (l *loader) closeStep(v value, op *Op) {
	op.Kind = OpClose
	l.fields(orNull(v))
}

// orNull gives a step written without a body an empty one.
func orNull(v value) value {
	if v.node == nil {
		v.node = &ast.NullNode{}
	}
	return v
}

func (l *loader) requestStep(v value, op *Op) {
	op.Kind, op.Timeout = OpRequest, defaultTimeout
	as := ""
	for _, f := range l.fields(v, "route", "body", "as", "expect", "bind", "enter", "leave", "timeout") {
		switch f.key {
		case "route":
			op.Route = l.text(f.value)
		case "body":
			op.Body = l.body(f.value)
		case "as":
			as = l.text(f.value)
		case "expect":
			op.Checks = l.checks(f.value)
		case "bind":
			op.Binds = l.binds(f.value)
		case "enter":
			op.Enter = l.boolean(f.value)
		case "leave":
			op.Leave = l.boolean(f.value)
		case "timeout":
			op.Timeout = l.duration(f.value)
		}
	}
	l.pomeloOnly(v, "request")
	l.route(v, op)
	if as == "" {
		as = op.Route
	}
	op.Metric = l.metric("request", as)
}

func (l *loader) notifyStep(v value, op *Op) {
	op.Kind = OpNotify
	for _, f := range l.fields(v, "route", "body") {
		if f.key == "route" {
			op.Route = l.text(f.value)
		} else {
			op.Body = l.body(f.value)
		}
	}
	l.pomeloOnly(v, "notify")
	l.route(v, op)
}

func (l *loader) publishStep(v value, op *Op) {
	op.Kind, op.Publish, op.Timeout = OpNotify, true, defaultTimeout
	push := ""
	for _, f := range l.fields(v, "route", "body", "push", "sampled", "request", "timeout") {
		switch f.key {
		case "route":
			op.Route = l.text(f.value)
		case "body":
			op.Body = l.body(f.value)
		case "push":
			push = l.text(f.value)
		case "sampled":
			op.Sampled = l.boolean(f.value)
		case "request":
			if l.boolean(f.value) {
				op.Kind = OpRequest
			}
		case "timeout":
			op.Timeout = l.duration(f.value)
		}
	}
	l.pomeloOnly(v, "publish")
	l.route(v, op)
	if op.Kind == OpRequest {
		op.Metric = l.metric("request", op.Route)
	}
	l.push(v, op, push)
}

// push registers the push that members get for a publication.
func (l *loader) push(v value, op *Op, route string) {
	if route == "" {
		l.fail(v, `needs "push", the route by which members hear it`)
		return
	}
	if !op.Body.marked() {
		l.fail(v, "the body of a publication needs {{mark}} in one of its texts: pushes are recognised by it")
	}
	l.out.Pushes[route] = Push{Metric: l.metric("push", route), Sampled: op.Sampled}
}

func (l *loader) sendStep(v value, op *Op) {
	op.Kind = OpNotify
	push := ""
	for _, f := range l.fields(v, "body", "push", "sampled", "enter", "leave") {
		switch f.key {
		case "body":
			op.Body = l.body(f.value)
		case "push":
			push = l.text(f.value)
		case "sampled":
			op.Sampled = l.boolean(f.value)
		case "enter":
			op.Enter = l.boolean(f.value)
		case "leave":
			op.Leave = l.boolean(f.value)
		}
	}
	if !l.out.Text {
		l.fail(v, `send is for "protocol: text"; use notify or request`)
	}
	if op.Body == nil {
		l.fail(v, `needs a "body"`)
	}
	if push != "" {
		op.Publish = true
		l.push(v, op, push)
	}
}

func (l *loader) expectStep(v value, op *Op) {
	op.Kind, op.Timeout = OpExpect, defaultTimeout
	for _, f := range l.fields(v, "push", "match", "bind", "timeout", "enter") {
		switch f.key {
		case "push":
			op.Route = l.text(f.value)
		case "match":
			op.Checks = l.checks(f.value)
		case "bind":
			op.Binds = l.binds(f.value)
		case "timeout":
			op.Timeout = l.duration(f.value)
		case "enter":
			op.Enter = l.boolean(f.value)
		}
	}
	if op.Route == "" {
		l.fail(v, `needs "push", the route to wait for (in text scenarios: the type)`)
	}
	op.Metric = l.metric("expect", op.Route)
}

func (l *loader) thinkStep(v value, op *Op) {
	op.Kind = OpThink
	l.span(v, op)
	if op.Max == 0 {
		l.fail(v, "think takes a duration, or min and max")
	}
}

func (l *loader) stallStep(v value, op *Op) {
	op.Kind = OpStall
	l.out.Stops = true
	if v.node != nil && v.node.Type() != ast.NullType {
		l.span(v, op)
	}
}

// span reads "2s" or "{min: 1s, max: 3s}".
func (l *loader) span(v value, op *Op) {
	switch v.node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		for _, f := range l.fields(v, "min", "max") {
			if f.key == "min" {
				op.Min = l.duration(f.value)
			} else {
				op.Max = l.duration(f.value)
			}
		}
		if op.Max < op.Min {
			l.fail(v, "max is below min")
		}
	case nil:
	default:
		op.Min = l.duration(v)
		op.Max = op.Min
	}
}

func (l *loader) rawStep(v value, op *Op) {
	op.Kind = OpRaw
	for _, f := range l.fields(v, "hex", "text") {
		text := l.text(f.value)
		if f.key == "text" {
			op.Raw = []byte(text)
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			l.fail(f.value, "%q is not hexadecimal", text)
		}
		op.Raw = raw
	}
	if len(op.Raw) == 0 {
		l.fail(v, `needs "hex" or "text"`)
	}
}

func (l *loader) expectCloseStep(v value, op *Op) {
	op.Kind, op.Timeout = OpExpectEnd, defaultTimeout
	for _, f := range l.fields(orNull(v), "within") {
		op.Timeout = l.duration(f.value)
	}
	op.Metric = l.metric("expect", "close")
}

func (l *loader) httpStep(v value, op *Op) {
	op.Kind, op.Timeout = OpHTTP, defaultTimeout
	h := &HTTP{Method: "POST", Header: map[string]string{}}
	op.HTTP, l.out.HTTP = h, true
	as, push := "", ""
	for _, f := range l.fields(v, "method", "url", "header", "form", "json", "status", "as", "push", "timeout") {
		switch f.key {
		case "method":
			h.Method = l.text(f.value)
		case "url":
			h.URL = l.text(f.value)
		case "header":
			headers, _ := l.members(f.value)
			for _, hf := range headers {
				h.Header[hf.key] = l.text(hf.value)
			}
		case "form":
			op.Body, h.ContentType = l.body(f.value), "application/x-www-form-urlencoded"
		case "json":
			op.Body, h.ContentType = l.body(f.value), "application/json"
		case "status":
			h.Status = l.whole(f.value, 100, 599)
		case "as":
			as = l.text(f.value)
		case "push":
			push = l.text(f.value)
		case "timeout":
			op.Timeout = l.duration(f.value)
		}
	}
	if h.URL == "" {
		l.fail(v, `needs "url", a path or a whole address`)
	}
	if as == "" {
		as = h.URL
	}
	op.Metric = l.metric("http", as)
	if push != "" {
		op.Publish = true
		l.push(v, op, push)
	}
}

func (l *loader) route(v value, op *Op) {
	if op.Route == "" {
		l.fail(v, `needs a "route"`)
	} else if len(op.Route) > 255 {
		l.fail(v, "route is longer than 255 bytes")
	}
}

func (l *loader) pomeloOnly(v value, step string) {
	if l.out.Text {
		l.fail(v, `%s speaks pomelo; use send in "protocol: text"`, step)
	}
}
