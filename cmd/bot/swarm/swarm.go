package swarm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Plan is what a run is going to do, with all defaults resolved.
type Plan struct {
	Scenario, About       string
	Addr                  []string
	Sessions, Rooms       int
	Procs                 int
	Stages                []pace.Stage
	Ramp, Settle, Measure time.Duration
	FailIf                []string // thresholds of the scenario
	Metrics               []string // names of what will be timed
	Server                bool     // its usage will be known
}

// running is a run as its coordinator sees it.
type running struct {
	*plan
	crew     *crew
	clock    measure.Clock
	epoch    int64
	statuses []status
	logs     []measure.Log
	finals   []final
	tally    totals
	books    *books
	server   *serverUsage
}

// totals counts which workers have answered.
type totals struct{ logs, finals int }

// Run carries out cfg. An error says that the run could not be made; what the
// server did wrong is in the result. When ctx ends while measuring, the result is
// of what there was until then.
func Run(ctx context.Context, cfg Config) (*report.Result, error) {
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	if p.tokens, err = loadTokens(ctx, cfg, p.Sessions); err != nil {
		return nil, err
	}
	r := &running{plan: p, clock: measure.NewClock(), statuses: make([]status, p.Procs),
		logs: make([]measure.Log, p.Procs), finals: make([]final, p.Procs)}
	r.epoch = r.clock.Now()
	r.server = newServerUsage(&p.Config)
	r.books = newBooks(p, r.epoch, r.server, cfg.Watch)
	if r.crew, err = muster(ctx, p.Procs); err != nil {
		return nil, err
	}
	defer r.crew.dismiss()
	return r.run(ctx)
}

// Describe resolves cfg without running it; the error is one line that names the
// flag, or the lines of a scenario file that are wrong.
func Describe(cfg Config) (Plan, error) {
	p, err := newPlan(cfg)
	if err != nil {
		return Plan{}, err
	}
	return p.public(), nil
}

func (p *plan) public() Plan {
	all, warmUp := pace.Total(p.stages)
	return Plan{
		Scenario: p.scen.Name, About: p.scen.About, Addr: p.Addr, Sessions: p.Sessions, Rooms: p.Rooms, Procs: p.Procs,
		Stages: p.stages, Ramp: p.ramp.Over(p.Sessions), Settle: p.Settle, Measure: all - warmUp, FailIf: p.scen.FailIf, Metrics: p.scen.Metrics, Server: len(p.PID) > 0 || p.Scrape != "",
	}
}

func (r *running) run(ctx context.Context) (*report.Result, error) {
	before := r.server.now()
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	if err := r.quieten(ctx); err != nil {
		return nil, err
	}
	connected := r.server.now()
	interrupted, err := r.drive(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	end := r.clock.Now()
	after := r.server.now()
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	res := r.books.result(r.finals, end)
	res.Run.Interrupted = interrupted
	r.server.fill(res, before, connected, after)
	res.Seal()
	return res, nil
}

// headStart is how far ahead a common moment lies, so that every worker hears of
// it in time.
const headStart = int64(100 * time.Millisecond)

// assembleTime bounds the wait for sessions to arrive after the ramp: a large
// room takes a while to announce everyone to everyone.
const assembleTime = 2 * time.Minute

// connect opens the sessions and waits until each is where its scenario wants it.
func (r *running) connect(ctx context.Context) error {
	start := r.clock.Now() + headStart*int64(min(r.Procs, 5))
	for i, to := range r.crew.orders {
		s := &setup{Config: r.Config, Worker: i, Epoch: r.epoch, Run: uint16(r.epoch/1e6) & 0xfff, Tokens: r.tokens}
		if r.Procs == 1 {
			s.plan = r.plan
		}
		to <- order{Kind: orderConnect, Setup: s, At: start}
	}
	err := r.await(ctx, r.ramp.Over(r.Sessions)+assembleTime, func() bool {
		st := r.status()
		return st.Ready+st.Failed == int64(r.Sessions) || st.Ready == 0 && st.Open == 0 && st.Failed >= failedEarly
	})
	st := r.status()
	if err != nil && !errors.Is(err, errLimit) {
		return fmt.Errorf("%w after %d of %d sessions were ready", err, st.Ready, r.Sessions)
	}
	if float64(st.Ready) < readyShare*float64(r.Sessions) {
		return fmt.Errorf("%d of %d sessions got ready%s", st.Ready, r.Sessions, because(st.Trouble))
	}
	return nil
}

const (
	// failedEarly is how many sessions in a row have to fail before a run that
	// has brought up none is given up.
	failedEarly = 50
	// readyShare is how many of the sessions a run needs: with fewer it would
	// measure something else than it was asked to.
	readyShare = 0.9
)

func because(trouble string) string {
	if trouble == "" {
		return ""
	}
	return ": " + trouble
}

// quieten waits until the rooms have stopped announcing who came: that is not
// what is to be measured. A room of n has n²/2 of these to say.
func (r *running) quieten(ctx context.Context) error {
	limit := r.clock.Now() + int64(assembleTime)
	for before := int64(-1); r.clock.Now() < limit; {
		st := r.status()
		if st.Noise == before {
			return nil
		}
		before = st.Noise
		if err := r.await(ctx, r.Settle, func() bool { return false }); !errors.Is(err, errLimit) {
			return err
		}
	}
	return nil
}

// drive lets the schedule run and waits for what is still on its way.
func (r *running) drive(ctx context.Context) (interrupted bool, err error) {
	begin := r.clock.Now() + headStart
	r.books.begin(begin)
	r.crew.order(order{Kind: orderBegin, At: begin})
	all, warmUp := pace.Total(r.stages)
	never := func() bool { return false }
	err = r.await(ctx, time.Duration(headStart)+warmUp, never)
	r.server.start = r.server.now()
	if errors.Is(err, errLimit) {
		driven := func() bool { return r.status().Driven }
		if err = r.await(ctx, all-warmUp+assembleTime, driven); errors.Is(err, errLimit) {
			return false, errors.New("the schedule has not ended in time")
		}
	}
	if err != nil && ctx.Err() == nil {
		return false, err
	}
	if interrupted = err != nil; interrupted {
		r.crew.order(order{Kind: orderHalt})
	}
	err = r.await(context.WithoutCancel(ctx), r.Grace, func() bool {
		st := r.status()
		return st.Driven && st.Delivered >= st.Expected && st.Waiting == 0
	})
	if errors.Is(err, errLimit) {
		err = nil // lost, or late beyond patience
	}
	return interrupted, err
}

// settle ends the workers and takes their accounts.
func (r *running) settle(ctx context.Context) error {
	r.crew.order(order{Kind: orderEnd})
	if err := r.await(ctx, assembleTime, func() bool { return r.tally.logs == r.Procs }); err != nil {
		return fmt.Errorf("end the workers: %w", err)
	}
	o := order{Kind: orderSettle}
	if r.layout.shared() {
		o.Logs = r.logs
	}
	r.crew.order(o)
	if err := r.await(ctx, assembleTime, func() bool { return r.tally.finals == r.Procs }); err != nil {
		return fmt.Errorf("settle the accounts: %w", err)
	}
	return nil
}

// errLimit says that what was waited for has not come.
var errLimit = errors.New("timed out")

// await takes news until done, for so long at most.
func (r *running) await(ctx context.Context, limit time.Duration, done func() bool) error {
	timer := time.NewTimer(min(limit, math.MaxInt64/2))
	defer timer.Stop()
	for !done() {
		select {
		case n := <-r.crew.news:
			if err := r.take(n); err != nil {
				return err
			}
		case <-timer.C:
			return errLimit
		case <-ctx.Done():
			return errors.New("interrupted")
		}
	}
	return nil
}

func (r *running) take(n news) error {
	switch {
	case n.Err != "":
		return errors.New(n.Err)
	case n.Status != nil:
		r.statuses[n.worker] = *n.Status
	case n.Cut != nil:
		r.statuses[n.worker] = n.Cut.Status
		return r.books.cut(n.worker, n.Cut)
	case n.Ended != nil:
		r.logs[n.worker] = n.Ended.Log
		r.tally.logs++
	case n.Final != nil:
		r.finals[n.worker] = *n.Final
		r.tally.finals++
	}
	return nil
}

// status sums up the workers'.
func (r *running) status() status {
	sum := status{Driven: true}
	for _, s := range r.statuses {
		sum.add(&s)
	}
	return sum
}

func (s *status) add(o *status) {
	s.Sessions += o.Sessions
	s.Ready += o.Ready
	s.Failed += o.Failed
	s.Open += o.Open
	s.Noise += o.Noise
	s.Driven = s.Driven && o.Driven
	s.Expected += o.Expected
	s.Delivered += o.Delivered
	s.Waiting += o.Waiting
	if s.Trouble = strings.TrimSpace(s.Trouble); s.Trouble == "" {
		s.Trouble = o.Trouble
	}
}
