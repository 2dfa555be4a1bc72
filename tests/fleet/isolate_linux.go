package fleet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Isolate runs this program again, with the same arguments, in a network namespace
// of its own. When that copy has ended Isolate returns its exit code and true; in
// the copy itself, false. An error says that the machine does not allow it, or
// lacks the tools (ip, nsenter).
func Isolate() (code int, ended bool, err error) {
	if Isolated() {
		if err := errors.Join(ip("link", "set", "lo", "up"), tryNetwork()); err != nil {
			_ = os.Unsetenv(isolated) // so that nobody counts on what there is not
			return 0, false, err
		}
		return 0, false, nil
	}
	for _, tool := range []string{"ip", "nsenter", "cat"} {
		if _, err := exec.LookPath(tool); err != nil {
			return 0, false, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return 0, false, err
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), isolated+"=1")
	cmd.SysProcAttr = apart(os.Geteuid() != 0)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		return 0, false, fmt.Errorf("network namespace: %w", err)
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may have ended
		}
	}()
	err = cmd.Wait()
	signal.Stop(signals)
	close(signals)
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return exit.ExitCode(), true, nil
	}
	return 0, true, err
}

// apart starts a process in a network namespace of its own; whoever is not root
// needs a user namespace to be allowed to.
func apart(user bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if user {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return a
}
