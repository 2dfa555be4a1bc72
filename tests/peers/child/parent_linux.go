package child

import "syscall"

// dieWithParent has the kernel end the process when the benchmark is killed, so
// that no server keeps a port and a core. A group of its own keeps ^C from
// reaching it before the benchmark has said goodbye.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
