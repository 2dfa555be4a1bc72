//go:build !unix

package app

// cpuMeter knows nothing here.
type cpuMeter struct{}

func (*cpuMeter) cores() float64 { return 0 }
