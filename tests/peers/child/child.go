// Package child runs the servers of the comparison as processes.
package child

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 10 * time.Second
	stopLimit  = 5 * time.Second
	keepOutput = 8 << 10
)

// Process is a running server. Its methods may be called from any goroutine.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when Wait has returned
	err    error         // of Wait; read after exited
	out    *output
}

// Start runs binary and waits until a line of its output matches each of the
// wanted expressions; it returns what their first groups matched. The process
// dies with its parent. The caller must Stop it.
func Start(binary string, args []string, wanted ...string) (*Process, []string, error) {
	p := &Process{
		cmd:    exec.Command(binary, args...),
		exited: make(chan struct{}),
		out:    &output{lines: make(chan string, 64)},
	}
	p.cmd.SysProcAttr = dieWithParent()
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", binary, err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", binary, err)
	}
	go func() {
		p.out.drain(pipe)
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	found, err := p.await(wanted)
	if err != nil {
		p.Stop()
		return nil, nil, fmt.Errorf("start %s: %w; it printed:\n%s", binary, err, p.Output())
	}
	return p, found, nil
}

// await reads lines until every expression has matched one.
func (p *Process) await(wanted []string) ([]string, error) {
	found := make([]string, len(wanted))
	deadline := time.After(startLimit)
	for left := len(wanted); left > 0; {
		select {
		case line, ok := <-p.out.lines:
			if !ok {
				return nil, errors.New("it ended")
			}
			for i, w := range wanted {
				m := regexp.MustCompile(w).FindStringSubmatch(line)
				if m != nil && found[i] == "" {
					found[i] = m[1]
					left--
				}
			}
		case <-deadline:
			return nil, fmt.Errorf("no line matched %q within %v", wanted, startLimit)
		}
	}
	return found, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output returns the last lines that the process printed.
func (p *Process) Output() string { return p.out.tail() }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop asks the process to end and kills it when it does not; it returns when
// the process is gone. A second call does nothing.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended: so much the better
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// output keeps the end of what a process printed and hands its first lines on.
type output struct {
	lines chan string

	mu   sync.Mutex
	kept bytes.Buffer
}

// drain reads to the end: a process whose output nobody reads would block.
func (o *output) drain(r io.Reader) {
	defer close(o.lines)
	for sc := bufio.NewScanner(r); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		o.mu.Lock()
		if o.kept.Len() > keepOutput {
			o.kept.Next(keepOutput / 2)
		}
		o.kept.WriteString(line + "\n")
		o.mu.Unlock()
		select {
		case o.lines <- line:
		default: // nobody waits for lines any more
		}
	}
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept.String()
}

// Build compiles the package at pkg, seen from dir, into the file out.
func Build(dir, pkg, out string) error {
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	return nil
}
