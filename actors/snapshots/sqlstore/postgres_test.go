package sqlstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
	"github.com/shaddock-game/shaddock/actors/snapshots/sqlstore"
	"github.com/shaddock-game/shaddock/actors/snapshots/sqlstore/postgrestest"
)

func TestPostgres(t *testing.T) {
	url := postgrestest.Start(t)
	t.Run("nodes that start together", func(t *testing.T) { startTogether(t, url) })
	snapshotstest.Run(t, snapshotstest.Subject{
		Open:  func(t *testing.T) snapshots.Store { return open(t, url) },
		Gives: true,
	})
	t.Run("a later schema", func(t *testing.T) { laterSchema(t, url) })
	t.Run("a save that hangs", func(t *testing.T) { hang(t, url) })
}

// Nodes that find an empty database wait for the one that makes the schema.
func startTogether(t *testing.T, url string) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	all.Wait()
}

func laterSchema(t *testing.T, url string) {
	later := "INSERT INTO shaddock_schema (version_id, is_applied) VALUES (99, true)"
	if err := postgrestest.Exec(t.Context(), url, later); err != nil {
		t.Fatal(err)
	}
	_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
	if err == nil || !strings.Contains(err.Error(), "version 99") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("a database of a later program was opened: %v", err)
	}
	if err := postgrestest.Exec(t.Context(), url, "DELETE FROM shaddock_schema WHERE version_id = 99"); err != nil {
		t.Fatal(err)
	}
}

// A save that the database does not answer ends with its own deadline, and saves
// of other rooms do not wait for it.
func hang(t *testing.T, url string) {
	s := open(t, url)
	defer func() { _ = s.Close() }()
	slow, fast := snapshots.Key{Kind: "a", ID: "slow"}, snapshots.Key{Kind: "a", ID: "fast"}
	for _, k := range []snapshots.Key{slow, fast} {
		if _, err := s.Claim(t.Context(), k, 1); err != nil {
			t.Fatal(err)
		}
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	tx, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM shaddock_snapshots WHERE room = 'a/slow' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	hanging := make(chan error, 1)
	go func() { hanging <- s.Save(ctx, slow, 1, 1, []byte("x")) }()
	if err := s.Save(t.Context(), fast, 1, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-hanging; err == nil {
		t.Fatal("a save was acknowledged that the database had not answered")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), slow, 1, 2, []byte("y")); err != nil {
		t.Fatalf("the next try: %v", err)
	}
}
