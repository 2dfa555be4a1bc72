package measure

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Usage is what a process has used so far.
type Usage struct {
	User, System time.Duration // processor time of all its threads, in steps of 10 ms
	RSS          int64         // resident bytes now
}

// CPU is user and system time together.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// userHZ is the unit of /proc/PID/stat, 100 on every Linux that Go runs on.
const userHZ = 100

// ProcessUsage reads the usage of process pid from /proc: Linux only, an error
// elsewhere and when there is no such process.
func ProcessUsage(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	var u Usage
	if u.User, u.System, err = cpuOfStat(stat); err != nil {
		return Usage{}, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	if u.RSS, err = rssOfStatus(status); err != nil {
		return Usage{}, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	return u, nil
}

// cpuOfStat takes utime and stime, fields 14 and 15 of proc(5). The command
// name, field 2, may hold spaces and brackets: fields are counted from the last
// bracket.
func cpuOfStat(stat []byte) (user, system time.Duration, err error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("stat has %d fields behind the name", len(fields))
	}
	ticks := func(b []byte) time.Duration {
		n, perr := strconv.ParseInt(string(b), 10, 64)
		if perr != nil {
			err = perr
		}
		return time.Duration(n) * (time.Second / userHZ)
	}
	return ticks(fields[11]), ticks(fields[12]), err
}

// rssOfStatus takes the line "VmRSS:   1234 kB".
func rssOfStatus(status []byte) (int64, error) {
	_, line, ok := bytes.Cut(status, []byte("\nVmRSS:"))
	if !ok {
		return 0, fmt.Errorf("status has no VmRSS")
	}
	fields := bytes.Fields(line)
	kb, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return kb << 10, err
}
