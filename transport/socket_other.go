//go:build !linux

package transport

// fdSocket does not exist here: every socket is a portable one.
type fdSocket struct{}
