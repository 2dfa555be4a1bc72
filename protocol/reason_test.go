package protocol

import (
	"regexp"
	"slices"
	"testing"
)

// "Codes are part of the protocol: never renumber." A new reason gets a new line
// at the end; an old line never changes.
func TestReasonsAreNeverRenumbered(t *testing.T) {
	for _, tt := range []struct {
		r     Reason
		code  int
		name  string
		ws    uint16
		retry bool
	}{
		{ReasonNone, 0, "none", 1000, false},
		{ReasonClientGone, 1, "client_gone", 1000, true},
		{ReasonProtocol, 2, "protocol", 1002, false},
		{ReasonHandshakeTimeout, 3, "handshake_timeout", 4003, true},
		{ReasonHandshakeRefused, 4, "handshake_refused", 4004, false},
		{ReasonIdle, 5, "idle", 4005, true},
		{ReasonSlow, 6, "slow", 4006, true},
		{ReasonTooBig, 7, "too_big", 1009, false},
		{ReasonRateLimited, 8, "rate_limited", 1008, false},
		{ReasonKicked, 9, "kicked", 4009, false},
		{ReasonReplaced, 10, "replaced", 4010, false},
		{ReasonShutdown, 11, "shutdown", 1001, true},
		{ReasonAddrLimit, 12, "addr_limit", 1008, true},
		{ReasonOverload, 13, "overload", 1013, true},
		{ReasonInternal, 14, "internal", 1011, true},
		{ReasonUnmasked, 15, "unmasked", 1002, false},
		{ReasonText, 16, "text", 1003, false},
		{ReasonOver, 17, "over", 4017, false},
		{Reason(200), 200, "reason_200", 4200, false},
	} {
		if tt.r.Code() != tt.code || tt.r.Name() != tt.name || tt.r.WS() != tt.ws || tt.r.Retry() != tt.retry {
			t.Errorf("%s: got %d %d %v, want %s: %d %d %v",
				tt.r.String(), tt.r.Code(), tt.r.WS(), tt.r.Retry(), tt.name, tt.code, tt.ws, tt.retry)
		}
	}
}

func TestReasonsAreComplete(t *testing.T) {
	label := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	all := slices.Collect(Reasons())
	seen := map[string]bool{}
	for i, r := range all {
		if int(r) != i || !label.MatchString(r.Name()) || seen[r.Name()] {
			t.Errorf("reason %d: name %q", i, r.Name())
		}
		seen[r.Name()] = true
		if r != ReasonNone && r.Text() == "" {
			t.Errorf("%s: the player is told nothing", r)
		}
	}
	if len(all) != NumReasons || NumReasons != int(ReasonOver)+1 {
		t.Errorf("%d reasons, NumReasons is %d", len(all), NumReasons)
	}
	for range Reasons() {
		break // an iterator must bear this
	}
}
