package swarm

import (
	"testing"
	"unsafe"
)

// A session is a value: what it needs at rest beside its connection. With the
// connection's own state it has to stay below two kilobytes.
func TestASessionAtRestIsSmall(t *testing.T) {
	const most = 512
	if n := unsafe.Sizeof(session{}) + unsafe.Sizeof(link{}); n > most {
		t.Errorf("a session and its link take %d bytes, want at most %d", n, most)
	} else {
		t.Logf("a session and its link take %d bytes", n)
	}
}
