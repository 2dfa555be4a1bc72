package tests

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/server/app"
)

// nodeEnv makes this program a server: nodes of a cluster are processes of their
// own, as they are in life, with the race detector when the tests have it.
const nodeEnv = "SHADDOCK_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) == "" {
		os.Exit(m.Run())
	}
	_ = os.Unsetenv(nodeEnv)
	cfg, err := app.Parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
		go func() { // the test has died
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		err = app.Run(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

// process is one node of a cluster. Its methods are for the test's own goroutine.
type process struct {
	t       *testing.T
	name    string
	cmd     *exec.Cmd
	stdin   io.Closer
	players string // host:port, empty on a node that takes none
	admin   string // URL
	peers   string // host:port
	ended   chan error
}

// startNode starts a node and returns when it serves.
func startNode(t *testing.T, name, etcd string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, ended: make(chan error, 1)}
	p.cmd = exec.Command(os.Args[0], append([]string{
		"--cluster-etcd", etcd, "--cluster-node", name, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "warn",
	}, args...)...)
	p.cmd.Env = append(os.Environ(), nodeEnv+"=1")
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for p.admin == "" && lines.Scan() {
		p.line(lines.Text())
	}
	go func() {
		for lines.Scan() { // to its end
		}
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	if p.admin == "" {
		t.Fatalf("node %s did not start", name)
	}
	return p
}

// line takes in one line of the banner.
func (p *process) line(s string) {
	f := strings.Fields(s)
	switch {
	case len(f) < 2:
	case f[0] == "cluster":
		p.peers = f[1]
	case f[0] == "players":
		p.players = strings.Trim(strings.TrimPrefix(f[1], "http://"), "/")
	case f[0] == "admin":
		p.admin = strings.TrimSuffix(f[1], "/metrics")
	}
}

// kill is kill -9. Twice does nothing.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	if err := <-p.ended; err != nil {
		p.t.Logf("%s: %v", p.name, err)
	}
	_ = p.stdin.Close()
	p.cmd = nil
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("%v to %s: %v", sig, p.name, err)
	}
}

// stop asks the node to leave, and fails the test when it does not do so cleanly.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.wantStopped()
}

func (p *process) wantStopped() {
	p.t.Helper()
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("stop %s: %v", p.name, err)
		}
		p.cmd = nil
	case <-time.After(patience):
		p.t.Errorf("%s does not stop", p.name)
	}
}

// get reads a page of the admin listener.
func (p *process) get(path string) string {
	p.t.Helper()
	res, err := http.Get(p.admin + path)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return string(b)
}
