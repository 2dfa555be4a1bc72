package main

import (
	"strings"
	"testing"
	"time"
)

func TestPerWriteLooksInsideTheMeasurement(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	seen := []counts{
		{at: at(1), messages: 1000, writes: 10}, // while the rooms fill: merged
		{at: at(3), messages: 1100, writes: 60},
		{at: at(4), messages: 1200, writes: 160},
		{at: at(5), messages: 1300, writes: 260},
		{at: at(9), messages: 9000, writes: 270},
	}
	if got := perWrite(seen, at(2), at(6)); got != 1 {
		t.Errorf("perWrite = %v, want 1", got)
	}
	if got := perWrite(seen, at(5), at(6)); got != 0 {
		t.Errorf("perWrite of one scrape = %v, want 0: unknown", got)
	}
}

func TestParseMetrics(t *testing.T) {
	var c counts
	err := c.parse(strings.NewReader("# TYPE shaddock_writes_total counter\nshaddock_writes_total 12\nshaddock_cluster_members 3\nshaddock_cluster_messages_total{direction=\"sent\"} 7\nshaddock_messages_out_total 1.5e+06\nother 3\n"))
	if err != nil || c.writes != 12 || c.messages != 1.5e6 || c.members != 3 || c.remote != 7 {
		t.Errorf("parse = %+v, %v, want 12 writes, 1500000 messages, 3 nodes and 7 messages to others", c, err)
	}
	if err := c.parse(strings.NewReader("shaddock_writes_total many\n")); err == nil {
		t.Error("a value that is no number was taken")
	}
}
