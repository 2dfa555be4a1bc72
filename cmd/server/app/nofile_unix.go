//go:build unix

package app

import "syscall"

// raiseFileLimit raises the open-file limit to the hard limit and returns it. Go
// does so by itself at start-up and lowers it again for child processes; this
// reads what there is and makes up for an inherited lower value.
func raiseFileLimit() (int, error) {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		return 0, err
	}
	if lim.Cur < lim.Max {
		raised := syscall.Rlimit{Cur: lim.Max, Max: lim.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
			return int(lim.Cur), err
		}
		lim = raised
	}
	return int(lim.Cur), nil
}
