//go:build linux

package main

import (
	"os"
	"testing"
	"time"
)

func TestWatcherSharesAddUp(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	w := &watcher{seen: []usage{
		{at: at(0), server: 0, bot: 0, busy: 0, whole: 0},
		{at: at(1000), server: 100, bot: 50, busy: 160, whole: 200},
		{at: at(2000), server: 140, bot: 90, busy: 260, whole: 400},
		{at: at(3000), server: 340, bot: 90, busy: 460, whole: 600},
	}}
	got := w.between(at(1000), at(2500))
	want := shares{Server: 0.2, Bot: 0.2, Others: 0.1}
	if d := got.Others - want.Others; got.Server != want.Server || got.Bot != want.Bot || d > 1e-9 || d < -1e-9 {
		t.Errorf("between = %+v, want %+v", got, want)
	}
	if got := (&watcher{}).between(at(0), at(1)); got != (shares{}) {
		t.Errorf("between without a look = %+v, want nothing", got)
	}
}

func TestLookReadsThisProcess(t *testing.T) {
	u, err := look(os.Getpid(), os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.whole == 0 || u.busy > u.whole || u.server != u.bot {
		t.Errorf("look = %+v", u)
	}
	if _, err := look(-1, os.Getpid()); err == nil {
		t.Error("a process that does not exist was read")
	}
}
