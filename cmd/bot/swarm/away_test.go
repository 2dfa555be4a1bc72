package swarm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Who is told that the server will stop leaves it by itself, between two acts, for
// where it was sent, or for the next address. Nothing fails, nobody is dropped.
func TestSessionsLeaveAServerThatStops(t *testing.T) {
	t.Parallel()
	const sessions = 10
	for name, told := range map[string]func(to string) string{
		"sent somewhere": func(to string) string {
			return fmt.Sprintf(`{"after":300,"url":%q}`, strings.Replace(to, "ws", "http", 1))
		},
		"sent away": func(string) string { return `{"after":300}` },
	} {
		from, to := newDouble(t, nil), newDouble(t, nil)
		from.mu.Lock()
		from.away = told(to.url)
		from.mu.Unlock()
		cfg := Config{Addr: []string{from.url}, Sessions: sessions, Rate: "100", Duration: 2 * time.Second, Scenario: "echo", Reconnect: true}
		if name == "sent away" {
			cfg.Addr = append(cfg.Addr, to.url) // half of them are there already
		}
		res := from.run(t, cfg)
		moved := int64(sessions / len(cfg.Addr))
		if s := res.Sessions; s != (report.Sessions{Opened: sessions + moved, Reconnects: moved}) {
			t.Errorf("%s: %+v, want %d reconnects and none dropped", name, s, moved)
		}
		if n := res.Metrics["request[room.echo]"].Count; res.Failures() != 0 || n != res.Schedule.Sent || n < 150 {
			t.Errorf("%s: %d answers to %d requests, %d failures", name, n, res.Schedule.Sent, res.Failures())
		}
		if here, there := from.came(), to.came(); here != int(moved) || there != sessions {
			t.Errorf("%s: %d came here and %d there, want %d and %d", name, here, there, moved, sessions)
		}
	}
}
