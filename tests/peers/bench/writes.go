package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// meterEvery is rare enough that a scrape, about a millisecond of the server's
// time, stays far below one per cent of what is measured.
const meterEvery = time.Second

// counts is one scrape of shaddock's /metrics.
type counts struct {
	at               time.Time
	messages, writes float64
	remote, members  float64 // messages to other nodes of a cluster, and its nodes
}

// meter scrapes while a bot runs. Its goroutine ends with stop.
type meter struct {
	cancel context.CancelFunc
	done   chan []counts
}

// meterWrites watches the metrics at url; "" watches nothing.
func meterWrites(ctx context.Context, url string) *meter {
	ctx, cancel := context.WithCancel(ctx)
	m := &meter{cancel: cancel, done: make(chan []counts, 1)}
	go func() { m.done <- scrapes(ctx, url) }()
	return m
}

func (m *meter) stop() []counts {
	m.cancel()
	return <-m.done
}

func scrapes(ctx context.Context, url string) (seen []counts) {
	if url == "" {
		return nil
	}
	tick := time.NewTicker(meterEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return seen
		}
		// A scrape that fails is missing from the table, nothing else.
		if c, err := scrape(ctx, url); err == nil {
			seen = append(seen, c)
		}
	}
}

func scrape(ctx context.Context, url string) (counts, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return counts{}, fmt.Errorf("scrape: %w", err)
	}
	c := counts{at: time.Now()}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return counts{}, fmt.Errorf("scrape: %w", err)
	}
	defer resp.Body.Close()
	return c, c.parse(resp.Body)
}

// parse reads the text format of Prometheus: "name value" a line.
func (c *counts) parse(r io.Reader) error {
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		name, value, _ := strings.Cut(sc.Text(), " ")
		var field *float64
		switch name {
		case "shaddock_messages_out_total":
			field = &c.messages
		case "shaddock_writes_total":
			field = &c.writes
		case `shaddock_cluster_messages_total{direction="sent"}`:
			field = &c.remote
		case "shaddock_cluster_members":
			field = &c.members
		default:
			continue
		}
		if _, err := fmt.Sscan(value, field); err != nil {
			return fmt.Errorf("parse %s %s: %w", name, value, err)
		}
	}
	return sc.Err()
}

// within returns the first and the last scrape that lie inside the measurement;
// the same one twice, or none, when fewer than two do.
func within(seen []counts, from, to time.Time) (first, last counts) {
	for _, c := range seen {
		if c.at.Before(from) || c.at.After(to) {
			continue
		}
		if first.at.IsZero() {
			first = c
		}
		last = c
	}
	return first, last
}

// perWrite is the mean number of messages per write call in the measurement; 0
// when nobody counted.
func perWrite(seen []counts, from, to time.Time) float64 {
	first, last := within(seen, from, to)
	if last.writes <= first.writes {
		return 0
	}
	return (last.messages - first.messages) / (last.writes - first.writes)
}
