package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Flags stand above the environment, and that above the file.
func TestSettingsPrecedence(t *testing.T) {
	path := file(t, "c.yaml", "listen: ':1'\nheartbeat: 7s\nrate-limit: 5\nws-paths: [/a, /b]\n")
	t.Setenv("SHADDOCK_CONFIG", path)
	t.Setenv("SHADDOCK_RATE_LIMIT", "6")
	t.Setenv("SHADDOCK_LISTEN", ":2")
	cfg, err := Parse([]string{"--listen", ":3"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != ":3" || cfg.RateLimit != 6 || cfg.Heartbeat != 7*time.Second || !slices.Equal(cfg.WSPaths, []string{"/a", "/b"}) {
		t.Errorf("got listen %s, rate %d, heartbeat %v, paths %v", cfg.Listen, cfg.RateLimit, cfg.Heartbeat, cfg.WSPaths)
	}
}

func TestZeroIsOff(t *testing.T) {
	cfg, err := Parse([]string{"--rate-limit", "0", "--heartbeat", "0s"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.RateLimit != -1 || cfg.Heartbeat != -1 {
		t.Errorf("got rate %d, heartbeat %v; want both off", cfg.RateLimit, cfg.Heartbeat)
	}
}

func TestLabels(t *testing.T) {
	cfg, err := Parse([]string{"--cluster-labels", "zone=a,disk=fast", "--cluster-needs", "live=disk=fast,zone=a;room=gpu=yes"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(cfg.Cluster.Labels), "map[disk:fast zone:a]"; got != want {
		t.Errorf("labels %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(cfg.Cluster.Needs), "map[live:map[disk:fast zone:a] room:map[gpu:yes]]"; got != want {
		t.Errorf("needs %s, want %s", got, want)
	}
}

func TestDictFile(t *testing.T) {
	cfg, err := Parse([]string{"--dict", file(t, "d.json", `{"room.join": 1, "onMessage": 2}`)})
	if err != nil || cfg.Dict["onMessage"] != 2 {
		t.Errorf("got %v, %v", cfg.Dict, err)
	}
}

const etcdURL = "http://127.0.0.1:1" // nobody listens

// The password of etcd is in a file or in the environment, and in one of them only.
func TestEtcdPassword(t *testing.T) {
	args := []string{"--cluster-etcd", etcdURL, "--cluster-etcd-user", "game"}
	inFile := append(args, "--cluster-etcd-password-file", file(t, "word", " from a file \r\n"))
	cfg, err := Parse(inFile)
	if err != nil || cfg.Cluster.EtcdLogin.Password != " from a file " {
		t.Errorf("%v: got %+v", err, cfg.Cluster.EtcdLogin)
	}
	t.Setenv("SHADDOCK_CLUSTER_ETCD_PASSWORD", "from the environment")
	if cfg, err = Parse(args); err != nil || cfg.Cluster.EtcdLogin != (EtcdLogin{User: "game", Password: "from the environment"}) {
		t.Errorf("%v: got %+v", err, cfg.Cluster.EtcdLogin)
	}
	if _, err = Parse(inFile); err == nil || !strings.Contains(err.Error(), "give one of them") {
		t.Errorf("two passwords: %v", err)
	}
}

// A start that etcd does not allow ends with one line that names the setting.
func TestEtcdDoesNotAnswer(t *testing.T) {
	c := Cluster{Etcd: []string{etcdURL, "https://127.0.0.1:1"}}
	err := c.etcdFailed(context.DeadlineExceeded)
	if err == nil || !strings.HasPrefix(err.Error(), "--cluster-etcd http://127.0.0.1:1: ") ||
		strings.Count(err.Error(), "connection refused") != 2 || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// A user who misconfigures gets one line that names the setting and the fix.
func TestBadSettings(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--heartbeat", "1500ms"}, "--heartbeat 1.5s: clients read whole seconds"},
		{[]string{"--rate-limit=-1"}, "--rate-limit -1"},
		{[]string{"--max-body", "99999999"}, "--max-body 99999999"},
		{[]string{"--out-limit", "1"}, "--out-limit 1"},
		{[]string{"--ws-paths", "nano"}, "--ws-paths nano: a path begins with /"},
		{[]string{"--tls-cert", "x"}, "--tls-cert and --tls-key go together"},
		{[]string{"--log-level", "loud"}, "--log-level"},
		{[]string{"--cluster-needs", "live=disk"}, "--cluster-needs live=disk: give labels as"},
		{[]string{"--store", "mysql://x"}, "--store: give none, memory, sqlite:FILE"},
		{[]string{"--store", "etcd"}, "--store etcd: needs --cluster-etcd"},
		{[]string{"--store", "memory", "--cluster-etcd", etcdURL}, "--store memory: the rooms of a cluster move"},
		{[]string{"--store", "sqlite:x.db", "--cluster-etcd", etcdURL}, "--store sqlite: nodes of a cluster cannot share"},
		{[]string{"--roles", "rooms"}, "--roles: a server alone has every role"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-user", "game"}, "--cluster-etcd-user: its password is missing: give --cluster-etcd-password-file or set SHADDOCK_CLUSTER_ETCD_PASSWORD"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-password-file", "x"}, "--cluster-etcd-password-file: whose password is it?"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-user", "game", "--cluster-etcd-password-file", "missing"}, "--cluster-etcd-password-file: open missing"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-user", "game", "--cluster-etcd-password-file", file(t, "empty", "\n")}, "there is no password in it"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-password", "secret"}, "unknown flag --cluster-etcd-password"},
		{[]string{"--cluster-etcd", "https://game:secret@host:2379"}, "--cluster-etcd: no login in the URL"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-ca", "ca.pem"}, "--cluster-etcd http://127.0.0.1:1: with --cluster-etcd-ca or --cluster-etcd-cert give https://"},
		{[]string{"--cluster-etcd", etcdURL, "--cluster-etcd-cert", "x"}, "--cluster-etcd-cert and --cluster-etcd-key go together"},
		{[]string{"--cluster-etcd-user", "game"}, "--cluster-etcd-user, -ca, -cert: there is no etcd"},
		{[]string{"--heartbat", "1s"}, "--heartbat"},
		{[]string{"--config", "missing.yaml"}, "--config"},
		{[]string{"--config", file(t, "c.yaml", "heartbeet: 3s\n")}, `no setting is called "heartbeet"`},
		{[]string{"--dict", file(t, "d.yaml", "room.join: many\n")}, "--dict"},
	} {
		_, err := Parse(tc.args)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: got %v, want %q", tc.args, err, tc.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: more than one line: %v", tc.args, err)
		}
	}
}
