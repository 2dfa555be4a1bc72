//go:build race

package grains_test

// raceEnabled says that the race detector is on. Protoactor's remote replaces the
// logger of gRPC whenever it starts, so that each second one in a process is a race
// of its own.
const raceEnabled = true
