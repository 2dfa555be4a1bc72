// Package stages holds pipeline stages that most games want: an authentication
// gate, validation of requests, traffic counters and request logging. Each is a
// function for one of the lists of actors.Pipeline.
package stages

import (
	"slices"
	"strings"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Gate is an inbound stage that answers 401 to sessions without a uid. Open to them
// are routes registered with actors.Public and those named here: whole routes, or
// all of a component or kind of room as "gate.*". Put it at the front.
func Gate(open ...string) func(*actors.Ctx, *actors.Inbound) error {
	var prefixes, routes []string
	for _, o := range open {
		if prefix, all := strings.CutSuffix(o, "*"); all {
			prefixes = append(prefixes, prefix)
		} else {
			routes = append(routes, o)
		}
	}
	return func(c *actors.Ctx, _ *actors.Inbound) error {
		if c.UID() != "" || c.Public() || slices.Contains(routes, c.Route()) ||
			slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c.Route(), p) }) {
			return nil
		}
		return protocol.Errorf(protocol.CodeUnauthenticated, "log in first")
	}
}
