package scenario

import (
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// checks reads {path: value}; a path is written with dots.
func (l *loader) checks(v value) (out []Check) {
	members, _ := l.members(v)
	for _, f := range members {
		text, ok := jsonScalar(f.node)
		if s, isText := f.node.(*ast.StringNode); isText {
			quoted, _ := json.Marshal(s.Value) // a string always marshals
			text, ok = string(quoted), true
		}
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil || !ok {
			l.fail(f.value, "want a plain value to compare with, got %s", kindOf(f.node))
			continue
		}
		out = append(out, Check{Path: strings.Split(f.key, "."), Want: want})
	}
	return out
}

// binds reads {name: path}.
func (l *loader) binds(v value) (out []Bind) {
	members, _ := l.members(v)
	for _, f := range members {
		if _, taken := builtins[f.key]; taken {
			l.fail(f.value, "the name %q is taken; there are %s", f.key, strings.Join(BuiltinNames(), ", "))
			continue
		}
		out = append(out, Bind{Path: strings.Split(l.text(f.value), "."), Slot: l.compiler.slot(f.key)})
	}
	return out
}
