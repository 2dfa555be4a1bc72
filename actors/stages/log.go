package stages

import (
	"context"
	"log/slog"

	"github.com/shaddock-game/shaddock/actors"
)

// Log logs every message at the level given, inbound at the front and outbound at
// the back, with its route, its size and the session's id and uid. Bodies are not
// logged: they are the players' own.
func Log(p *actors.Pipeline, log *slog.Logger, level slog.Level) {
	ctx := context.Background()
	p.Inbound.PushFront(func(c *actors.Ctx, in *actors.Inbound) error {
		if log.Enabled(ctx, level) {
			log.LogAttrs(ctx, level, "received", slog.String("route", c.Route()), slog.Bool("request", in.Request),
				slog.Int("bytes", len(in.Body)), slog.Uint64("session", c.Session().ID()), slog.String("uid", c.UID()))
		}
		return nil
	})
	p.Outbound.PushBack(func(out *actors.Outgoing) error {
		if !log.Enabled(ctx, level) {
			return nil
		}
		attrs := []slog.Attr{slog.String("route", out.Route), slog.Bool("push", out.Push), slog.Int("bytes", len(out.Body)),
			slog.Uint64("session", out.Session.ID()), slog.String("uid", out.Session.UID())}
		if out.Err != nil {
			attrs = append(attrs, slog.Int("code", int(out.Err.Code)), slog.String("error", out.Err.Error()))
		}
		log.LogAttrs(ctx, level, "sent", attrs...)
		return nil
	})
}
