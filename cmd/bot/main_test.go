package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// binary is the bot as it is shipped.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "bot")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "bot")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// bot runs the program to its end.
func bot(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), errs.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out.String(), errs.String()
}

// echo is a server that answers every request with its body.
type echo struct{ conn *transport.Conn }

func serveEcho(t *testing.T) (url string) {
	t.Helper()
	s, err := transport.NewServer(transport.Config{Loops: 1, Open: func(c *transport.Conn) transport.Receiver { return echo{c} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx) // a bot that was cut off left connections behind
	})
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return "ws://" + addr.String() + "/"
}

// Packet implements transport.Receiver.
func (e echo) Packet(p protocol.Packet, c *protocol.Chunk) {
	switch p.Type {
	case protocol.Handshake:
		e.conn.Write(protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Handshake, []byte(`{"code":200,"sys":{}}`)))
	case protocol.Data:
		if m, err := protocol.ParseMessage(p.Body, nil); err == nil && m.Type == protocol.Request {
			b, mark := protocol.BeginPacket(protocol.AppendHeadroom(nil), protocol.Data)
			b, _ = protocol.AppendMessage(b, protocol.Message{Type: protocol.Response, ID: m.ID, Body: m.Body}) // a response has no route that could be too long
			e.conn.Write(protocol.EndPacket(b, mark))
		}
	}
	e.conn.Done(1, len(p.Body))
	if c != nil {
		c.Release()
	}
}

// Batch implements transport.Receiver.
func (echo) Batch() {}

// Tick implements transport.Receiver.
func (echo) Tick(time.Time) {}

// Reply implements transport.Receiver.
func (echo) Reply(any) {}

// Closed implements transport.Receiver.
func (echo) Closed(protocol.Reason, error) {}

// load is a short run against url.
func load(url string, more ...string) []string {
	return append([]string{"--addr", url, "--scenario", "echo", "--sessions", "5", "--rate", "100", "--duration", "300ms", "--settle", "1ms"}, more...)
}

func TestExitCodes(t *testing.T) {
	url, dir := serveEcho(t), t.TempDir()
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte(`{"schema":77}`), 0o644); err != nil {
		t.Fatal(err)
	}
	const nobody = "ws://127.0.0.1:1/"
	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"help", []string{"--help"}, 0, "Exit codes:"},
		{"help of a command", []string{"compare", "--help"}, 0, "--markdown"},
		{"a good run", load(url), 0, "request[room.echo]"},
		{"a good run, said in full", append([]string{"run"}, load(url)...), 0, "request[room.echo]"},
		{"a threshold that holds", load(url, "--fail-if", "request.p99>1h", "--fail-if", "errors>0"), 0, "request[room.echo]"},
		{"no threshold", load(url, "--fail-if", "never"), 0, "request[room.echo]"},
		{"a breach", load(url, "--fail-if", "request.p99>1h", "--fail-if", "request.count>0"), 99, "breached: request.count>0: it was 30"},
		{"an unknown metric, before anything is connected", load(nobody, "--fail-if", "pushes.p99>1ms"), 2, "request[room.echo]"},
		{"a limit without a unit", load(nobody, "--fail-if", "request.p99>1"), 2, "100ms"},
		{"the server's usage, of which nothing is known", load(nobody, "--fail-if", "server.rss>1GB"), 2, "say which process"},
		{"an unknown flag", []string{"--speed", "3"}, 2, "--speed"},
		{"an unknown scenario", load(nobody, "--scenario", "nothing"), 2, "nothing"},
		{"a file that cannot be written", load(nobody, "--json", filepath.Join(dir, "no", "a.json")), 2, "--json"},
		{"nobody there", load(nobody), 1, "127.0.0.1:1"},
		{"a result that is missing", []string{"compare", other, filepath.Join(dir, "none.json")}, 2, "none.json"},
		{"a result of another schema", []string{"compare", other, other}, 1, "schema"},
		{"one head for two columns", []string{"compare", "--names", "a", other, other}, 2, "--names"},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := bot(t, test.args...)
			if code != test.code || !strings.Contains(stdout+stderr, test.says) {
				t.Errorf("bot %s: exit code %d, want %d and %q:\n%s%s",
					strings.Join(test.args, " "), code, test.code, test.says, stdout, stderr)
			}
		})
	}
}

func TestARunLeavesInEveryForm(t *testing.T) {
	url, dir := serveEcho(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	code, stdout, stderr := bot(t, load(url, "--json", at("a.json"), "--csv", at("a.csv"), "--html", at("a.html"), "--fail-if", "request.count>0")...)
	if code != 99 {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	r, err := report.Open(at("a.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := r.Metric("request")
	if err != nil || m.Count != 30 || r.Run.Sessions != 5 || r.Run.Target != url || r.Run.Command[1] != "--addr" || len(r.Series) == 0 {
		t.Errorf("%d requests, %+v, %v; want 30", m.Count, r.Run, err)
	}
	for file, want := range map[string]string{"a.csv": "at,seconds,phase", "a.html": "request.count&gt;0: it was 30"} {
		if b, err := os.ReadFile(at(file)); err != nil || !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s lacks %q (%v)", file, want, err)
		}
	}
	if !strings.Contains(stderr, "measuring") {
		t.Errorf("nothing was shown meanwhile: %q", stderr)
	}

	if code, stdout, stderr = bot(t, "report", at("a.json"), at("a.json"), "--json", at("both.json")); code != 0 {
		t.Fatalf("report: exit code %d: %s%s", code, stdout, stderr)
	}
	if r, err = report.Open(at("both.json")); err != nil || r.Metrics["request[room.echo]"].Count != 60 {
		t.Errorf("merged: %d requests (%v), want 60", r.Metrics["request[room.echo]"].Count, err)
	}
	if code, stdout, _ = bot(t, "compare", at("a.json"), at("both.json")); code != 0 || !strings.Contains(stdout, "×2.00") {
		t.Errorf("compare: exit code %d:\n%s", code, stdout)
	}
}

func TestAnInterruptedRunReportsWhatItHas(t *testing.T) {
	url, file := serveEcho(t), filepath.Join(t.TempDir(), "a.json")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, load(url, "--duration", "1h", "--json", file)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), "measuring") {
			break
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("interrupted: %v", err)
	}
	r, err := report.Open(file)
	if err != nil || !r.Run.Interrupted || r.Schedule.Sent == 0 {
		t.Errorf("the report of an interrupted run: %+v, %v", r, err)
	}
}

func TestCompletion(t *testing.T) {
	for shell, want := range map[string]string{"bash": "complete -", "zsh": "complete -", "fish": "complete -"} {
		code, stdout, stderr := bot(t, "completion", "--code", shell)
		if code != 0 || !strings.Contains(stdout, want) || !strings.Contains(stdout, binary) {
			t.Errorf("completion for %s: exit code %d, %s%s", shell, code, stdout, stderr)
		}
	}
	for line, want := range map[string]string{
		"bot comp":           "compare",
		"bot run --scen":     "--scenario",
		"bot run -s ec":      "echo",
		"bot run --live scr": "screen",
		"bot scenarios ch":   "chat",
	} {
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), "COMP_LINE="+line)
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("completion of %q: %q, %v; want %s", line, out, err, want)
		}
	}
}
