package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/shaddock-game/shaddock/protocol"
)

// side is a listener beside the players' one.
type side struct {
	http   *http.Server
	addr   net.Addr
	failed chan error
}

// serveSide answers on an address of its own; flag names the setting in errors.
func serveSide(flag, address string, h http.Handler) (*side, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	a := &side{
		http:   &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute},
		addr:   l.Addr(),
		failed: make(chan error, 1),
	}
	go func() { // ends with stop, which closes the listener
		if err := a.http.Serve(l); err != http.ErrServerClosed {
			a.failed <- fmt.Errorf("%s: %w", flag, err)
		}
	}()
	return a, nil
}

// stop takes no more requests and waits for those under way; what is still under
// way when ctx ends, a profile say, is cut off.
func (a *side) stop(ctx context.Context) error {
	if err := a.http.Shutdown(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return a.http.Close()
}

// broken is never ready while the listener works or is off.
func (a *side) broken() <-chan error {
	if a == nil {
		return nil
	}
	return a.failed
}

// serveAdmin opens the listener for operators. It has no authentication: it
// belongs on loopback or a private network.
func (s *server) serveAdmin() (err error) {
	if s.cfg.Admin == none {
		return nil
	}
	s.admin, err = serveSide("--admin", s.cfg.Admin, s.adminMux())
	return err
}

func (s *server) adminAddr() string {
	if s.admin == nil {
		return ""
	}
	return s.admin.addr.String()
}

func (s *server) adminMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", s.healthy)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("POST /kick", s.kick)
	mux.HandleFunc("GET /stats", s.tally.serve)
	if s.node != nil {
		s.mountCluster(mux)
	}
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// healthy says that the process lives, and what an operator should look at.
func (s *server) healthy(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
	for _, what := range s.warnings() {
		fmt.Fprintln(w, "warning:", what)
	}
}

// ready says whether new players should be sent here.
func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.stopping.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// kick ends one session of this node, or those of a user, wherever they are: POST
// /kick with session=ID or uid=UID and, if wanted, reason=TEXT.
func (s *server) kick(w http.ResponseWriter, r *http.Request) {
	if uid := r.FormValue("uid"); uid != "" {
		s.kickUser(w, r, uid)
		return
	}
	id, err := strconv.ParseUint(r.FormValue("session"), 10, 64)
	if err != nil {
		http.Error(w, "session: give the id of a session, or uid: that of a user", http.StatusBadRequest)
		return
	}
	ref, ok := s.actors.Session(id)
	if !ok {
		http.Error(w, fmt.Sprintf("no session %d", id), http.StatusNotFound)
		return
	}
	ref.Kick(protocol.ReasonKicked, r.FormValue("reason"))
	fmt.Fprintln(w, "kicked")
}

func (s *server) kickUser(w http.ResponseWriter, r *http.Request, uid string) {
	done := make(chan int, 1)
	s.actors.Users().Kick(uid, protocol.ReasonKicked, r.FormValue("reason"), func(n int) { done <- n })
	select {
	case n := <-done:
		if n == 0 {
			http.Error(w, fmt.Sprintf("user %s is not logged in", uid), http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "kicked %d\n", n)
	case <-r.Context().Done(): // the caller has gone
	}
}
