package postgrestest

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Exec carries out one statement on the server of a URL, by a connection of its
// own: to lock what a store is to wait for, say.
func Exec(ctx context.Context, url, statement string) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, statement)
	return err
}
