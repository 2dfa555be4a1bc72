package grains_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
)

// town is a few protoactor clusters, each a process, around one etcd.
type town struct {
	*testing.T
	etcd string // empty: nodes alone

	mu      sync.Mutex // the members' readers tell
	members []*member
	lives   []*life
}

// life is one activation of a grain, on the clock that all processes of a machine
// share.
type life struct {
	grain, node string
	begin, end  int64 // unix nanoseconds; no end: it goes on
}

// member is one node of a town, seen from outside.
type member struct {
	town    *town
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	dead    atomic.Bool
	fenced  chan string
	read    chan struct{} // closed when all it has said is read
	orders  atomic.Uint64
	waiting sync.Map // number → chan said
}

type said struct {
	text string
	err  error
}

func newTown(t *testing.T) *town { return &town{T: t, etcd: etcdtest.Start(t).URL} }

// start starts a member and returns when it has joined.
func (t *town) start(name string) *member {
	m := &member{town: t, name: name, cmd: exec.Command(os.Args[0]), fenced: make(chan string, 1), read: make(chan struct{})}
	m.cmd.Env = append(os.Environ(), nodeName+"="+name, nodeEtcd+"="+t.etcd, "GORACE=halt_on_error=1")
	m.cmd.Stderr = os.Stderr
	in, err := m.cmd.StdinPipe()
	if err != nil {
		t.Error(err)
		return m
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return m
	}
	m.in = in
	ready := m.expect(0)
	if err := m.cmd.Start(); err != nil {
		t.Error(err)
		return m
	}
	t.Cleanup(m.kill)
	go m.listen(out)
	if s := <-ready; s.err != nil {
		t.Errorf("%s does not start: %v", name, s.err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = append(t.members, m)
	return m
}

// startAll starts members at the same time.
func (t *town) startAll(names ...string) (all []*member) {
	all = make([]*member, len(names))
	var up sync.WaitGroup
	for i, name := range names {
		up.Go(func() { all[i] = t.start(name) })
	}
	up.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

var errGone = errors.New("the process has ended")

func (m *member) expect(number uint64) <-chan said {
	c := make(chan said, 1)
	m.waiting.Store(number, c)
	return c
}

func (m *member) answer(number uint64, s said) {
	if c, ok := m.waiting.LoadAndDelete(number); ok {
		c.(chan said) <- s
	}
}

// listen reads what the process says, to its end.
func (m *member) listen(out io.Reader) {
	defer close(m.read)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "begin", "end":
			at, grain, _ := strings.Cut(rest, " ")
			m.town.account(m.name, word, at, grain)
		case "fenced":
			m.fenced <- rest
		default:
			number, err := strconv.ParseUint(word, 10, 64)
			if err != nil {
				m.town.Errorf("%s said %q", m.name, lines.Text())
				continue
			}
			s := said{}
			var how string
			if how, s.text, _ = strings.Cut(rest, " "); how != "ok" {
				s = said{err: errors.New(s.text)}
			}
			m.answer(number, s)
		}
	}
	m.dead.Store(true)
	for number := range m.waiting.Range {
		m.answer(number.(uint64), said{err: errGone})
	}
}

// do has the node carry out an order, and returns its answer.
func (m *member) do(order string) (string, error) {
	number := m.orders.Add(1)
	c := m.expect(number)
	if _, err := fmt.Fprintf(m.in, "%d %s\n", number, order); err != nil || m.dead.Load() {
		m.answer(number, said{err: errors.Join(errGone, err)})
	}
	s := <-c
	return s.text, s.err
}

func (m *member) ask(grain, what string) (string, error) { return m.do(what + " " + grain) }

// kill ends a member as kill -9 does: its port refuses connections, its lease lives
// on.
func (m *member) kill() {
	at := time.Now().UnixNano()
	_ = m.cmd.Process.Kill() // it may have ended by itself
	<-m.read
	_ = m.cmd.Wait() // its exit code is the kill's
	m.town.bury(m, at)
}

// account keeps account of who is active where.
func (t *town) account(node, word, at, grain string) {
	ns, err := strconv.ParseInt(at, 10, 64)
	t.mu.Lock()
	defer t.mu.Unlock()
	if word == "begin" && err == nil {
		t.lives = append(t.lives, &life{grain: grain, node: node, begin: ns})
		return
	}
	for _, l := range slices.Backward(t.lives) {
		if l.node == node && l.grain == grain && l.end == 0 && err == nil {
			l.end = ns
			return
		}
	}
	if slices.ContainsFunc(t.members, func(m *member) bool { return m.name == node }) { // not buried
		t.Errorf("%s says %s %q of %q", node, word, at, grain)
	}
}

// bury ends all that runs on a node that says so no more.
func (t *town) bury(m *member, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = slices.DeleteFunc(t.members, func(o *member) bool { return o == m })
	for _, l := range t.lives {
		if l.node == m.name && l.end == 0 {
			l.end = max(at, l.begin)
		}
	}
}

// where returns the node on which each grain is active, and fails if one is active
// twice or ever was.
func (t *town) where() map[string]string {
	t.Helper()
	t.mu.Lock()
	members := slices.Clone(t.members)
	t.mu.Unlock()
	for _, m := range members {
		if _, err := m.do("sync"); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.lives, func(a, b *life) int { return cmp.Compare(a.begin, b.begin) })
	at, last := make(map[string]string), make(map[string]*life)
	for _, l := range t.lives {
		if before := last[l.grain]; before != nil && (before.end == 0 || before.end > l.begin) {
			t.Fatalf("active twice: %+v, %+v", *before, *l)
		}
		last[l.grain] = l
		if delete(at, l.grain); l.end == 0 {
			at[l.grain] = l.node
		}
	}
	return at
}

// askAll has every member ask every grain at the same time, which are all active
// then, and returns how long the slowest answer took.
func (t *town) askAll(what string, n int, by ...*member) time.Duration {
	t.Helper()
	took := t.askEach(what, n, by...)
	if got := len(t.where()); got != n {
		t.Fatalf("%s: %d grains are active, want %d", what, got, n)
	}
	return took
}

// askEach is askAll while grains move: one that has answered may have stopped since.
func (t *town) askEach(what string, n int, by ...*member) time.Duration {
	t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for _, m := range by {
		for i := range n {
			all.Go(func() {
				if _, err := m.ask(fmt.Sprint("grain ", i), "who"); err != nil {
					t.Errorf("%s: %s asks grain %d: %v", what, m.name, i, err)
				}
			})
		}
	}
	all.Wait()
	return time.Since(began)
}
