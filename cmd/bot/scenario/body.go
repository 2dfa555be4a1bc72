package scenario

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// body compiles any YAML value into JSON text with holes. Members keep the
// order of the file.
func (l *loader) body(v value) *Template {
	t := &Template{}
	l.bodyInto(t, v)
	return t
}

func (l *loader) bodyInto(t *Template, v value) {
	switch n := v.node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		members, _ := l.members(v)
		t.lit("{")
		for i, f := range members {
			if i > 0 {
				t.lit(",")
			}
			key, _ := json.Marshal(f.key) // a string always marshals
			t.lit(string(key) + ":")
			l.bodyInto(t, f.value)
		}
		t.lit("}")
	case *ast.SequenceNode:
		t.lit("[")
		for i, item := range l.items(v) {
			if i > 0 {
				t.lit(",")
			}
			l.bodyInto(t, item)
		}
		t.lit("]")
	case *ast.StringNode, *ast.LiteralNode:
		if err := l.compiler.text(t, l.text(v)); err != nil {
			l.fail(v, "%v", err)
		}
	default:
		scalar, ok := jsonScalar(n)
		if !ok {
			l.fail(v, "%s has no place in a body", kindOf(n))
		}
		t.lit(scalar)
	}
}

// jsonScalar writes a YAML scalar other than a string as JSON.
func jsonScalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.NullNode:
		return "null", true
	case *ast.BoolNode:
		return strconv.FormatBool(n.Value), true
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case int64:
			return strconv.FormatInt(i, 10), true
		case uint64:
			return strconv.FormatUint(i, 10), true
		}
	case *ast.FloatNode:
		if !math.IsInf(n.Value, 0) && !math.IsNaN(n.Value) {
			return strconv.FormatFloat(n.Value, 'g', -1, 64), true
		}
	}
	return "null", false
}
