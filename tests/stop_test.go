package tests

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// A client that does not close its side, and a handler that does not return, cost a
// stop its grace and no more: they are cut off, counted, and no error.
func TestStopCutsOffWhoStays(t *testing.T) {
	var logged bytes.Buffer // written before Run returns, read after
	release := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	up, done := make(chan string, 1), make(chan error, 1)
	cfg := app.Config{
		Listen: "127.0.0.1:0", Admin: "off", Grace: 2 * time.Second,
		Log:         slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelWarn})),
		OnListening: func(players, _ string) { up <- players },
		Setup: func(a *actors.App, _ *rooms.Host) error {
			actors.HandleRaw(a, "test.wait", func(*actors.Ctx, []byte) ([]byte, error) {
				<-release
				return nil, nil
			}, actors.Blocking())
			return nil
		},
	}
	go func() { done <- app.Run(ctx, cfg) }()
	players := <-up
	defer close(release)

	waits, silent := join(t, players, ""), join(t, players, "")
	waits.request("test.wait", "{}")
	silent.wantAnswer("it is there", silent.request("room.echo", `{}`))
	began := time.Now()
	stop()
	if err := <-done; err != nil {
		t.Errorf("stop: %v, want none: whoever stays is no failure of the server", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 2*time.Second+patience {
		t.Errorf("the stop took %v, want the grace of 2 s", took)
	}
	silent.wantClosed("told why", protocol.ReasonShutdown)
	for _, want := range []string{"sessions=0 handlers=1", "cut off connections that did not close\" connections=2"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &logged)
		}
	}
}

// A second signal does not wait for the rest of a stop.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	c := startCluster(t)
	gate := c.node("gate", "--roles", "gate", "--cluster-away", "60s", "--grace", "120s")
	player := join(t, gate.Players(), "")
	c.must(gate.Signal(syscall.SIGTERM))
	player.until("the stop has begun", protocol.Push, "sys.goaway")
	if _, err := gate.Get("/readyz"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("/readyz of a gate that stops: %v, want 503", err)
	}
	c.must(gate.Signal(syscall.SIGTERM))
	if err := gate.Wait(patience); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("ended with %v, want the signal", err)
	}
}
