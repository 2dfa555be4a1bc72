package rooms

import "github.com/shaddock-game/shaddock/actors/cluster/flow"

// SetRing changes what rooms keep for gates that do not acknowledge, until the
// returned function is called. No room may run at either time.
func SetRing(messages, bytes int) func() {
	was := farLimits
	farLimits = flow.Limits{Messages: messages, Bytes: bytes}
	return func() { farLimits = was }
}
