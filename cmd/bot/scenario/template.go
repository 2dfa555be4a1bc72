package scenario

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
)

// Env is what templates can speak of. The engine fills one and reuses it.
type Env struct {
	Session  int // number of the session in the run
	Sessions int
	Room     uint32 // number of its room
	Rooms    int
	Acts     uint32 // acts this session has begun
	NowMS    int64  // the wall clock, in milliseconds
	Run      uint16 // number of the run
	Token    string
	Vars     [][]byte // values bound from answers, as JSON; nil: not bound yet
	Mark     measure.Mark
	Rand     *rand.Rand
}

// Template is JSON text with holes. It is immutable and may be rendered from
// any goroutine. A nil Template renders as nothing.
type Template struct {
	parts []part
}

// part is a literal, followed by a hole unless fill is nil.
type part struct {
	lit    []byte
	fill   func(dst []byte, e *Env, a [2]int64) []byte
	args   [2]int64
	slot   int  // of a variable, when fill is fillVar
	isVar  bool // fill comes from Vars
	inText bool // the hole is inside a JSON string
}

// Append renders t to dst.
func (t *Template) Append(dst []byte, e *Env) []byte {
	if t == nil {
		return dst
	}
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.lit...)
		switch {
		case p.isVar:
			dst = appendVar(dst, e.Vars, p.slot, p.inText)
		case p.fill != nil:
			dst = p.fill(dst, e, p.args)
		}
	}
	return dst
}

// appendVar writes a bound value: as it is, or its text when inside a string.
func appendVar(dst []byte, vars [][]byte, slot int, inText bool) []byte {
	var v []byte
	if slot < len(vars) {
		v = vars[slot]
	}
	switch {
	case v == nil && inText:
		return dst
	case v == nil:
		return append(dst, "null"...)
	case !inText:
		return append(dst, v...)
	case v[0] == '"':
		return append(dst, v[1:len(v)-1]...)
	case v[0] == '{' || v[0] == '[':
		quoted, _ := json.Marshal(string(v)) // a string always marshals
		return append(dst, quoted[1:len(quoted)-1]...)
	}
	return append(dst, v...)
}

// builtin is a name templates can use besides bound variables.
type builtin struct {
	doc    string
	args   int
	number bool // JSON number when it stands alone, else a string
	fill   func(dst []byte, e *Env, a [2]int64) []byte
}

var builtins = map[string]builtin{
	"session": {"number of the session", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendInt(dst, int64(e.Session), 10)
	}},
	"sessions": {"how many sessions the run has", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendInt(dst, int64(e.Sessions), 10)
	}},
	"room": {"name of the session's room", 0, false, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendUint(append(dst, "room-"...), uint64(e.Room), 10)
	}},
	"room_index": {"number of the session's room", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendUint(dst, uint64(e.Room), 10)
	}},
	"rooms": {"how many rooms the run has", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendInt(dst, int64(e.Rooms), 10)
	}},
	"acts": {"acts this session has begun", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendUint(dst, uint64(e.Acts), 10)
	}},
	"now_ms": {"milliseconds since 1970", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendInt(dst, e.NowMS, 10)
	}},
	"run": {"number of the run, for names that must be new", 0, true, func(dst []byte, e *Env, _ [2]int64) []byte {
		return strconv.AppendUint(dst, uint64(e.Run), 10)
	}},
	"token": {"the session's token (--tokens, --token-cmd)", 0, false, func(dst []byte, e *Env, _ [2]int64) []byte {
		quoted, _ := json.Marshal(e.Token) // a string always marshals
		return append(dst, quoted[1:len(quoted)-1]...)
	}},
	"mark": {"what publications are recognised by, required in publish", 0, false, func(dst []byte, e *Env, _ [2]int64) []byte {
		return measure.AppendMark(dst, e.Mark)
	}},
	"rand": {"rand A B: a number from A to B", 2, true, func(dst []byte, e *Env, a [2]int64) []byte {
		return strconv.AppendInt(dst, a[0]+e.Rand.Int64N(a[1]-a[0]+1), 10)
	}},
	"pad": {"pad N: a text of N bytes", 1, false, func(dst []byte, _ *Env, a [2]int64) []byte {
		return appendRepeat(dst, int(a[0]))
	}},
}

func appendRepeat(dst []byte, n int) []byte {
	const text = "the quick brown fox jumps over the lazy dog, "
	for ; n > len(text); n -= len(text) {
		dst = append(dst, text...)
	}
	return append(dst, text[:n]...)
}

// compiler gathers what a file's templates share.
type compiler struct {
	vars []string // slots of bound variables
}

func (c *compiler) slot(name string) int {
	if i := slices.Index(c.vars, name); i >= 0 {
		return i
	}
	c.vars = append(c.vars, name)
	return len(c.vars) - 1
}

// text compiles one YAML string: a value of its own when it is a single hole,
// else a JSON string with holes in it.
func (c *compiler) text(t *Template, s string) error {
	if name, ok := strings.CutPrefix(s, "{{"); ok {
		if name, ok = strings.CutSuffix(name, "}}"); ok && !strings.Contains(name, "{{") && !strings.Contains(name, "}}") {
			return c.hole(t, name, false)
		}
	}
	t.lit(`"`)
	for {
		before, rest, ok := strings.Cut(s, "{{")
		quoted, err := json.Marshal(before)
		if err != nil {
			return err
		}
		t.lit(string(quoted[1 : len(quoted)-1]))
		if !ok {
			t.lit(`"`)
			return nil
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return fmt.Errorf("%q opens a {{ that it does not close", s)
		}
		if err := c.hole(t, name, true); err != nil {
			return err
		}
		s = after
	}
}

// hole compiles what stands between the braces.
func (c *compiler) hole(t *Template, expr string, inText bool) error {
	words := strings.Fields(expr)
	if len(words) == 0 {
		return fmt.Errorf("{{%s}} names nothing", expr)
	}
	b, ok := builtins[words[0]]
	if !ok {
		if i := slices.Index(c.vars, words[0]); i >= 0 && len(words) == 1 {
			t.parts = append(t.parts, part{isVar: true, slot: i, inText: inText})
			return nil
		}
		return fmt.Errorf("{{%s}}: no such name; there are %s, and what earlier steps bind", expr, strings.Join(BuiltinNames(), ", "))
	}
	p := part{fill: b.fill, inText: inText}
	if len(words)-1 != b.args {
		return fmt.Errorf("{{%s}} takes %d arguments", words[0], b.args)
	}
	for i, w := range words[1:] {
		n, err := strconv.ParseInt(w, 10, 32)
		if err != nil {
			return fmt.Errorf("{{%s}}: %q is not a number", expr, w)
		}
		p.args[i] = n
	}
	if words[0] == "rand" && p.args[1] < p.args[0] || words[0] == "pad" && (p.args[0] < 0 || p.args[0] > 1<<20) {
		return fmt.Errorf("{{%s}}: out of range", expr)
	}
	if !inText && !b.number {
		t.lit(`"`)
		t.parts = append(t.parts, p)
		t.lit(`"`)
		return nil
	}
	t.parts = append(t.parts, p)
	return nil
}

// BuiltinNames lists the names templates can use, sorted.
func BuiltinNames() []string {
	names := make([]string, 0, len(builtins))
	for n := range builtins {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// lit appends literal text, joining it to a literal that ends the template.
func (t *Template) lit(s string) {
	if n := len(t.parts); n > 0 && t.parts[n-1].fill == nil && !t.parts[n-1].isVar {
		t.parts[n-1].lit = append(t.parts[n-1].lit, s...)
		return
	}
	t.parts = append(t.parts, part{lit: []byte(s)})
}

// marked reports whether the template carries a mark. It compares by rendering,
// since functions cannot be compared.
func (t *Template) marked() bool {
	if t == nil {
		return false
	}
	want := measure.Mark{Run: 0x5a5, Seq: 0x12345678}
	e := Env{Mark: want, Rooms: 1, Sessions: 1, Rand: rand.New(rand.NewPCG(1, 1))}
	got, _, ok := measure.CutMark(t.Append(nil, &e))
	return ok && got == want
}
