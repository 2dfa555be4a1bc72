package push

import (
	"net/http"
	"sync/atomic"
)

// counters count items, but for shed, which counts requests.
type counters struct {
	pending, total, fail atomic.Int64
	unsure               atomic.Int64
	limited, shed        atomic.Int64
}

// Totals are the numbers that the API does not count itself.
type Totals struct {
	Online              int64 // sessions
	Rooms               int64 // live rooms
	Sent, Lost          int64 // one for each message and receiver
	Merging             int64 // messages that rooms have taken and not delivered yet
	Room, RoomFail      int64
	All, AllFail        int64
	User, UserFail      int64
	Messages            int64 // of members, taken
	Limited, Overloaded int64 // of members, refused
	Writes              uint64
}

// Stats is the body of /stats. The first twelve are those of the systems that this
// one replaces.
type Stats struct {
	OnlineConnections int64 `json:"onlineConnections"` // sessions
	RoomCount         int64 `json:"roomCount"`         // live rooms with members, or that had some just now
	SendMessageTotal  int64 `json:"sendMessageTotal"`  // messages written to receivers, each counted
	SendMessageFail   int64 `json:"sendMessageFail"`   // messages dropped for a receiver, each counted
	DispatchPending   int64 `json:"dispatchPending"`   // items on their way to rooms and users
	DispatchTotal     int64 `json:"dispatchTotal"`     // items that were taken
	DispatchFail      int64 `json:"dispatchFail"`      // items that were refused: no such room, overload
	MergerPending     int64 `json:"mergerPending"`     // messages that rooms have taken and not delivered yet
	MergerRoomTotal   int64 `json:"mergerRoomTotal"`   // items that rooms have taken
	MergerRoomFail    int64 `json:"mergerRoomFail"`    // items that rooms have refused
	MergerAllTotal    int64 `json:"mergerAllTotal"`    // items for everyone that were taken
	MergerAllFail     int64 `json:"mergerAllFail"`     // items for everyone that were refused

	UserTotal        int64  `json:"userTotal"`        // items for users that were taken
	UserFail         int64  `json:"userFail"`         // items for users that were not
	UnsureItems      int64  `json:"unsureItems"`      // items of which nobody knows, answered 504
	LimitedItems     int64  `json:"limitedItems"`     // items over the rate, answered 429
	ShedRequests     int64  `json:"shedRequests"`     // requests over the budget, answered 413 or 503 unread
	MemberTotal      int64  `json:"memberTotal"`      // messages of members that were taken
	MemberLimited    int64  `json:"memberLimited"`    // messages of members over their rate
	MemberOverloaded int64  `json:"memberOverloaded"` // messages of members that overload refused
	WriteTotal       uint64 `json:"writeTotal"`       // write calls for all of this; sendMessageTotal over it is the merge ratio
	PendingBytes     int64  `json:"pendingBytes"`     // of requests that are being worked on

	Nodes  int `json:"nodes"`       // whose counters these are
	Silent int `json:"silentNodes"` // members of the cluster that did not answer, and are missing in all of this
}

// Add adds the counters of other nodes.
func (s *Stats) Add(o Stats) {
	s.OnlineConnections += o.OnlineConnections
	s.RoomCount += o.RoomCount
	s.SendMessageTotal += o.SendMessageTotal
	s.SendMessageFail += o.SendMessageFail
	s.DispatchPending += o.DispatchPending
	s.DispatchTotal += o.DispatchTotal
	s.DispatchFail += o.DispatchFail
	s.MergerPending += o.MergerPending
	s.MergerRoomTotal += o.MergerRoomTotal
	s.MergerRoomFail += o.MergerRoomFail
	s.MergerAllTotal += o.MergerAllTotal
	s.MergerAllFail += o.MergerAllFail
	s.UserTotal += o.UserTotal
	s.UserFail += o.UserFail
	s.UnsureItems += o.UnsureItems
	s.LimitedItems += o.LimitedItems
	s.ShedRequests += o.ShedRequests
	s.MemberTotal += o.MemberTotal
	s.MemberLimited += o.MemberLimited
	s.MemberOverloaded += o.MemberOverloaded
	s.WriteTotal += o.WriteTotal
	s.PendingBytes += o.PendingBytes
	s.Nodes += o.Nodes
	s.Silent += o.Silent
}

// Stats returns the counters of this node.
func (a *API) Stats() Stats {
	t := a.target.Totals()
	return Stats{
		OnlineConnections: t.Online, RoomCount: t.Rooms,
		SendMessageTotal: t.Sent, SendMessageFail: t.Lost,
		DispatchPending: a.stats.pending.Load(), DispatchTotal: a.stats.total.Load(), DispatchFail: a.stats.fail.Load(),
		MergerPending: t.Merging, MergerRoomTotal: t.Room, MergerRoomFail: t.RoomFail,
		MergerAllTotal: t.All, MergerAllFail: t.AllFail,
		UserTotal: t.User, UserFail: t.UserFail,
		UnsureItems: a.stats.unsure.Load(), LimitedItems: a.stats.limited.Load(), ShedRequests: a.stats.shed.Load(),
		MemberTotal: t.Messages, MemberLimited: t.Limited, MemberOverloaded: t.Overloaded,
		WriteTotal: t.Writes, PendingBytes: a.gate.held.Load(),
		Nodes: 1,
	}
}

func (a *API) serveStats(w http.ResponseWriter, r *http.Request) {
	s, err := a.target.Whole(r.Context())
	if err != nil {
		return // the caller has gone
	}
	writeJSON(w, http.StatusOK, s)
}
