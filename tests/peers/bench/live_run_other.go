//go:build !linux

package main

import (
	"context"
	"errors"
	"io"
)

// runLive needs Linux: its crowd lives on epoll.
func runLive(context.Context, string, liveTiming, io.Writer) ([]liveSample, error) {
	return nil, errors.New("live rooms are measured on Linux only")
}
