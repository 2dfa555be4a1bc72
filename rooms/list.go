package rooms

import (
	"context"

	"github.com/shaddock-game/shaddock/actors"
)

// ListRequest is the body of <kind>.list: which rooms to list.
type ListRequest struct {
	Labels Labels `json:"labels"` // all of these; none lists every room
}

// ListReply answers <kind>.list with at most 200 rooms, the oldest first.
type ListReply struct {
	Rooms []ListedRoom `json:"rooms"`
}

// ListedRoom is one room as clients see it.
type ListedRoom struct {
	Room    string `json:"room"`
	Members int    `json:"members"`
	Seats   int    `json:"seats"` // 0: without limit
	Labels  Labels `json:"labels,omitempty"`
}

const listLimit = 200

// list serves <kind>.list.
func (h *Host) list(k *Kind) func(*actors.Ctx, *ListRequest) (*ListReply, error) {
	return func(_ *actors.Ctx, req *ListRequest) (*ListReply, error) {
		ctx, cancel := context.WithTimeout(context.Background(), matchTimeout)
		defer cancel()
		infos, err := h.List(ctx, k.name, req.Labels)
		if err != nil {
			return nil, err
		}
		infos = infos[:min(len(infos), listLimit)]
		rep := &ListReply{Rooms: make([]ListedRoom, len(infos))}
		for i, info := range infos {
			rep.Rooms[i] = ListedRoom{info.Key.ID, info.Members, info.Seats, info.Labels}
		}
		return rep, nil
	}
}
