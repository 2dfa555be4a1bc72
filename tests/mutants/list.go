package main

// mutant is a fault that the code is protected against, and the test that fails
// when the protection is gone.
type mutant struct {
	fault      string // as PROTOCOL ("Inputs that have killed other servers") or FEATURES 6 names it
	file       string
	protection string // must be in the file exactly once
	without    string // what stands there when it is taken out
	pkg, test  string // who notices
}

// mutants has at least one entry for each of those inputs and faults.
var mutants = []mutant{
	// PROTOCOL, inputs that have killed other servers.
	{
		fault: "two-byte messages after the ack: 00 01", file: "protocol/message.go",
		protection: "\t\tif len(b) == 0 {\n\t\t\treturn Message{}, badMessage(\"a route length\", 0)\n\t\t}\n", without: "",
		pkg: "./tests", test: "TestKillerMessages",
	},
	{
		fault: "two-byte messages after the ack: 01 01, 03 00", file: "protocol/message.go",
		protection: `if len(b) < 2 {`, without: `if len(b) < 1 {`,
		pkg: "./tests", test: "TestKillerMessages",
	},
	{
		fault: "messages after the ack: 06 05 61", file: "protocol/message.go",
		protection: `if len(b) < 1+n {`, without: `if false {`,
		pkg: "./tests", test: "TestKillerMessages",
	},
	{
		fault: "messages after the ack: 00 81 82 83", file: "protocol/message.go",
		protection: `if n <= 0 {`, without: `if false {`,
		pkg: "./tests", test: "TestKillerMessages",
	},
	{
		fault: "messages after the ack: 08 00 00", file: "protocol/message.go",
		protection: "if !m.Type.Valid() {\n\t\treturn Message{}, badMessage", without: "if false {\n\t\treturn Message{}, badMessage",
		pkg: "./protocol", test: "TestDecode",
	},
	{
		fault: "an empty message", file: "protocol/message.go",
		protection: "if len(b) == 0 {\n\t\treturn Message{}, badMessage(\"a flag byte\", 0)\n\t}", without: "",
		pkg: "./tests", test: "TestKillerMessages",
	},
	{
		fault: "every truncation of a valid message", file: "protocol/message.go",
		protection: `if len(b) < 1+n {`, without: `if len(b) < n {`,
		pkg: "./protocol", test: "TestTruncatedMessage",
	},
	{
		fault: "a body that arrives in a later read than its header", file: "transport/conn_in.go",
		protection: `c.in = &partial{cutter: *cutter}`, without: `c.in = &partial{}`,
		pkg: "./tests", test: "TestPackagesSplitAtEveryByte",
	},
	{
		fault: "handshake repeated while pushes flow", file: "actors/session_state.go",
		protection: `typ == protocol.Handshake && s.phase == phaseOpen:`, without: `typ == protocol.Handshake:`,
		pkg: "./tests", test: "TestHandshakeRepeatedWhilePushesFlow",
	},
	{
		fault: "ack without handshake", file: "actors/session_state.go",
		protection: `typ == protocol.HandshakeAck && s.phase == phaseGreeted:`, without: `typ == protocol.HandshakeAck:`,
		pkg: "./tests", test: "TestHandshakeOrder",
	},
	{
		fault: "data before the ack", file: "actors/session_state.go",
		protection: `typ == protocol.Data && s.phase == phaseWorking:`, without: `typ == protocol.Data:`,
		pkg: "./tests", test: "TestHandshakeOrder",
	},
	{
		fault: "a WebSocket that never sends a frame", file: "actors/session_state.go",
		protection: `if now >= s.deadline {`, without: `if false {`,
		pkg: "./tests", test: "TestSilentConnectionsAreClosed/websocket",
	},
	{
		fault: "a TCP connection that never sends a byte", file: "transport/loop.go",
		protection: `c.setDeadline(l.handshake)`, without: ``,
		pkg: "./tests", test: "TestSilentConnectionsAreClosed/tcp",
	},
	{
		fault: "an HTTP request sent one byte a second", file: "transport/loop.go",
		protection: `c.setDeadline(l.handshake)`, without: ``,
		pkg: "./tests", test: "TestSilentConnectionsAreClosed/http_byte_by_byte",
	},
	{
		fault: "65,537-byte bodies", file: "protocol/packet.go",
		protection: `if n > limit {`, without: `if n > 2*limit {`,
		pkg: "./tests", test: "TestBodyLimit",
	},
	{
		fault: "65,536-byte bodies", file: "protocol/packet.go",
		protection: `if n > limit {`, without: `if n >= limit {`,
		pkg: "./tests", test: "TestBodyLimit",
	},
	{
		fault: "1,000 pipelined requests: exactly one answer each", file: "actors/session_run.go",
		protection: `if e.packet.Type != protocol.Heartbeat && (s.busy() || !s.backlog.empty()) && !s.ended {`, without: `if false {`,
		pkg: "./tests", test: "TestThousandPipelinedRequests",
	},
	{
		fault: "a client that stops reading: memory", file: "transport/outqueue.go",
		protection: `if limit <= 0 || c.queued()+n <= limit {`, without: `if true {`,
		pkg: "./tests", test: "TestStalledReader",
	},
	{
		fault: "10,000 connect/close cycles: the loop forgets", file: "transport/loop.go",
		protection: "\tl.conns[c.slot] = nil\n\tl.freed = append(l.freed, c.slot)\n", without: "",
		pkg: "./tests", test: "TestConnectCloseCyclesLeaveNothing",
	},
	{
		fault: "emoji from a JavaScript client", file: "protocol/surrogate.go",
		protection: "\tif i < 0 {\n\t\treturn b\n\t}\n\tout := make", without: "\tif true {\n\t\treturn b\n\t}\n\tout := make",
		pkg: "./protocol", test: "TestInboundText",
	},
	{
		fault: "emoji to a JavaScript client", file: "protocol/surrogate.go",
		protection: `if count == 0 {
		return b
	}
	// Move`, without: `if true {
		return b
	}
	// Move`,
		pkg: "./protocol", test: "TestOutboundText",
	},

	// FEATURES 6, faults of the references.
	{
		fault: "writer deadlocking on its own queue under a burst of pushes", file: "actors/session_run.go",
		protection: "\tif s.push(e) {\n\t\tgo s.reader() // ends", without: "\tfor !s.push(e) {\n\t}\n\t{\n\t\tgo s.reader() // ends",
		pkg: "./tests", test: "TestBurstOfPushesFromOneHandler",
	},
	{
		fault: "sends dropped beyond 16 queued messages with no word to anyone", file: "transport/outqueue.go",
		protection: "\tc.unqueue(replace)\n\tc.out.entries = append(", without: "\tc.unqueue(replace)\n\tif len(c.out.entries) >= 16 {\n\t\treturn &outEntry{}\n\t}\n\tc.out.entries = append(",
		pkg: "./tests", test: "TestStalledReader",
	},
	{
		fault: "one global logic goroutine, frozen by one handler", file: "actors/session_run.go",
		protection: `return r != nil && !r.onLoop`, without: `return r != nil && false`,
		pkg: "./actors", test: "TestLoopIsNeverKeptByAHandlerThatWaits",
	},
	{
		fault: "closing 300 sessions in one handler freezing the server", file: "actors/ref.go",
		protection: `func (r *Ref) Kick(why protocol.Reason, text string) { r.send(&kickMsg{why, text}) }`,
		without:    "func (r *Ref) Kick(why protocol.Reason, text string) {\n\tr.send(&kickMsg{why, text})\n\ttime.Sleep(time.Millisecond)\n}", // until it is done
		pkg:        "./actors", test: "TestClosing300Sessions",
	},
	{
		fault: "closed sessions never forgotten", file: "actors/app.go",
		protection: `	a.system.ProcessRegistry.Remove(s.pid)
	a.stats.Sessions.Add(-1)`, without: `	a.stats.Sessions.Add(-1)`,
		pkg: "./tests", test: "TestConnectCloseCyclesLeaveNothing",
	},
	{
		fault: "ghost members after quick login/close", file: "actors/session.go",
		protection: "\tfor _, m := range s.members {\n\t\ts.farewellTo(m, why)\n\t}\n", without: "",
		pkg: "./rooms", test: "TestNoGhosts",
	},
	{
		fault: "ghost members, seated after their end", file: "actors/session_answer.go",
		protection: "\t\tcase s.ended:\n\t\t\ts.farewellTo(*m, protocol.ReasonClientGone)\n", without: "",
		pkg: "./actors", test: "TestSeatedAfterTheEnd",
	},
	{
		fault: "broadcast error of one dead member failing a join", file: "transport/walk.go",
		protection: "\t\t\tw.dropped[kind]++\n", without: "\t\t\tw.dropped[kind]++\n\t\t\tw.at = 0\n",
		pkg: "./transport", test: "TestBroadcastWithADeadMember",
	},
	{
		fault: "handshake validator bypassed by sending only the ack", file: "actors/session_state.go",
		protection: `typ == protocol.HandshakeAck && s.phase == phaseGreeted:`, without: `typ == protocol.HandshakeAck:`,
		pkg: "./actors", test: "TestValidator",
	},
	{
		fault: "raw handlers aliasing a reused read buffer", file: "transport/conn_in.go",
		protection: "\t\tl.from.Retain()\n\t\tl.shared = true\n", without: "\t\tl.from.Retain()\n",
		pkg: "./tests", test: "TestBodyIsStableWhileItsHandlerWaits",
	},
	{
		fault: "raw handlers aliasing a chunk that is read into from its start", file: "transport/loop.go",
		protection: `l.used > 0 && l.chunk.Sole() {`, without: `l.used > 0 {`,
		pkg: "./tests", test: "TestBodyIsStableWhileItsHandlerWaits",
	},
	{
		fault: "replies matched to the wrong request under pipelining", file: "actors/session_answer.go",
		protection: `if !w.pending || a.Token.n != w.token {`, without: `if !w.pending {`,
		pkg: "./actors", test: "TestAwait",
	},
	{
		fault: "requests of one player handled out of order", file: "actors/session_run.go",
		protection: `if e.packet.Type != protocol.Heartbeat && (s.busy() || !s.backlog.empty()) && !s.ended {`, without: `if e.packet.Type != protocol.Heartbeat && s.waiting.pending && !s.ended {`,
		pkg: "./actors", test: "TestBlockingDeadline",
	},
	{
		fault: "TCP framing broken after a partial write", file: "transport/conn_out.go",
		protection: "\tc.enqueue(b[n:], n > 0, shared, replace)\n", without: "\tc.enqueue(b, n > 0, shared, replace)\n",
		pkg: "./tests", test: "TestPartialWritesKeepTheFraming",
	},
	{
		fault: "broadcast blocked by one stalled reader", file: "transport/conn_hold.go",
		protection: "\t\tif !errors.Is(err, errAgain) {\n\t\t\tt.droppedClosed += uint64(p.messages)\n",
		without:    "\t\tfor errors.Is(err, errAgain) {\n\t\t\tvar m int\n\t\t\tm, err = c.sock.write(p.wire[n:])\n\t\t\tn += m\n\t\t}\n\t\tif err == nil {\n\t\t\treturn true\n\t\t}\n\t\tif !errors.Is(err, errAgain) {\n\t\t\tt.droppedClosed += uint64(p.messages)\n",
		pkg:        "./tests", test: "TestStalledReader",
	},
	{
		fault: "one malformed message ending the process", file: "protocol/message.go",
		protection: "\t\tif len(b) == 0 {\n\t\t\treturn Message{}, badMessage(\"a route length\", 0)\n\t\t}\n", without: "",
		pkg: "./tests", test: "TestMalformedMessageClosesItsSender",
	},
	{
		fault: "a handler that panics ending the process", file: "actors/session_data.go",
		protection: "\t\tif p := recover(); p != nil {\n\t\t\terr := s.panicked(r.name, p)", without: "\t\tif p := any(nil); p != nil {\n\t\t\terr := s.panicked(r.name, p)",
		pkg: "./tests", test: "TestSleepingAndPanickingHandlers",
	},
	{
		fault: "a room that panics ending the process", file: "rooms/panic.go",
		protection: "\t\tif p := recover(); p != nil {\n\t\t\tst.stats.Panics.Add(1)\n\t\t\tst.log.Error(\"room behaviour", without: "\t\tif p := any(nil); p != nil {\n\t\t\tst.stats.Panics.Add(1)\n\t\t\tst.log.Error(\"room behaviour",
		pkg: "./rooms", test: "TestPanicRestoresSnapshot",
	},
	// FEATURES 6, those of clusters.
	{
		fault: "two nodes killed at once making the cluster unjoinable", file: "actors/cluster/roster/loop.go",
		protection: `if !r.refused(l.ctx, addr) {`, without: `if true {`,
		pkg: "./actors/cluster/directory", test: "TestTwoCrashAndAThirdJoins",
	},
	{
		fault: "a restarted node waiting for its own past", file: "actors/cluster/roster/roster.go",
		protection: "\t\tif err := r.cfg.Store.Revoke(ctx, m.Lease); err != nil {\n\t\t\treturn err\n\t\t}\n", without: "",
		pkg: "./actors/cluster/roster", test: "TestRestartEndsItsOwnPast",
	},
	{
		fault: "sticky routes to dead nodes", file: "actors/cluster/directory/locate.go",
		protection: `if _, there := d.cfg.Roster.View().Get(p.Node); !there {`, without: `if false {`,
		pkg: "./actors/cluster/directory", test: "TestVanishedHost",
	},
	{
		fault: "session ids colliding between nodes", file: "actors/cluster/roster/roster.go",
		protection: `m.Sessions != 0 && m.Sessions == r.cfg.Self.Sessions:`, without: `false:`,
		pkg: "./actors/cluster/roster", test: "TestSessionIDsOfTwoMembersNeverBeginAlike",
	},
	// Users of a cluster: words that come late, cross each other, or come from nobody.
	{
		fault: "users: a goodbye of an older conversation ending the new one", file: "actors/user_shard_hear.go",
		protection: "\tcase m.e.Talk < g.Number:\n\t\treturn // of a conversation that is over\n", without: "",
		pkg: "./actors", test: "TestWordsOfAnOlderConversation",
	},
	{
		fault: "users: an older conversation pausing the new one", file: "actors/user_clerk_hear.go",
		protection: `m.e.Talk != t.Number || `, without: ``,
		pkg: "./actors", test: "TestWordsOfAnOlderConversation",
	},
	{
		fault: "users: words to an earlier activation arriving first", file: "actors/user_shard_hear.go",
		protection: `first && m.e.Epoch == s.epoch && `, without: `first && `,
		pkg: "./actors", test: "TestWordsToAnEarlierActivation",
	},
	{
		fault: "users: a session told to go that has gone", file: "actors/user_clerk_hear.go",
		protection: `if seat == nil { // it has gone`, without: `if false { // it has gone`,
		pkg: "./actors", test: "TestEvictOfASessionThatIsGone",
	},
	{
		fault: "users: a gate that begins anew counted twice", file: "actors/user_shard_hear.go",
		protection: "\tif old != nil {\n\t\ts.forget(old)\n\t}\n", without: "",
		pkg: "./actors", test: "TestGateThatBeginsAnew",
	},
	{
		fault: "users: a gate that left and came back not asked whom it has", file: "actors/user_shard_state.go",
		protection: `	s.owe(now, m.came)`, without: ``,
		pkg: "./actors", test: "TestGateThatLeftAndCameBack",
	},
	{
		fault: "users: a gate that came back believing in its old conversation", file: "actors/user_clerk_hear.go",
		protection: `			t.Greet() // it may have forgotten`, without: `			// it may have forgotten`,
		pkg: "./actors", test: "TestGateThatLeftAndCameBack",
	},
	{
		fault: "users: a found node that is no member", file: "actors/user_clerk_state.go",
		protection: `!s.there(p.Node) {`, without: `false {`,
		pkg: "./actors", test: "TestNodeThatIsNoMember",
	},
	{
		fault: "users: a login behind a node that is no member", file: "actors/user_shard_hear.go",
		protection: ` && s.there(m.from.ID):`, without: `:`,
		pkg: "./actors", test: "TestNodeThatIsNoMember",
	},
	{
		fault: "rooms: what was lost when a stream broke is never sent again", file: "actors/cluster/talk/talk.go",
		protection: "\t\tt.again(now, e.Seq)\n", without: "\t\t_ = now\n",
		pkg: "./tests", test: "TestStreamsCutUnderLoad",
	},
	{
		fault: "rooms: a gap that nobody is told of", file: "rooms/annex_hear.go",
		protection: "\ta.resync()\n\ta.echo++\n", without: "\ta.echo++\n",
		pkg: "./tests", test: "TestStreamsCutUnderLoad",
	},
	{
		fault: "rooms: a full mailbox that never hears of a node's end", file: "actors/mailbox.go",
		protection: `n > m.limit && !vital(msg) {`, without: `n > m.limit {`,
		pkg: "./rooms", test: "TestFullMailboxHearsOfTheEndOfAGate",
	},
	{
		fault: "rooms: a paused room that is never asked again", file: "rooms/annex_hear.go",
		protection: `a.talk.Greet()`, without: ``,
		pkg: "./rooms", test: "TestPausedRoomIsAskedAgain",
	},
	{
		fault: "rooms: a conversation that is over and begins again", file: "rooms/far_hear.go",
		protection: ` && m.e.Talk > f.over[m.from.ID]`, without: ``,
		pkg: "./rooms", test: "TestEndedConversationDoesNotBeginAgain",
	},
	{
		fault: "rooms: two conversations with one number", file: "rooms/spread.go",
		protection: `max(last+1, uint64(now.UnixNano()))`, without: `uint64(now.UnixNano())`,
		pkg: "./rooms", test: "TestNumbersOfConversationsRise",
	},
	{
		fault: "rooms: kept for gates without a budget of the node", file: "rooms/far.go",
		protection: `limits.Bytes = tightBytes`, without: ``,
		pkg: "./rooms", test: "TestNodeKeepsNoMoreThanItsBudget",
	},
	{
		fault: "rooms: kept for a room without a limit of bytes", file: "rooms/annex_state.go",
		protection: ` || a.bytes >= askedBytes:`, without: `:`,
		pkg: "./rooms", test: "TestAnnexKeepsNoMoreThanItsLimit",
	},
	{
		fault: "rooms: one loss told twice", file: "rooms/annex_hear.go",
		protection: "\tif a.told {", without: "\tif false {",
		pkg: "./rooms", test: "TestOneLossIsToldOnce",
	},
	{
		fault: "rooms: a gate that comes back and is not known any more", file: "rooms/spread.go",
		protection: `if s.lease != 0 {`, without: `if false {`,
		pkg: "./rooms", test: "TestOneLossIsToldOnce",
	},
}
