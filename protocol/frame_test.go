package protocol

import "testing"

func TestFramePayload(t *testing.T) {
	b := AppendHeadroom([]byte(nil))
	if len(b) != Headroom || len((Frame{Packages: b}).Payload()) != 0 || (Frame{}).Payload() != nil {
		t.Errorf("headroom of %d bytes, or a payload in it", len(b))
	}
	b = AppendPacket(b, Heartbeat, nil)
	if got := (Frame{Packages: b}).Payload(); len(got) != HeadLen || &got[0] != &b[Headroom] {
		t.Errorf("payload is %d bytes, want the package in place", len(got))
	}
}
