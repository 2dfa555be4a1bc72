package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Node is one server of a fleet. But for Players its methods are for the fleet's
// goroutine.
type Node struct {
	Name string

	// Set at birth, read-only afterwards.
	fleet *Fleet
	port  *Port // nil on the loopback interface
	flags []string

	// Of the process that runs at the moment.
	proc    *process
	players atomic.Pointer[string]
	admin   string // URL
}

// process is one run of a program.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer // the program ends with it
	ended chan struct{}
	err   error // how it ended, once it has
}

// Start starts the node, again if need be, and returns when it serves.
func (n *Node) Start() error {
	if n.Running() {
		return fmt.Errorf("node %s runs already", n.Name)
	}
	stderr, err := n.fleet.errors(n.Name)
	if err != nil {
		return err
	}
	args := n.fleet.command(n)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), n.fleet.cfg.Env...)
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	p := &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	n.proc, n.admin = p, ""
	n.players.Store(new(string))
	banner := make(chan struct{})
	go func() {
		n.read(stdout, banner)
		p.err = cmd.Wait()
		stderr.Close()
		close(p.ended)
	}()
	return n.serves(banner)
}

// read takes in the banner, and then whatever else comes until the program ends.
func (n *Node) read(stdout io.Reader, banner chan<- struct{}) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 2:
		case f[0] == "players":
			at := strings.Trim(strings.TrimPrefix(f[1], "http://"), "/")
			n.players.Store(&at)
		case f[0] == "admin":
			n.admin = strings.TrimSuffix(f[1], "/metrics")
			close(banner)
			_, _ = io.Copy(io.Discard, stdout) // to its end
			return
		}
	}
}

// serves waits until the node says that it is ready.
func (n *Node) serves(banner <-chan struct{}) error {
	deadline := time.After(Patience)
	select {
	case <-banner:
	case <-n.proc.ended:
		return fmt.Errorf("node %s did not start: %w", n.Name, n.proc.err)
	case <-deadline:
		n.Kill()
		return fmt.Errorf("node %s did not start in %v", n.Name, Patience)
	}
	for {
		_, err := n.Get("/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-n.proc.ended:
			return fmt.Errorf("node %s ended: %w", n.Name, n.proc.err)
		case <-deadline:
			n.Kill()
			return fmt.Errorf("node %s is not ready after %v: %w", n.Name, Patience, err)
		}
	}
}

// Running says whether the node's process is there, paused or not.
func (n *Node) Running() bool {
	if n.proc == nil {
		return false
	}
	select {
	case <-n.proc.ended:
		return false
	default:
		return true
	}
}

// Players returns where the node takes players, as host:port; "" when it takes
// none. It may be called from any goroutine.
func (n *Node) Players() string {
	if at := n.players.Load(); at != nil {
		return *at
	}
	return ""
}

// Admin returns the URL of the admin listener.
func (n *Node) Admin() string { return n.admin }

// Get reads a page of the admin listener.
func (n *Node) Get(path string) (string, error) { return get(n.admin + path) }

// Kill is kill -9. It returns when the process is gone; what does not run stays so.
func (n *Node) Kill() {
	if n.proc == nil {
		return
	}
	_ = n.proc.cmd.Process.Kill() // it may have ended by itself
	<-n.proc.ended
	_ = n.proc.stdin.Close()
	n.proc = nil
}

// PID is the node's process; 0 when there is none.
func (n *Node) PID() int {
	if !n.Running() {
		return 0
	}
	return n.proc.cmd.Process.Pid
}

// Pause stops the process where it is: sockets stay open, nothing is answered.
func (n *Node) Pause() error { return n.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (n *Node) Resume() error { return n.Signal(syscall.SIGCONT) }

// Signal sends the process a signal.
func (n *Node) Signal(sig os.Signal) error {
	if n.proc == nil {
		return fmt.Errorf("%v to node %s: %w", sig, n.Name, os.ErrProcessDone)
	}
	if err := n.proc.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("%v to node %s: %w", sig, n.Name, err)
	}
	return nil
}

// Stop asks the node to leave and waits until it has; a node that does not end
// cleanly is an error.
func (n *Node) Stop() error {
	if err := n.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return n.Wait(Patience)
}

// Wait waits for a node that ends by itself, or was asked to, and returns how.
func (n *Node) Wait(patience time.Duration) error {
	if n.proc == nil {
		return nil
	}
	select {
	case <-n.proc.ended:
	case <-time.After(patience):
		return fmt.Errorf("node %s does not end: %w", n.Name, context.DeadlineExceeded)
	}
	err := n.proc.err
	n.proc = nil
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("node %s: %w", n.Name, exit)
	}
	return err
}
