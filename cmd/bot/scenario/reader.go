package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Problem is one mistake in a file. Several come joined.
type Problem struct {
	File  string
	Line  int
	Field string // such as behaviours[0].act[1].request.route; "" for the file itself
	Text  string
}

// Error returns "file:line: field: text".
func (p *Problem) Error() string {
	if p.Field == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Field, p.Text)
}

// reader walks a YAML tree and gathers every mistake, so that a file is
// corrected in one go.
type reader struct {
	file     string
	problems []error
}

// value is one node and where it is.
type value struct {
	node ast.Node
	path string
	line int
}

// field is one member of a mapping.
type field struct {
	key string
	value
}

func (r *reader) parse(data []byte) (value, bool) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.syntax(err)
		return value{}, false
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		r.fail(value{line: 1}, "want one YAML document")
		return value{}, false
	}
	return value{node: file.Docs[0].Body, line: 1}, true
}

func (r *reader) syntax(err error) {
	line := 1
	var located interface{ GetMessage() string }
	text := err.Error()
	if errors.As(err, &located) {
		text = located.GetMessage()
	}
	// The message begins with "[line:column]".
	if at, _, ok := strings.Cut(strings.TrimPrefix(err.Error(), "["), ":"); ok {
		if n, aerr := strconv.Atoi(at); aerr == nil {
			line = n
		}
	}
	r.fail(value{line: line}, "not YAML: %s", text)
}

func (r *reader) fail(v value, format string, args ...any) {
	r.problems = append(r.problems, &Problem{File: r.file, Line: v.line, Field: v.path, Text: fmt.Sprintf(format, args...)})
}

// fields returns the members of a mapping and refuses those not in known.
func (r *reader) fields(v value, known ...string) []field {
	all, ok := r.members(v)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(all, func(f field) bool {
		if slices.Contains(known, f.key) {
			return false
		}
		r.fail(f.value, "unknown field; there are %s", strings.Join(known, ", "))
		return true
	})
}

// members returns the members of a mapping in the order of the file. An absent
// value is an empty mapping.
func (r *reader) members(v value) ([]field, bool) {
	var pairs []*ast.MappingValueNode
	switch n := v.node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	case *ast.NullNode:
	default:
		r.fail(v, "want fields, got %s", kindOf(v.node))
		return nil, false
	}
	out := make([]field, 0, len(pairs))
	for _, p := range pairs {
		key := strings.Trim(p.Key.String(), `"'`)
		f := field{key: key, value: value{node: p.Value, path: key, line: p.Key.GetToken().Position.Line}}
		if v.path != "" {
			f.path = v.path + "." + key
		}
		out = append(out, f)
	}
	return out, true
}

// items returns the elements of a sequence.
func (r *reader) items(v value) []value {
	seq, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.fail(v, "want a list, got %s", kindOf(v.node))
		return nil
	}
	out := make([]value, len(seq.Values))
	for i, n := range seq.Values {
		out[i] = value{node: n, path: v.path + "[" + strconv.Itoa(i) + "]", line: v.line}
		if tok := n.GetToken(); tok != nil {
			out[i].line = tok.Position.Line
		}
	}
	return out
}

// text returns a scalar as it was written.
func (r *reader) text(v value) string {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	r.fail(v, "want a text, got %s", kindOf(v.node))
	return ""
}

func (r *reader) boolean(v value) bool {
	if n, ok := v.node.(*ast.BoolNode); ok {
		return n.Value
	}
	r.fail(v, "want true or false, got %s", kindOf(v.node))
	return false
}

func (r *reader) whole(v value, lo, hi int) int {
	n, err := strconv.Atoi(r.text(v))
	if err != nil || n < lo || n > hi {
		r.fail(v, "want a whole number from %d to %d", lo, hi)
		return lo
	}
	return n
}

func (r *reader) duration(v value) time.Duration {
	text := r.text(v)
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.fail(v, "%q is not a duration such as 500ms or 1m30s", text)
		return 0
	}
	return d
}

// kindOf names a node for a message.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "fields"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor (not supported here)"
	}
	return strings.ToLower(n.Type().String())
}
