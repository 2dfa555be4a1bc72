package main

import (
	"strings"
	"testing"
	"time"
)

func TestPerWriteLooksInsideTheMeasurement(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	seen := []counts{
		{at(1), 1000, 10}, // while the rooms fill: merged
		{at(3), 1100, 60},
		{at(4), 1200, 160},
		{at(5), 1300, 260},
		{at(9), 9000, 270},
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
	err := c.parse(strings.NewReader("# TYPE shaddock_writes_total counter\nshaddock_writes_total 12\nshaddock_messages_out_total 1.5e+06\nother 3\n"))
	if err != nil || c.writes != 12 || c.messages != 1.5e6 {
		t.Errorf("parse = %+v, %v, want 12 writes and 1500000 messages", c, err)
	}
	if err := c.parse(strings.NewReader("shaddock_writes_total many\n")); err == nil {
		t.Error("a value that is no number was taken")
	}
}
