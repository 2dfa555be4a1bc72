package measure

import (
	"testing"
	"time"
)

func TestUsageOfAProcessWithAnAwkwardName(t *testing.T) {
	stat := []byte("17 (a) (b c) S 1 17 17 0 -1 4194560 100 0 0 0 250 75 0 0 20 0 5 0 100 1 1\n")
	user, system, err := cpuOfStat(stat)
	if err != nil || user != 2500*time.Millisecond || system != 750*time.Millisecond {
		t.Fatalf("cpuOfStat = %v, %v, %v; want 2.5s, 750ms", user, system, err)
	}
	rss, err := rssOfStatus([]byte("Name:\tx\nVmHWM:\t    9 kB\nVmRSS:\t    12 kB\nThreads:\t1\n"))
	if err != nil || rss != 12<<10 {
		t.Fatalf("rssOfStatus = %d, %v; want %d", rss, err, 12<<10)
	}
}

func TestUsageOfNobodyIsAnError(t *testing.T) {
	if _, err := ProcessUsage(-1); err == nil {
		t.Fatal("a process that does not exist has a usage")
	}
	if _, _, err := cpuOfStat([]byte("1 (x) S")); err == nil {
		t.Fatal("a stat line cut short has a usage")
	}
}
