//go:build !linux

package transport

import "errors"

const rawDial = false

func dialRaw(*dialing) (socket, error) { return nil, errors.ErrUnsupported }

func connectError(socket) error { return nil }
