// Command overhead compares what the bot spends on a received push with a bare
// read loop (../reader), in turn, against the same server (../bare), at 10,000
// sessions. A generator that costs much more than the reading itself measures
// itself; the goal is 1.5.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/tests/peers/child"
)

// goal is the most that the bot should cost, as a multiple of the bare loop.
const goal = 1.5

// The load: enough pushes that the clock of the processor time (10 ms) does not
// matter, and few enough that nothing is saturated.
const (
	sessions = 10_000
	rooms    = 10
	rate     = 30 // messages a second, each pushed to a thousand
)

func main() {
	rounds := flag.Int("rounds", 3, "how often each is run")
	measure := flag.Duration("duration", 5*time.Second, "length of a run")
	flag.Parse()
	if err := run(*rounds, *measure); err != nil {
		fmt.Fprintln(os.Stderr, "overhead:", err)
		os.Exit(1)
	}
}

func run(rounds int, measure time.Duration) error {
	dir, err := os.MkdirTemp("", "overhead")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := func(name string) string { return filepath.Join(dir, name) }
	for _, b := range []struct{ from, pkg string }{{".", "./bare"}, {".", "./reader"}, {"../..", "./cmd/bot"}} {
		if err := child.Build(b.from, b.pkg, bin(filepath.Base(b.pkg))); err != nil {
			return err
		}
	}
	fmt.Printf("CPU µs per received push, %d sessions in %d rooms, %d pushes/s\n\nround   bare loop     bot   ratio\n", sessions, rooms, rate*sessions/rooms)
	var ratios []float64
	for round := range rounds {
		loop, err := against(bin("bare"), func(addr string) (float64, error) { return bareLoop(bin("reader"), addr, measure) })
		if err != nil {
			return err
		}
		bot, err := against(bin("bare"), func(addr string) (float64, error) { return botLoop(bin("bot"), addr, bin("r.json"), measure) })
		if err != nil {
			return err
		}
		ratios = append(ratios, bot/loop)
		fmt.Printf("%5d %11.2f %7.2f %7.2f\n", round+1, loop, bot, bot/loop)
	}
	slices.Sort(ratios)
	fmt.Printf("\nmedian ratio %.2f, goal %.2f\n", ratios[len(ratios)/2], goal)
	return nil
}

// against runs one of the two with a fresh server.
func against(server string, load func(addr string) (float64, error)) (float64, error) {
	p, found, err := child.Start(server, []string{"--listen", "127.0.0.1:0", "--announce=false"}, `ws://(\S+)/nano`)
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	return load(found[0])
}

func bareLoop(binary, addr string, measure time.Duration) (float64, error) {
	cmd := exec.Command(binary, "--addr", addr, "--sessions", strconv.Itoa(sessions), "--rooms", strconv.Itoa(rooms),
		"--rate", strconv.Itoa(rate), "--duration", measure.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("reader: %w", err)
	}
	var got struct {
		Pushes int64   `json:"pushes"`
		CPU    float64 `json:"cpu_us_per_push"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return 0, fmt.Errorf("reader: %w", err)
	}
	return got.CPU, complete("reader", got.Pushes, measure)
}

// complete refuses a run that lost something: its cost is not per push.
func complete(who string, pushes int64, measure time.Duration) error {
	want := int64(measure.Seconds()*rate) * sessions / rooms
	if pushes != want {
		return fmt.Errorf("%s received %d pushes of %d", who, pushes, want)
	}
	return nil
}

func botLoop(binary, addr, report string, measure time.Duration) (float64, error) {
	cmd := exec.Command(binary, "--scenario", "chat", "--addr", "ws://"+addr+"/nano", "--sessions", strconv.Itoa(sessions),
		"--rooms", strconv.Itoa(rooms), "--rate", strconv.Itoa(rate), "--duration", measure.String(), "--json", report)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("bot: %w; it printed:\n%s", err, out)
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		return 0, err
	}
	var got struct {
		Metrics map[string]struct {
			Count int64 `json:"count"`
		} `json:"metrics"`
		Generator struct {
			CPU float64 `json:"cpu_us_per_push"`
		} `json:"generator"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return 0, fmt.Errorf("bot: %w", err)
	}
	var pushes int64
	for name, m := range got.Metrics {
		if strings.HasPrefix(name, "push[") {
			pushes += m.Count
		}
	}
	return got.Generator.CPU, complete("bot", pushes, measure)
}
