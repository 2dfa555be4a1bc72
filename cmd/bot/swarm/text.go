package swarm

import "bytes"

// text takes one message of a JSON text endpoint. Its type is its route.
func (s *session) text(h *hand, body []byte, now int64) {
	switch kind := textType(body); kind {
	case "PONG":
		s.pulse.heard(h, now)
	default:
		s.pushed(h, kind, body, now)
	}
}

// textType finds the member "type" by its bytes: marks and counts do not need
// the rest, and most messages are pushes to many.
func textType(body []byte) string {
	const key = `"type"`
	_, rest, ok := bytes.Cut(body, []byte(key))
	if !ok {
		return ""
	}
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	name, _, ok := bytes.Cut(rest[1:], []byte(`"`))
	if !ok {
		return ""
	}
	return string(name)
}
