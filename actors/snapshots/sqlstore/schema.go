package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema
var schemas embed.FS

// dialect is what differs between databases.
type dialect struct {
	name  string
	goose database.Dialect
}

var (
	sqlite   = dialect{"sqlite", database.DialectSQLite3}
	postgres = dialect{"postgres", database.DialectPostgres}
)

// versions is the table in which the version of the schema stands.
const versions = "shaddock_schema"

// migrate brings the schema up to date. Nodes that start together wait for the one
// that does.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(schemas, "schema/"+s.dialect.name)
	if err != nil {
		return err
	}
	table, err := database.NewStore(s.dialect.goose, versions)
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithStore(table)}
	if s.dialect == postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(goose.DialectCustom, s.db, files, options...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if have > known {
		return fmt.Errorf("schema: the database is of version %d, this program knows %d: use a later one", have, known)
	}
	return nil
}
