// Package protocol is the wire of the server: the pomelo protocol, byte by byte.
// It has no I/O, no clock and no goroutine.
package protocol
