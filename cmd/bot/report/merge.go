package report

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Merge returns what several generators measured at the same time as one
// result: counts are added and histograms merged, so that every quantile of a
// metric is the one of all recorded values. The inputs stay as they are. What
// only one of them can know (command line, machine, seed) is the first's.
//
// Results with the same target have watched the same server, whose usage is
// taken once; with different ones it is added up.
func Merge(all ...*Result) (*Result, error) {
	if len(all) == 0 {
		return nil, errors.New("merge: no results")
	}
	out := *all[0]
	out.Metrics = maps.Clone(out.Metrics)
	for name, m := range out.Metrics {
		m.Errors = maps.Clone(m.Errors)
		out.Metrics[name] = m
	}
	if out.Server != nil {
		s := *out.Server
		out.Server = &s
	}
	for _, r := range all[1:] {
		if err := out.add(r); err != nil {
			return nil, err
		}
	}
	out.Series = mergeSeries(all)
	out.Seal()
	return &out, nil
}

func (r *Result) add(b *Result) error {
	for name, m := range b.Metrics {
		sum := r.Metrics[name]
		if err := sum.add(m); err != nil {
			return fmt.Errorf("merge metric %s: %w", name, err)
		}
		r.Metrics[name] = sum
	}
	r.addServer(b)
	if r.Run.Target != b.Run.Target {
		r.Run.Target += ", " + b.Run.Target
	}
	r.Run.Sessions += b.Run.Sessions
	r.Run.Rooms = max(r.Run.Rooms, b.Run.Rooms)
	r.Run.Rate += b.Run.Rate
	r.Run.Interrupted = r.Run.Interrupted || b.Run.Interrupted
	if b.Run.Begin.Before(r.Run.Begin) {
		r.Run.Begin = b.Run.Begin
	}
	if b.Run.End.After(r.Run.End) {
		r.Run.End = b.Run.End
	}
	for _, c := range [][2]*int64{
		{&r.Deliveries.Expected, &b.Deliveries.Expected},
		{&r.Deliveries.Received, &b.Deliveries.Received},
		{&r.Deliveries.Lost, &b.Deliveries.Lost},
		{&r.Deliveries.Duplicated, &b.Deliveries.Duplicated},
		{&r.Deliveries.OutOfOrder, &b.Deliveries.OutOfOrder},
		{&r.Deliveries.Strangers, &b.Deliveries.Strangers},
		{&r.Traffic.BytesIn, &b.Traffic.BytesIn},
		{&r.Traffic.BytesOut, &b.Traffic.BytesOut},
		{&r.Traffic.PackagesIn, &b.Traffic.PackagesIn},
		{&r.Traffic.PackagesOut, &b.Traffic.PackagesOut},
		{&r.Sessions.Opened, &b.Sessions.Opened},
		{&r.Sessions.Reconnects, &b.Sessions.Reconnects},
		{&r.Sessions.Dropped, &b.Sessions.Dropped},
		{&r.Schedule.Planned, &b.Schedule.Planned},
		{&r.Schedule.Sent, &b.Schedule.Sent},
		{&r.Schedule.Skipped, &b.Schedule.Skipped},
		{&r.Schedule.Late, &b.Schedule.Late},
		{&r.Generator.RSS, &b.Generator.RSS},
	} {
		*c[0] += *c[1]
	}
	r.Schedule.WorstLag = max(r.Schedule.WorstLag, b.Schedule.WorstLag)
	r.Generator.Processes += b.Generator.Processes
	r.Generator.CPUSeconds += b.Generator.CPUSeconds
	return nil
}

func (r *Result) addServer(b *Result) {
	switch {
	case b.Server == nil:
	case r.Server == nil:
		s := *b.Server
		r.Server = &s
	case r.Run.Target == b.Run.Target: // the same process, seen twice
		r.Server.CPUSeconds = max(r.Server.CPUSeconds, b.Server.CPUSeconds)
		r.Server.RSSEnd = max(r.Server.RSSEnd, b.Server.RSSEnd)
		r.Server.RSSConnected = max(r.Server.RSSConnected, b.Server.RSSConnected)
		r.Server.RSSBefore = min(r.Server.RSSBefore, b.Server.RSSBefore)
	default:
		r.Server.CPUSeconds += b.Server.CPUSeconds
		r.Server.RSSEnd += b.Server.RSSEnd
		r.Server.RSSConnected += b.Server.RSSConnected
		r.Server.RSSBefore += b.Server.RSSBefore
	}
	if s := r.Server; s != nil && b.Server != nil {
		s.RSSPerSession = per(float64(s.RSSConnected-s.RSSBefore), float64(r.Run.Sessions+b.Run.Sessions))
	}
}

// mergeSeries adds up the samples of the same second. Their quantiles cannot be
// merged any more: the worst stands for all.
func mergeSeries(all []*Result) []Sample {
	bySecond := make(map[int]Sample)
	for _, r := range all {
		for _, s := range r.Series {
			at := int(math.Round(s.At))
			sum, ok := bySecond[at]
			if !ok {
				s.Metrics = maps.Clone(s.Metrics)
				bySecond[at] = s
				continue
			}
			sum.add(&s)
			bySecond[at] = sum
		}
	}
	var out []Sample
	for _, at := range slices.Sorted(maps.Keys(bySecond)) {
		out = append(out, bySecond[at])
	}
	return out
}

func (s *Sample) add(b *Sample) {
	for _, c := range [][2]*int64{
		{&s.Sessions, &b.Sessions}, {&s.Planned, &b.Planned}, {&s.Sent, &b.Sent}, {&s.Skipped, &b.Skipped},
		{&s.Late, &b.Late}, {&s.Delivered, &b.Delivered}, {&s.Outstanding, &b.Outstanding},
		{&s.Duplicated, &b.Duplicated}, {&s.OutOfOrder, &b.OutOfOrder}, {&s.Dropped, &b.Dropped},
		{&s.Reconnects, &b.Reconnects}, {&s.BytesIn, &b.BytesIn}, {&s.BytesOut, &b.BytesOut},
		{&s.PackagesIn, &b.PackagesIn}, {&s.PackagesOut, &b.PackagesOut}, {&s.BotRSS, &b.BotRSS},
	} {
		*c[0] += *c[1]
	}
	s.BotCores += b.BotCores
	s.ServerCores = max(s.ServerCores, b.ServerCores)
	s.ServerRSS = max(s.ServerRSS, b.ServerRSS)
	for name, m := range b.Metrics {
		if s.Metrics == nil {
			s.Metrics = make(map[string]Moment)
		}
		s.Metrics[name] = s.Metrics[name].worse(m)
	}
}

// worse adds counts and keeps the larger of each quantile.
func (m Moment) worse(b Moment) Moment {
	return Moment{
		Count: m.Count + b.Count, Errors: m.Errors + b.Errors,
		P50: max(m.P50, b.P50), P90: max(m.P90, b.P90), P99: max(m.P99, b.P99), Max: max(m.Max, b.Max),
	}
}
