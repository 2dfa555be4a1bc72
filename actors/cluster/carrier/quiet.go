package carrier

import (
	"context"
	"log/slog"
)

// quiet makes the runtime's records debug records. It reports every connection
// that ends as an error, which an operator need not act on; what matters of it is
// logged by the link.
type quiet struct{ to slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.to.Enabled(ctx, slog.LevelDebug)
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.String("runtime_level", r.Level.String()))
	r.Level = slog.LevelDebug
	return q.to.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.to.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.to.WithGroup(name)} }
