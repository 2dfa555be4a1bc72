//go:build !linux

package transport

// newPoller returns the portable poller: there is no other here.
func newPoller(bool) (poller, error) { return newChanPoller(), nil }
