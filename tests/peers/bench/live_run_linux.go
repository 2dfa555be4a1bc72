package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/shaddock-game/shaddock/tests/peers/child"
)

// runLive measures all live loads with the server binary in bin.
func runLive(ctx context.Context, bin string, t liveTiming, log io.Writer) (samples []liveSample, failed error) {
	for _, l := range liveLoads {
		s, err := measureLive(ctx, bin, l, t.of(l))
		if ctx.Err() != nil {
			return samples, ctx.Err()
		}
		if err != nil {
			failed = fmt.Errorf("live, %s: %w", l.name(), err)
			fmt.Fprintf(log, "FAILED: %v\n", failed)
			continue
		}
		fmt.Fprintf(log, "%s: %.0f deliveries/s, %.0f ns each, p99 %.0f ms\n", l.name(), s.perSecond(), s.CPUNanos, s.P99)
		samples = append(samples, s)
	}
	return samples, failed
}

// measureLive fills a room on a fresh server and has four members speak.
func measureLive(ctx context.Context, bin string, l liveLoad, speak time.Duration) (s liveSample, err error) {
	us := servers[0]
	p, found, err := child.Start(filepath.Join(bin, us.name), append(us.args[:len(us.args):len(us.args)], l.args()...), us.wanted...)
	if err != nil {
		return s, err
	}
	defer p.Stop()
	c, err := gather(ctx, found[0], "bench", l.members, l.stalled)
	defer func() {
		if lerr := c.leave(); err == nil {
			err = lerr
		}
		if err == nil {
			s.settle(c)
		}
	}()
	if err != nil {
		return s, err
	}
	if err := c.await(ctx, l.members-l.stalled); err != nil {
		return s, err
	}
	time.Sleep(liveRest)
	c.since.Store(int64(time.Since(liveEpoch)))
	eyes := watch(unix.Getpid(), p.PID())
	meter := meterWrites(ctx, found[1])
	before, err := processTicks(p.PID())
	begin := time.Now()
	if err == nil {
		err = c.speak(ctx, l.rate, speak)
	}
	spoken := time.Now()
	c.drain(ctx, c.base+c.said*int64(l.members-l.stalled))
	heard := c.heard() - c.base
	end := time.Now()
	after, terr := processTicks(p.PID())
	eyes.stop()
	writes := meter.stop()
	if err == nil {
		err = terr
	}
	rss, merr := resident(p.PID())
	if err == nil {
		err = merr
	}
	s = liveSample{
		Name: l.name(), Deliveries: heard, Seconds: spoken.Sub(begin).Seconds(),
		CPUNanos: float64(after-before) / ticksPerSecond * 1e9 / float64(max(1, heard)),
		Shares:   eyes.between(begin, end), PerWrite: perWrite(writes, begin, spoken),
		ResidentMB: float64(rss) / (1 << 20), load: l,
	}
	if s.Lost = c.said*int64(l.members-l.stalled) - s.Deliveries; s.Lost != 0 {
		s.Causes = causes(ctx, found[1])
	}
	return s, err
}

// settle reads what the members know; the crowd has left.
func (s *liveSample) settle(c *liveCrowd) {
	var delays histogram
	for _, r := range c.readers {
		delays.merge(&r.delays)
	}
	s.P50, s.P99, s.Max = delays.quantile(0.5), delays.quantile(0.99), float64(delays.most)/1e6
	var order uint64
	for _, m := range c.members {
		if m.stalled {
			continue
		}
		if order == 0 {
			order = m.order
		}
		s.Faults += int64(m.wrong)
		if m.order != order {
			s.Faults++
		}
	}
}

// await has one message said and waits until everyone has heard it.
func (c *liveCrowd) await(ctx context.Context, n int) error {
	if err := c.say(0, time.Since(liveEpoch)); err != nil {
		return err
	}
	if c.drain(ctx, int64(n)); c.heard() != int64(n) {
		return fmt.Errorf("%d of %d members hear the room", c.heard(), n)
	}
	c.said, c.base = 0, int64(n)
	return nil
}

// speak says rate messages a second, on an open schedule.
func (c *liveCrowd) speak(ctx context.Context, rate int, d time.Duration) error {
	start := time.Now()
	total := int(d.Seconds() * float64(rate))
	for i := 0; i < total && ctx.Err() == nil; {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
			continue
		}
		if err := c.say(i%liveSpeakers, due.Sub(liveEpoch)); err != nil {
			return err
		}
		i++
	}
	return ctx.Err()
}

// say has a member say the next of its messages, which was due at that moment.
func (c *liveCrowd) say(who int, due time.Duration) error {
	m := c.members[who]
	body := fmt.Appendf(nil, `{"name":"speaker %d","content":"`+markText+`"}`, who, who, c.count[who], int64(due))
	c.count[who]++
	c.said++
	b := appendPackage(nil, packData, appendRequest(nil, 0, "live.send", string(body)))
	frame, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewBinaryFrame(b)))
	if err != nil {
		return fmt.Errorf("speak: %w", err)
	}
	for len(frame) > 0 {
		n, err := unix.Write(m.fd, frame)
		switch {
		case err == unix.EAGAIN: // the server holds this speaker back
			time.Sleep(time.Millisecond)
		case err != nil:
			return fmt.Errorf("speak: %w", err)
		default:
			frame = frame[n:]
		}
	}
	return nil
}

// liveRest is how long a room that has filled is left alone: it tells its members
// their number at most once a second, which is not what is measured.
const liveRest = 1500 * time.Millisecond

// liveGrace is how long messages may be on their way after the last was said.
const liveGrace = 10 * time.Second

// drain waits until that many messages were heard, or no longer.
func (c *liveCrowd) drain(ctx context.Context, want int64) {
	for deadline := time.Now().Add(liveGrace); c.heard() < want && time.Now().Before(deadline) && ctx.Err() == nil; {
		time.Sleep(5 * time.Millisecond)
	}
}

// causes returns what the server's metrics say of messages it did not deliver.
func causes(ctx context.Context, url string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var found []string
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
		if line := sc.Text(); lossMetric.MatchString(line) {
			found = append(found, line)
		}
	}
	return strings.Join(found, ", ")
}

// lossMetric matches counters of losses that are not zero.
var lossMetric = regexp.MustCompile(`^shaddock_\w*(dropped|refused|errors|lost|unwritable)\w*(\{.*\})? [1-9]`)
