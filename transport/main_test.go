package transport

import (
	"testing"

	"go.uber.org/goleak"
)

// A goroutine that outlives the tests has no owner that waits for it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
