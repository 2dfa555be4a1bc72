// Package postgrestest runs a PostgreSQL server for tests.
package postgrestest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Env names the variable with the URL of a server to use instead of one that is
// started here. Tests make databases of their own on it.
const Env = "SHADDOCK_TEST_POSTGRES"

// Start returns the URL of an empty database on a server that ends with the test.
// Where there is no PostgreSQL the test is skipped, and says what to install.
func Start(t testing.TB) string {
	t.Helper()
	if env := os.Getenv(Env); env != "" {
		return fresh(t, env)
	}
	bin := find()
	if bin == "" {
		t.Skipf("no PostgreSQL here: install it (Debian: apt-get install postgresql) or set %s to the URL of a server", Env)
	}
	dir, err := os.MkdirTemp("", "shaddock-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	credential := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "shaddock", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	serve(t, filepath.Join(bin, "postgres"), dir, data, credential)
	return "postgres://shaddock@/postgres?host=" + url.QueryEscape(dir)
}

// serve runs the server until the test ends, or this process does, however it
// does: the shell around it reads a pipe that ends with us.
func serve(t testing.TB, postgres, dir, data string, credential *syscall.Credential) {
	t.Helper()
	const script = `"$0" "$@" & read -r _; kill -INT $!; wait $!`
	cmd := exec.Command("sh", "-c", script, postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: credential}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if line := lines.Text(); len(line) > 0 && isReady(line) {
				ready <- true
				break
			}
		}
		_, _ = io.Copy(io.Discard, stderr)
		close(ready)
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		<-ended
		_ = cmd.Wait() // by our own signal
	})
	select {
	case up := <-ready:
		if !up {
			t.Fatal("PostgreSQL ended before it was ready")
		}
	case <-time.After(time.Minute):
		t.Fatal("PostgreSQL was not ready within a minute")
	}
}

func isReady(line string) bool {
	const words = "database system is ready to accept connections"
	return len(line) >= len(words) && line[len(line)-len(words):] == words
}

// find returns the folder of the server's programs, "" when there is none.
func find() string {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is good
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}

// unprivileged gives dir to a user that PostgreSQL agrees to run as, if we are
// root, and returns who that is.
func unprivileged(t testing.TB, dir string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			t.Skipf("PostgreSQL does not run as root, and there is no other user: %v", err)
		}
	}
	uid, err1 := strconv.Atoi(who.Uid)
	gid, err2 := strconv.Atoi(who.Gid)
	if err1 != nil || err2 != nil {
		t.Fatalf("user %s has no number: %s, %s", who.Username, who.Uid, who.Gid)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}
}

// fresh makes a database on a server that is there, and drops it after the test.
func fresh(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	name := fmt.Sprintf("shaddock_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	run := func(statement string) error { return Exec(context.Background(), server, statement) }
	if err := run("CREATE DATABASE " + name); err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	t.Cleanup(func() {
		if err := run("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("%s: %v", Env, err)
		}
	})
	u.Path = "/" + name
	return u.String()
}
