package swarm

import (
	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// orderKind is what a worker is told to do next. A run goes through the kinds in
// this order.
type orderKind string

const (
	orderConnect orderKind = "connect" // open the sessions
	orderBegin   orderKind = "begin"   // drive the schedule from At on
	orderHalt    orderKind = "halt"    // drive no further: the run was interrupted
	orderEnd     orderKind = "end"     // hang up; answered by news that it has
	orderSettle  orderKind = "settle"  // balance the accounts; answered by the last news
)

// order goes from the run to each of its workers. Times are on the machine's
// clock, which all workers share.
type order struct {
	Kind  orderKind     `json:"kind"`
	Setup *setup        `json:"setup,omitempty"` // of the first order
	At    int64         `json:"at,omitempty"`
	Logs  []measure.Log `json:"logs,omitempty"` // of every worker, when they share rooms
}

// setup is what a worker needs to know beside its number.
type setup struct {
	Config Config   `json:"config"`
	Worker int      `json:"worker"`
	Epoch  int64    `json:"epoch"` // moments in marks count from here
	Run    uint16   `json:"run"`
	Tokens []string `json:"tokens,omitempty"`

	plan *plan // in the same process
}

// news goes from a worker to the run; each carries what is not nil.
type news struct {
	Status *status `json:"status,omitempty"`
	Cut    *cut    `json:"cut,omitempty"`
	Ended  *ended  `json:"ended,omitempty"`
	Final  *final  `json:"final,omitempty"`
	Err    string  `json:"err,omitempty"`

	worker int // filled in on arrival
}

// status is how far a worker has come.
type status struct {
	Sessions  int    `json:"sessions"`          // it has to bring up
	Ready     int64  `json:"ready"`             // whose setup is done
	Failed    int64  `json:"failed"`            // whose setup never will be
	Open      int64  `json:"open"`              // connections
	Noise     int64  `json:"noise"`             // pushes so far that are no publications
	Driven    bool   `json:"driven"`            // the schedule is over
	Expected  int64  `json:"expected"`          // deliveries its publications make, in all processes
	Delivered int64  `json:"delivered"`         // of anybody's, to its sessions
	Waiting   int64  `json:"waiting"`           // requests without an answer
	Trouble   string `json:"trouble,omitempty"` // the first failure, in words
}

// cut is one interval of a worker's measurements. All workers cut at the same
// moments, so that cuts of the same number belong together.
type cut struct {
	Number  int               `json:"number"`
	From    int64             `json:"from"`
	To      int64             `json:"to"`
	Phase   report.Phase      `json:"phase"`
	Wire    measure.WireSheet `json:"sheet"`
	Status  status            `json:"status"`
	CPU     int64             `json:"cpu"` // nanoseconds the process used so far
	RSS     int64             `json:"rss"`
	WorstNS int64             `json:"worst"` // lag behind the plan in this interval

	sheet *measure.Sheet // instead of Wire, in the same process
}

// ended says that a worker has hung up. The log is for those that share rooms.
type ended struct {
	Log measure.Log `json:"log,omitempty"`
}

// final is what a worker comes to.
type final struct {
	Owed     int64 `json:"owed"`
	Received int64 `json:"received"`
}
