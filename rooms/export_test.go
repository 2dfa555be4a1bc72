package rooms

import "github.com/shaddock-game/shaddock/actors/cluster/flow"

// SetRing changes what rooms keep for gates that do not acknowledge, until the
// returned function is called. No room may run at either time.
func SetRing(l flow.Limits) func() {
	was := farLimits
	farLimits = l
	return func() { farLimits = was }
}
