package etcdtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Process is one etcd node for programs that are no tests. Its methods are for one
// goroutine.
type Process struct {
	URL string // for clients, the same after a restart: read by any goroutine

	data   string
	files  Files
	within []string
	cmd    *exec.Cmd
	stdin  io.Closer // the process ends with it
}

// Files are the certificates (PEM) of a server that speaks TLS and demands that its
// clients show one of the same authority. The zero value is a plain server.
type Files struct{ CA, Cert, Key string }

// LaunchTLS is Launch for a server with certificates.
func LaunchTLS(data, listen string, files Files, within ...string) (*Process, error) {
	p := &Process{data: data, files: files, within: within}
	url, err := p.start(listen)
	p.URL = url
	return p, err
}

// Launch builds and starts a node with its data in a folder, which it makes, and
// returns when it serves. Within is put before its command line.
func Launch(data, listen string, within ...string) (*Process, error) {
	return LaunchTLS(data, listen, Files{}, within...)
}

// Kill ends the process at once, as a crash would. Twice does nothing.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	_ = p.cmd.Wait()         // its exit code is the kill's
	_ = p.stdin.Close()
	p.cmd = nil
}

// Restart starts a killed node again, on its data and its address.
func (p *Process) Restart() error {
	_, listen, _ := strings.Cut(p.URL, "://")
	url, err := p.start(listen)
	if err == nil && url != p.URL {
		p.Kill()
		return fmt.Errorf("etcd was at %s and came back at %s", p.URL, url)
	}
	return err
}

// Pause stops the process where it is; sockets stay open, nothing is answered.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(sig syscall.Signal) error {
	if p.cmd == nil {
		return fmt.Errorf("etcd: %v: %w", sig, os.ErrProcessDone)
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("etcd: %v: %w", sig, err)
	}
	return nil
}

func (p *Process) start(listen string) (url string, err error) {
	bin, err := binary()
	if err != nil {
		return "", err
	}
	args := append(p.within[:len(p.within):len(p.within)], bin, "--data", p.data, "--listen", listen, "--parent")
	if p.files != (Files{}) {
		args = append(args, "--ca", p.files.CA, "--cert", p.files.Cert, "--key", p.files.Key)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("etcd: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return "", fmt.Errorf("etcd did not start: it said %q", line)
	}
	p.cmd, p.stdin = cmd, stdin
	return url, nil
}
