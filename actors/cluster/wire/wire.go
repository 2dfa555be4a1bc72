// Package wire is what travels between nodes: one protobuf message, told apart
// by op codes.
package wire

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.50.0 generate
