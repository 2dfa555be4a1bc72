//go:build !linux

package swarm

import "time"

// nap sleeps for ns nanoseconds.
func nap(ns int64) { time.Sleep(time.Duration(ns)) }
