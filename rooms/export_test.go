package rooms

import "github.com/shaddock-game/shaddock/actors/cluster/flow"

// SetRing changes what rooms keep for gates that do not acknowledge, until the
// returned function is called. No room may run at either time.
func SetRing(messages, bytes int) func() {
	was := farLimits
	farLimits = flow.Limits{Messages: messages, Bytes: bytes}
	return func() { farLimits = was }
}

// SetBudget does the same for what all rooms of a node keep, and for what each keeps
// for a gate past that.
func SetBudget(all int64, tight int) func() {
	wasAll, wasTight := keptBudget, tightBytes
	keptBudget, tightBytes = all, tight
	return func() { keptBudget, tightBytes = wasAll, wasTight }
}
