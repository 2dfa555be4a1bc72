package protocol

import (
	"io"
	"strings"
	"testing"
)

// An operator reads these: layer, rule and what was there instead.
func TestDecodeErrorNamesTheRule(t *testing.T) {
	_, _, err := CutPacket([]byte{9}, DefaultMaxBody)
	for _, want := range []string{"package", "1..5", "9"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %s", err, want)
		}
	}
	err = badZlib(io.ErrUnexpectedEOF)
	for _, want := range []string{"body", "zlib", io.ErrUnexpectedEOF.Error()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %s", err, want)
		}
	}
}
