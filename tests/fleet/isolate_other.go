//go:build !linux

package fleet

import (
	"errors"
	"syscall"
)

// Isolate is for Linux alone.
func Isolate() (code int, ended bool, err error) {
	return 0, false, errors.New("network namespaces: not on this system")
}

func apart(bool) *syscall.SysProcAttr { return nil }
