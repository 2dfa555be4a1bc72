package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/shaddock-game/shaddock/rooms/live"
)

// metrics returns a registry that reads the counters of all parts at each scrape:
// the parts count in atomics of their own and know nothing of Prometheus.
func (s *server) metrics() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector(s.collectTransport),
		collector(s.collectRooms),
		collector(s.collectStore),
		collector(s.collectSessions),
		collector(s.collectCluster),
		collector(s.collectLive),
	)
	return reg
}

// collector is an unchecked prometheus.Collector: it describes nothing ahead.
type collector func(emit)

func (c collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(ch chan<- prometheus.Metric) { c(emit{ch}) }

// emit turns numbers into metrics of the namespace shaddock.
type emit struct{ ch chan<- prometheus.Metric }

func (e emit) gauge(name, help string, v float64) {
	e.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("shaddock_"+name, help, nil, nil), prometheus.GaugeValue, v)
}

func (e emit) count(name, help string, v float64) {
	e.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("shaddock_"+name, help, nil, nil), prometheus.CounterValue, v)
}

// counts emits one counter for each value of a label.
func counts[N int64 | uint64](e emit, name, help, label string, by map[string]N) {
	desc := prometheus.NewDesc("shaddock_"+name, help, []string{label}, nil)
	for value, n := range by {
		e.ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), value)
	}
}

func (s *server) collectTransport(e emit) {
	t := s.wires.Stats()
	e.gauge("connections", "Open connections.", float64(t.Open))
	e.gauge("connections_limit", "Most connections that are taken.", float64(s.cfg.MaxConns))
	e.count("accepted_total", "Connections accepted.", float64(t.Accepted))
	e.count("upgraded_total", "Connections that became WebSockets.", float64(t.Upgraded))
	e.count("http_total", "Connections handed to the pages.", float64(t.HandedOff))
	counts(e, "refused_total", "Connections not taken, by cause.", "cause",
		map[string]uint64{"files": t.RefusedFiles, "full": t.RefusedFull, "addr": t.RefusedAddr})
	counts(e, "closed_total", "Connections ended, by reason.", "reason", t.Closed)
	e.count("packages_in_total", "Packages received.", float64(t.PacketsIn))
	e.count("bytes_in_total", "Bytes received.", float64(t.BytesIn))
	e.count("reads_total", "Read calls.", float64(t.Reads))
	e.count("messages_out_total", "Messages to connections: one for each member of a broadcast.", float64(t.MessagesOut))
	e.count("bytes_out_total", "Bytes sent.", float64(t.BytesOut))
	e.count("writes_total", "Write calls; messages_out_total over this is the batch ratio.", float64(t.Writes))
	e.count("broadcasts_total", "Frames handed to audiences.", float64(t.Broadcasts))
	e.count("walks_total", "Walks over a loop's members; broadcasts_total over this is the merge ratio.", float64(t.Walks))
	counts(e, "dropped_total", "Messages that never left, by cause.", "cause", map[string]uint64{
		"closed": t.DroppedClosed, "slow": t.DroppedSlow, "replaced": t.DroppedReplaced, "full": t.DroppedFull, "no_text": t.Skipped,
	})
	e.count("paused_total", "Times a socket was left unread because its session had too much on hand.", float64(t.Paused))
}

func (s *server) collectRooms(e emit) {
	r := s.rooms.Stats()
	e.gauge("rooms", "Active rooms.", float64(r.Rooms))
	e.gauge("room_members", "Members over all rooms.", float64(r.Members))
	e.count("rooms_opened_total", "Rooms opened.", float64(r.Opened))
	e.count("rooms_closed_total", "Rooms closed.", float64(r.Closed))
	e.count("room_joins_total", "Members that joined.", float64(r.Joins))
	e.count("room_leaves_total", "Members that left.", float64(r.Leaves))
	e.count("room_refused_total", "Joins refused.", float64(r.Refused))
	e.count("room_notify_errors_total", "Notifies that failed in a room.", float64(r.NotifyErrors))
	e.count("room_unwritable_total", "Pushes that could not be encoded.", float64(r.Unwritable))
	e.count("room_panics_total", "Panics of behaviours.", float64(r.Panics))
	e.count("room_restores_total", "Rooms restored from a snapshot after a panic.", float64(r.Restores))
}

func (s *server) collectLive(e emit) {
	l, t := s.live.Stats(), s.pushes.Totals()
	e.gauge("live_rooms", "Live rooms.", float64(l.Rooms))
	counts(e, "live_messages_total", "Messages that live rooms took, by where they came from.", "from",
		map[string]int64{"member": t.Messages, "push_room": t.Room, "push_all": t.All, "push_user": t.User})
	counts(e, "live_refused_total", "Messages that live rooms refused, by cause.", "cause",
		map[string]int64{"member_rate": t.Limited, "member_overload": t.Overloaded, "push_room": t.RoomFail, "push_all": t.AllFail, "push_user": t.UserFail})
	e.count("live_delivered_total", "Messages of live rooms and pushes, one for each receiver.", float64(t.Sent))
	e.count("live_dropped_total", "Messages of live rooms and pushes that a receiver did not get, each counted.", float64(t.Lost))
	e.gauge("live_pending", "Messages that live rooms have taken and not delivered yet.", float64(t.Merging))
	e.gauge("live_pending_bytes", "Bytes of them, over all rooms.", float64(s.rooms.Traffic(live.RoomKind).PendingBytes+s.rooms.Traffic(live.EveryoneKind).PendingBytes))
}

func (s *server) collectSessions(e emit) {
	a := s.actors.Stats()
	e.gauge("sessions", "Sessions now.", float64(a.Sessions))
	e.gauge("users", "Users logged in now.", float64(a.Users))
	e.count("sessions_opened_total", "Sessions opened.", float64(a.Opened))
	counts(e, "sessions_ended_total", "Sessions ended, by reason.", "reason", a.Ended)
	counts(e, "requests_total", "Requests answered, by code.", "code", a.Requests)
	e.count("malformed_total", "Messages that closed their connection.", float64(a.Malformed))
	e.count("limited_total", "Messages over a session's rate.", float64(a.Limited))
	e.count("no_route_total", "Messages for a route that nobody serves.", float64(a.NoRoute))
	e.count("notify_errors_total", "Notifies that failed, with nobody to tell.", float64(a.NotifyErrors))
	e.count("unwritable_total", "Pushes that could not be encoded.", float64(a.Unwritable))
	e.count("timeouts_total", "Requests that another actor did not answer in time.", float64(a.Timeouts))
	e.count("late_answers_total", "Answers that came after that, or twice.", float64(a.LateAnswers))
	e.count("logins_total", "Users that logged in.", float64(a.Logins))
	e.count("logins_refused_total", "Logins that the policy for duplicate logins refused.", float64(a.LoginsRefused))
	e.count("logins_forced_total", "Sessions that had to be cut off for a newer login.", float64(a.Forced))
	e.count("panics_total", "Panics of handlers and actors.", float64(a.Panics))
	e.count("mailbox_refused_total", "Messages that a full mailbox refused.", float64(a.MailboxRefused))
	e.count("dead_letters_total", "Messages to actors that are gone.", float64(a.DeadLetters))
}
