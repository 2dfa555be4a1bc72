// Package etcdtest runs etcd in a process of its own for tests: one that can be
// killed, paused and started again on its data. A test that cannot have it
// fails; it is not skipped.
package etcdtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Server is one etcd node on this machine. Its methods are for the test's own
// goroutine.
type Server struct {
	*Process
	t testing.TB
}

// Start builds and starts a node with empty data; it ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartTLS(t, Files{})
}

// StartTLS is Start for a server with certificates.
func StartTLS(t testing.TB, files Files) *Server {
	t.Helper()
	p, err := LaunchTLS(filepath.Join(t.TempDir(), "etcd"), "127.0.0.1:0", files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return &Server{p, t}
}

// Restart starts a killed node again, on its data and its address.
func (s *Server) Restart() {
	s.t.Helper()
	s.must(s.Process.Restart())
}

// Pause stops the process where it is; sockets stay open, nothing is answered.
func (s *Server) Pause() { s.t.Helper(); s.must(s.Process.Pause()) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.t.Helper(); s.must(s.Process.Resume()) }

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// binary builds the program of tests/etcd, once for a test process.
var binary = sync.OnceValues(func() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/shaddock-game/shaddock").Output()
	if err != nil {
		return "", fmt.Errorf("etcd: find the module: %w", err)
	}
	// A folder that outlives the test which happens to be the first: the next
	// one needs the program as well.
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("shaddock-etcd-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	bin := filepath.Join(dir, fmt.Sprintf("etcd-%d", os.Getpid()))
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = filepath.Join(strings.TrimSpace(string(root)), "tests", "etcd")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("etcd: build tests/etcd: %w\n%s", err, out)
	}
	built = bin
	return bin, nil
})

var built string // set by binary

// Main runs the tests, removes what was built for them and fails on goroutines
// that they leave. Its result is for os.Exit in TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	Clean()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Clean removes what this process built; nothing can be started any more.
func Clean() {
	if built != "" {
		_ = os.Remove(built)
	}
}
