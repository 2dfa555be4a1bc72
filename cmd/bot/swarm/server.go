package swarm

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// serverUsage reads what the servers have used, from their processes (--pid) or
// from their metrics page (--scrape).
type serverUsage struct {
	pids     []int
	page     string
	sessions int

	start usedUp // when the measuring began
	last  usedUp // at the last sample
}

// usedUp is a reading; CPU is since the servers' start.
type usedUp struct {
	cpu time.Duration
	rss int64
}

func newServerUsage(cfg *Config) *serverUsage {
	return &serverUsage{pids: cfg.PID, page: cfg.Scrape, sessions: cfg.Sessions}
}

func (u *serverUsage) known() bool { return len(u.pids) > 0 || u.page != "" }

// now reads; zero where nothing can be told, which the result then says.
func (u *serverUsage) now() (sum usedUp) {
	for _, pid := range u.pids {
		if one, err := measure.ProcessUsage(pid); err == nil {
			sum.cpu += one.CPU()
			sum.rss += one.RSS
		}
	}
	if u.page != "" {
		if one, err := scrape(u.page); err == nil {
			sum.cpu += one.cpu
			sum.rss += one.rss
		}
	}
	return sum
}

// sample fills in the server's part of a time series' row.
func (u *serverUsage) sample(s *report.Sample) {
	if !u.known() {
		return
	}
	now := u.now()
	if s.Seconds > 0 && u.last.cpu > 0 {
		s.ServerCores = max(0, (now.cpu-u.last.cpu).Seconds()/s.Seconds)
	}
	s.ServerRSS = now.rss
	u.last = now
}

// fill tells the result.
func (u *serverUsage) fill(r *report.Result, before, connected, after usedUp) {
	if !u.known() {
		return
	}
	r.Server = &report.Server{
		CPUSeconds: (after.cpu - u.start.cpu).Seconds(),
		RSSBefore:  before.rss, RSSConnected: connected.rss, RSSEnd: after.rss,
	}
	if n := r.Run.Sessions; n > 0 {
		r.Server.RSSPerSession = float64(connected.rss-before.rss) / float64(n)
	}
}

// scrapeTime bounds one look at a metrics page.
const scrapeTime = 2 * time.Second

// scrape takes the two metrics that every Prometheus client exports.
func scrape(page string) (usedUp, error) {
	client := http.Client{Timeout: scrapeTime}
	res, err := client.Get(page)
	if err != nil {
		return usedUp{}, err
	}
	defer res.Body.Close()
	return parseMetrics(res.Body)
}

func parseMetrics(r io.Reader) (u usedUp, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			continue
		}
		n, perr := strconv.ParseFloat(value, 64)
		switch {
		case perr != nil:
		case name == "process_cpu_seconds_total":
			u.cpu = time.Duration(n * float64(time.Second))
		case name == "process_resident_memory_bytes":
			u.rss = int64(n)
		}
	}
	return u, lines.Err()
}
