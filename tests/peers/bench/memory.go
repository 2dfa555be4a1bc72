package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Memory is taken as the slope between two crowds on one server. The growth from
// a server without sessions would flatter a collected heap: a process that has
// just started keeps megabytes of start-up garbage resident, and the first
// thousands of sessions live in those. Run to run that moved the result between
// 0.4 and 1.1 KB for the very same server.
const (
	firstCrowd  = 2_000
	crowdLimit  = 30 * time.Second
	crowdSettle = 3 * time.Second
	crowdStay   = 2 * time.Minute // longer than any run: the bots are told to leave
)

// memory is one server's resident memory at two sizes of crowd, in bytes.
type memory struct {
	small, large int64
	sessions     int // between the two
}

// measureMemory fills a fresh server in two steps and reads what is resident
// when each has been idle for a while. Nobody is asked to collect garbage.
func (b *bench) measureMemory(ctx context.Context, l load, s server) (sample, error) {
	srv, err := s.start(b.bin, false)
	if err != nil {
		return sample{}, err
	}
	defer srv.Stop()

	m := memory{sessions: l.sessions - firstCrowd}
	first, err := b.crowd(ctx, srv, "first", firstCrowd, firstCrowd)
	if err != nil {
		return sample{}, err
	}
	defer first.leave()
	if m.small, err = resident(srv.PID()); err != nil {
		return sample{}, err
	}
	second, err := b.crowd(ctx, srv, "second", m.sessions, l.sessions)
	if err != nil {
		return sample{}, err
	}
	defer second.leave()
	if m.large, err = resident(srv.PID()); err != nil {
		return sample{}, err
	}
	for _, c := range []*crowd{first, second} {
		if err := c.leave(); err != nil {
			return sample{}, err
		}
	}
	return m.sample(l.sessions), nil
}

func (m memory) sample(total int) sample {
	return sample{
		SessionKB: float64(m.large-m.small) / float64(m.sessions) / 1024,
		ProcessKB: float64(m.large) / float64(total) / 1024,
	}
}

// crowd is a bot whose sessions only stay.
type crowd struct {
	bot    *bot
	size   int
	report string
	left   bool
}

// crowd connects size sessions and returns when the server has had total
// connections, idle, for a moment.
func (b *bench) crowd(ctx context.Context, srv *running, name string, size, total int) (*crowd, error) {
	c := &crowd{size: size, report: filepath.Join(b.bin, name+".json")}
	_ = os.Remove(c.report) // of the run before, or none
	l := load{scenario: "idle", sessions: size, rooms: 1}
	var err error
	if c.bot, err = startBot(ctx, filepath.Join(b.bin, "bot"), botArgs(l, srv, crowdStay, c.report)); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(crowdLimit)
	for {
		n, err := descriptors(srv.PID())
		if err == nil && n >= total {
			break
		}
		if err == nil && time.Now().After(deadline) {
			err = fmt.Errorf("the server has %d open files after %v, want at least %d", n, crowdLimit, total)
		}
		if err == nil {
			err = pause(ctx, watchEvery)
		}
		if err != nil {
			_ = c.leave() // the first error is the one to report
			return nil, err
		}
	}
	if err := pause(ctx, crowdSettle); err != nil {
		_ = c.leave()
		return nil, err
	}
	return c, nil
}

// leave ends the crowd. The error says that not every session had been there all
// the time. A second call does nothing.
func (c *crowd) leave() error {
	if c.left {
		return nil
	}
	c.left = true
	if err := c.bot.interrupt(); err != nil {
		return err
	}
	r, err := readReport(c.report)
	if err != nil {
		return err
	}
	if n := r.Metrics["handshake"].Count; n != int64(c.size) || r.Sessions.Dropped > 0 {
		return fmt.Errorf("%d of %d sessions shook hands and %d were dropped", n, c.size, r.Sessions.Dropped)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// descriptors counts the open files of a process.
func descriptors(pid int) (int, error) {
	d, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, fmt.Errorf("count open files: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0, fmt.Errorf("count open files: %w", err)
	}
	return len(names), nil
}

// resident reads VmRSS of a process, in bytes.
func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	_, line, _ := bytes.Cut(status, []byte("\nVmRSS:"))
	fields := bytes.Fields(line)
	if len(fields) == 0 {
		return 0, fmt.Errorf("read resident memory: /proc/%d/status has no VmRSS", pid)
	}
	kb, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return kb << 10, nil
}
