package live

import "encoding/json"

// history holds the last messages of a room, oldest first in a ring. The messages
// are shared with those who were pushed them: nobody changes them.
type history struct {
	limit int
	ring  []json.RawMessage
	next  int // where the next one goes, once the ring is full
}

func (h *history) add(msg []byte) {
	switch {
	case h.limit <= 0:
	case len(h.ring) < h.limit:
		h.ring = append(h.ring, msg)
	default:
		h.ring[h.next] = msg
		h.next = (h.next + 1) % h.limit
	}
}

// last returns up to n messages, oldest first. The slice is the caller's.
func (h *history) last(n int) []json.RawMessage {
	n = min(max(n, 0), len(h.ring))
	list := make([]json.RawMessage, n)
	for i := range list {
		list[i] = h.ring[(h.next+len(h.ring)-n+i)%len(h.ring)]
	}
	return list
}
