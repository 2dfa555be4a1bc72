//go:build unix

package app

import (
	"sync/atomic"
	"syscall"
	"time"
)

// cpuMeter tells how many cores the process used since it was last asked.
type cpuMeter struct {
	at, used atomic.Int64 // ns
}

func (m *cpuMeter) cores() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	now, used := time.Now().UnixNano(), r.Utime.Nano()+r.Stime.Nano()
	at, was := m.at.Swap(now), m.used.Swap(used)
	if at == 0 || now <= at {
		return 0
	}
	return float64(used-was) / float64(now-at)
}
