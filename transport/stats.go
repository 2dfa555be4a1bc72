package transport

// Stats are counters since the start, but for Open and Queued. They are read
// one by one while the loops go on, so sums may be off by what is in flight.
type Stats struct {
	// Open is the number of connections now.
	Open int64
	// Accepted counts connections taken from listeners and ServeConn, Upgraded
	// those that became WebSockets, HandedOff those that went to Config.HTTP.
	Accepted, Upgraded, HandedOff uint64
	// Refused counts accepts that failed or were shed, because of descriptors
	// (RefusedFiles), MaxConns (RefusedFull) and MaxConnsPerAddr (RefusedAddr).
	RefusedFiles, RefusedFull, RefusedAddr uint64
	// PacketsIn counts packages and text messages, Reads read calls.
	PacketsIn, BytesIn, Reads uint64
	// MessagesOut counts writes asked for: one per Write, WriteFrame, WriteText
	// and per member and frame of a broadcast. Writes counts write calls.
	MessagesOut, BytesOut, Writes uint64
	// Broadcasts counts frames handed to audiences, Walks the walks over a
	// loop's members that delivered them: their ratio is the merge ratio.
	Broadcasts, Walks uint64
	// Skipped counts frames without a text that met text members.
	Skipped uint64
	// Messages that never left, by cause: the receiver had ended (DroppedClosed),
	// did not read (DroppedSlow), a newer value took their place
	// (DroppedReplaced), or the audience had too much pending (DroppedFull).
	DroppedClosed, DroppedSlow, DroppedReplaced, DroppedFull uint64
	// Paused counts the times a socket was left unread because its receiver had
	// too much on hand.
	Paused uint64
	// Closed counts ended connections by the name of the reason.
	Closed map[string]uint64
}
