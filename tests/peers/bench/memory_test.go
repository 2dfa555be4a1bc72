//go:build linux

package main

import (
	"os"
	"testing"
)

func TestMemoryIsTheSlope(t *testing.T) {
	// 20 MB of program and start-up garbage, 10 MB of which the first crowd took over.
	m := memory{small: 22 << 20, large: 38 << 20, sessions: 8192}
	got := m.sample(10_240)
	if got.SessionKB != 2 || got.ProcessKB != 3.8 {
		t.Errorf("sample = %.2f KB a session, %.2f KB in all, want 2 and 3.8", got.SessionKB, got.ProcessKB)
	}
}

func TestProcIsReadable(t *testing.T) {
	if n, err := resident(os.Getpid()); err != nil || n < 1<<20 {
		t.Errorf("resident = %d, %v", n, err)
	}
	before, err := descriptors(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if after, err := descriptors(os.Getpid()); err != nil || after != before+1 {
		t.Errorf("descriptors went from %d to %d, %v", before, after, err)
	}
}
