package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Config says which database to use.
type Config struct {
	// URL is sqlite:FILE, a path, or postgres://user:password@host/database, with
	// the parameters that pgx takes.
	URL    string
	Logger *slog.Logger
}

// Sharable says whether nodes of several machines can share the database of a URL.
func Sharable(rawURL string) bool { return !strings.HasPrefix(rawURL, sqliteScheme) }

// Understood says whether Open knows what a URL means.
func Understood(rawURL string) bool {
	for _, scheme := range [...]string{sqliteScheme, "postgres://", "postgresql://"} {
		if strings.HasPrefix(rawURL, scheme) {
			return true
		}
	}
	return false
}

const sqliteScheme = "sqlite:"

// conns bounds what one node asks of PostgreSQL at a time. Saves past it wait for
// their turn until their own deadline.
const conns = 16

// Open connects to the database and brings its schema up to date. Its error is one
// line without the URL's password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var (
		s   *Store
		err error
	)
	switch file, lite := strings.CutPrefix(cfg.URL, sqliteScheme); {
	case lite:
		s, err = openSQLite(file)
	case Understood(cfg.URL):
		s, err = openPostgres(cfg.URL)
	default:
		err = errors.New("give sqlite:FILE or postgres://user:password@host/database")
	}
	if err != nil {
		return nil, err
	}
	s.log = cfg.Logger
	if err := s.migrate(ctx); err != nil {
		_ = s.db.Close()
		return nil, errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
	}
	s.start()
	return s, nil
}

func openSQLite(file string) (*Store, error) {
	if file == "" || file == ":memory:" {
		return nil, errors.New("sqlite: needs the path of a file")
	}
	// A save is durable when it has been acknowledged: WAL alone would leave the
	// last ones in the kernel.
	query := url.Values{"_pragma": {"busy_timeout(2000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("sqlite %s: %w", file, err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; further connections would only wait for each other's locks
	return &Store{db: db, dialect: sqlite, writes: make(chan *write, maxGroup)}, nil
}

func openPostgres(rawURL string) (*Store, error) {
	cfg, err := pgx.ParseConfig(rawURL)
	if err != nil {
		return nil, err // names what is wrong without the password
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	if _, named := cfg.RuntimeParams["application_name"]; !named {
		cfg.RuntimeParams["application_name"] = "shaddock"
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns / 4)
	db.SetConnMaxIdleTime(time.Minute)
	return &Store{db: db, dialect: postgres}, nil
}
