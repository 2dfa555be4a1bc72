package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
	"github.com/shaddock-game/shaddock/actors/snapshots/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, url string) snapshots.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLite(t *testing.T) {
	file := "sqlite:" + filepath.Join(t.TempDir(), "a file?#%41.db")
	snapshotstest.Run(t, snapshotstest.Subject{
		Open:  func(t *testing.T) snapshots.Store { return open(t, file) },
		Gives: true,
	})
}

// "One-line errors for bad settings", without passwords.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, want string }{
		{"", "give sqlite:FILE"},
		{"mysql://x", "give sqlite:FILE"},
		{"sqlite:", "path of a file"},
		{"sqlite::memory:", "path of a file"},
		{"sqlite:" + filepath.Join(file, "below"), "open"},
		{"sqlite:" + file, "not a database"},
		{"postgres://u:secret@[", "parse"},
		{"postgres://u:secret@127.0.0.1:1/x?connect_timeout=1", "refused"},
	} {
		s, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: c.url})
		switch {
		case err == nil:
			_ = s.Close()
			t.Errorf("%s was opened", c.url)
		case !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: %q, want one line with %q", c.url, err, c.want)
		}
	}
}

// What is closed has written all that it has acknowledged, and refuses the rest.
func TestCloseUnderLoad(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	s := open(t, url)
	var all sync.WaitGroup
	kept := make([]atomic.Bool, 64)
	saved := make(chan struct{}, len(kept))
	for i := range kept {
		all.Go(func() {
			k := snapshots.Key{Kind: "a", ID: strconv.Itoa(i)}
			kept[i].Store(s.Save(t.Context(), k, 1, 1, []byte("x")) == nil)
			saved <- struct{}{}
		})
	}
	<-saved
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	s = open(t, url)
	defer func() { _ = s.Close() }()
	for i := range kept {
		got, err := s.Claim(t.Context(), snapshots.Key{Kind: "a", ID: strconv.Itoa(i)}, 2)
		if err != nil {
			t.Fatal(err)
		}
		if kept[i].Load() && got.Data == nil {
			t.Errorf("save %d was acknowledged and is gone", i)
		}
	}
}

// BenchmarkSave is what a save costs while many rooms save at a time; a commit
// waits for the disk.
func BenchmarkSave(b *testing.B) {
	for _, rooms := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("sqlite/rooms=%d", rooms), func(b *testing.B) {
			benchmarkSave(b, open(b, "sqlite:"+filepath.Join(b.TempDir(), "a.db")), rooms)
		})
	}
}

func benchmarkSave(b *testing.B, s snapshots.Store, rooms int) {
	defer func() { _ = s.Close() }()
	b.ReportAllocs()
	data := make([]byte, 1024)
	var room atomic.Int64
	b.SetParallelism(max(rooms/runtime.GOMAXPROCS(0), 1))
	b.RunParallel(func(pb *testing.PB) {
		k := snapshots.Key{Kind: "a", ID: strconv.FormatInt(room.Add(1), 10)}
		for pb.Next() {
			if err := s.Save(b.Context(), k, 1, 1, data); err != nil {
				b.Error(err)
			}
		}
	})
}
