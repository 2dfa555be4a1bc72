// Package etcdtest runs etcd in a process of its own for tests: one that can be
// killed, paused and started again on its data. A test that cannot have it
// fails; it is not skipped.
package etcdtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// Server is one etcd node on this machine. Its methods are for the test's own
// goroutine.
type Server struct {
	URL string // for clients, the same after a restart

	t     testing.TB
	data  string
	cmd   *exec.Cmd
	stdin io.Closer // the process ends with it
}

// Start builds and starts a node with empty data; it ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, data: t.TempDir()}
	s.start("127.0.0.1:0")
	t.Cleanup(s.Kill)
	return s
}

// Kill ends the process at once, as a crash would. Twice does nothing.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	_ = s.cmd.Wait()         // its exit code is the kill's
	_ = s.stdin.Close()
	s.cmd = nil
}

// Restart starts a killed node again, on its data and its address.
func (s *Server) Restart() {
	s.t.Helper()
	s.start(strings.TrimPrefix(s.URL, "http://"))
}

// Pause stops the process where it is; sockets stay open, nothing is answered.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("etcd: %v: %v", sig, err)
	}
}

func (s *Server) start(listen string) {
	s.t.Helper()
	bin, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(bin, "--data", filepath.Join(s.data, "etcd"), "--listen", listen, "--parent")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		_ = cmd.Process.Kill()
		s.t.Fatalf("etcd did not start: %q, %v", line, err)
	}
	s.URL, s.cmd, s.stdin = url, cmd, stdin
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
	if built != "" {
		_ = os.Remove(built)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}
