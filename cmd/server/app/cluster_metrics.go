package app

import "github.com/prometheus/client_golang/prometheus"

// collectCluster emits what a node of a cluster counts; nothing on a server alone.
func (s *server) collectCluster(e emit) {
	if s.node == nil {
		return
	}
	n, r := s.node.Stats(), s.rooms.SpreadStats()
	held := 0.0
	if s.node.Held() {
		held = 1
	}
	e.gauge("cluster_members", "Nodes that this one knows of, itself included.", float64(n.Roster.Members))
	e.gauge("cluster_held", "1 while this node is sure of its lease, else 0: its rooms pause.", held)
	e.count("cluster_lapses_total", "Times that this node stopped being sure of its lease.", float64(n.Roster.Lapses))
	e.count("cluster_store_failures_total", "Tasks of the lease that the store did not carry out.", float64(n.Roster.Failures))
	e.count("cluster_relists_total", "Watches on the members that were lost.", float64(n.Roster.Relists))
	e.count("cluster_crashed_total", "Leases ended for nodes that nobody listens for any more.", float64(n.Roster.Crashed))

	d := n.Directory
	e.gauge("cluster_rooms_owned", "Rooms that this node owns, or is about to.", float64(d.Rooms))
	e.count("cluster_activations_total", "Rooms started here.", float64(d.Activations))
	counts(e, "cluster_room_changes_total", "What became of rooms here, by cause.", "cause",
		map[string]int64{"suspended": d.Suspended, "resumed": d.Resumed, "lost": d.Lost})
	e.gauge("cluster_epoch", "The greatest epoch of a room that was started here.", float64(d.Epoch))
	counts(e, "cluster_moves_total", "Rooms that moved or ended, as this node has seen it, by cause; of several nodes that see the same, each counts it.", "why", d.Moves)
	e.gauge("cluster_unhosted_kinds", "Kinds of rooms that no node may run at present.", float64(len(s.node.Directory().Unhosted())))
	counts(e, "cluster_searches_total", "Searches for rooms, by result.", "result",
		map[string]int64{"found": d.Searches, "failed": d.NotFound - d.NoHost, "no_host": d.NoHost})
	e.count("cluster_search_seconds_total", "Time spent on searches that found a room.", d.SearchTime.Seconds())
	e.count("cluster_ownership_errors_total", "Claims and releases that the store did not carry out at once.", float64(d.StoreErrors))

	l := n.Link
	counts(e, "cluster_messages_total", "Messages between nodes.", "direction", map[string]int64{"sent": l.Sent, "received": l.Received})
	counts(e, "cluster_bytes_total", "Bytes of their bodies.", "direction", map[string]int64{"sent": l.SentBytes, "received": l.ReceivedBytes})
	counts(e, "cluster_refused_total", "Messages not sent, by cause.", "cause", map[string]int64{"busy": l.RefusedBusy, "down": l.RefusedDown})
	e.count("cluster_broken_total", "Connections to peers that broke.", float64(l.Broken))
	e.count("cluster_lost_total", "Messages that were sent to this node and never arrived; conversations repair theirs.", float64(l.Lost))
	e.count("cluster_unknown_total", "Messages with an op that this node does not know.", float64(l.Unknown))
	calls := prometheus.NewDesc("shaddock_cluster_calls_total",
		"Calls of peers that have ended, by result (unsent: certainly not carried out) and how many tries it took.", []string{"result", "tries"}, nil)
	for _, c := range l.Ended {
		e.ch <- prometheus.MustNewConstMetric(calls, prometheus.CounterValue, float64(c.N), c.Result, c.Tries)
	}
	e.count("cluster_retries_total", "Tries after the first.", float64(l.Retries))
	inFlight := make(map[string]float64)
	for _, p := range l.Peers {
		inFlight[s.nodeName(p.ID)] += float64(p.InFlight)
	}
	gauges(e, "cluster_in_flight", "Messages that a peer has not acknowledged; past 4096 more are refused.", "peer", inFlight)

	e.count("cluster_conversations_total", "Conversations that this gate began with rooms.", float64(r.Talks))
	e.count("cluster_returns_total", "Members that this gate brought back to a room that had moved.", float64(r.Returns))
	e.count("cluster_gaps_total", "Times that something between a gate and a room was missing, and was asked for.", float64(r.Gaps))
	e.count("cluster_repaired_total", "Batches between gates and rooms that were sent again for that.", float64(r.Repaired))
	toGates := make(map[string]int64)
	for id, n := range r.ToGates {
		toGates[s.nodeName(id)] += n
	}
	counts(e, "cluster_fanout_bytes_total", "Bytes that rooms of this node had for the members behind each gate, before they are multiplied there.", "gate", toGates)
	e.count("cluster_fanouts_total", "Broadcasts that arrived for sessions of this gate.", float64(r.Fanouts))
	e.count("cluster_pauses_total", "Times that a room could not answer for want of a sure lease.", float64(r.Pauses))
	e.count("cluster_calls_refused_total", "Calls answered 503 by this gate: the room was paused or too far behind.", float64(r.Refused))
	counts(e, "cluster_batches_lost_total", "Batches of conversations that could not be repaired.", "direction",
		map[string]int64{"up": r.LostUp, "down": r.LostDown})
	e.gauge("cluster_kept_bytes", "Bytes that rooms here keep for gates that have not acknowledged them.", float64(r.KeptBytes))
	e.count("cluster_batches_forgotten_total", "Batches that rooms here let go before a gate acknowledged them: it is slow, or cut off.", float64(r.ForgottenDown))
	e.count("cluster_resyncs_total", "Times that this gate's members of a room were told to resync.", float64(r.Resyncs))
	e.count("cluster_late_gates_total", "Gates that a room which opened did not wait for any longer.", float64(r.LateGates))
	e.count("cluster_unreadable_total", "Batches of a version that this node cannot read.", float64(r.Unreadable))
	s.collectUsers(e)
	s.collectPost(e)
}

// collectUsers emits what becomes of the users of the cluster.
func (s *server) collectUsers(e emit) {
	u := s.actors.Users().Stats()
	e.gauge("cluster_user_shards", "Parts of the users of the cluster that this node keeps, of 64.", float64(u.Shards))
	e.count("cluster_user_shard_starts_total", "Parts of the users that have come to this node.", float64(u.Starts))
	e.count("cluster_user_conversations_total", "Conversations that this node began with keepers of users: more than one with each when it was lost or has moved.", float64(u.Talks))
	counts(e, "cluster_user_refused_total", "Logins, pushes, kicks and questions by uid that this node refused, by cause.", "cause",
		map[string]int64{"paused": u.Paused, "busy": u.Busy, "undecided": u.Undecided, "unplaced": u.Unplaced})
	e.count("cluster_user_found_twice_total", "Sessions ended because another was let in while nobody could know of them.", float64(u.FoundTwice))
	e.count("cluster_user_late_nodes_total", "Nodes that a keeper of users did not wait for any longer when it began.", float64(u.LateNodes))
	e.count("cluster_user_gaps_total", "Times that something between a node and a keeper of users was missing, and was asked for.", float64(u.Gaps))
	e.count("cluster_user_repaired_total", "Batches between nodes and keepers of users that were sent again for that.", float64(u.Repaired))
	counts(e, "cluster_user_batches_lost_total", "Batches about users that could not be repaired.", "direction",
		map[string]int64{"up": u.LostUp, "down": u.LostDown})
}

// collectPost emits what becomes of messages for sessions, users and groups of other
// nodes.
func (s *server) collectPost(e emit) {
	p, a := s.node.apps.Stats(), s.actors.Stats()
	counts(e, "cluster_post_total", "Messages for the sessions and groups of other nodes, by what became of them.", "result", map[string]int64{
		"taken": p.Posted, "refused": a.FarRefused, "unconfirmed": p.Unconfirmed,
		"delivered": p.Delivered, "ended": a.FarEnded, "unreadable": a.FarUnreadable + p.Unreadable,
	})
	e.gauge("cluster_post_waiting", "Messages that other nodes have not confirmed.", float64(p.Waiting))
	e.count("cluster_post_envelopes_total", "Envelopes sent for all of them.", float64(p.Envelopes))
	e.count("cluster_post_repaired_total", "Batches of them that were sent again.", float64(p.Repaired))
	e.count("cluster_post_lost_total", "Batches of other nodes that never came and never will.", float64(p.Lost))
}

// nodeName is the operator's name of a member, for labels; those of who has left are
// counted together, since boot ids would be new series with every restart.
func (s *server) nodeName(id string) string {
	if m, ok := s.node.Members().Get(id); ok {
		return m.Name
	}
	return "gone"
}

func gauges(e emit, name, help, label string, by map[string]float64) {
	desc := prometheus.NewDesc("shaddock_"+name, help, []string{label}, nil)
	for value, n := range by {
		e.ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, n, value)
	}
}
