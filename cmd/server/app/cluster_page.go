package app

import (
	"cmp"
	"context"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/cmd/server/web"
)

// clusterView is what the cluster page shows, and /cluster.json returns.
type clusterView struct {
	Name     string        `json:"name"` // of the cluster
	Self     string        `json:"self"` // the node that was asked
	SelfName string        `json:"self_name"`
	Held     bool          `json:"held"` // it is sure of its lease
	Warnings []string      `json:"warnings,omitempty"`
	Nodes    []clusterNode `json:"nodes"` // by name
	Total    int           `json:"total"` // rooms
	Rooms    []clusterRoom `json:"rooms"` // by epoch, the latest first: what moved last is on top
	Moves    []clusterMove `json:"moves"` // the latest first

	MostRooms int `json:"-"` // of a node, at least 1
}

type clusterNode struct {
	roster.Member
	Owns      int           `json:"owns"` // rooms, by the directory
	Age       time.Duration `json:"up_ns"`
	LabelList []string      `json:"-"`
	RunsRooms bool          `json:"-"`
}

type clusterRoom struct {
	Room  string `json:"room"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

type clusterMove struct {
	directory.Move
	Ago   string `json:"-"`
	For   string `json:"-"`
	Fresh bool   `json:"-"`
}

const (
	shownRooms = 200 // bounds the page, not the counts on it
	shownMoves = 100
	freshMove  = 10 * time.Second
	// pageTime is how long the page waits for the store, and for the other nodes:
	// it is looked at when one of them does not answer.
	pageTime = time.Second
)

func (s *server) viewCluster(r *http.Request) clusterView {
	ctx, cancel := context.WithTimeout(r.Context(), pageTime)
	defer cancel()
	moves := make(chan []directory.Move, 1)
	go func() { moves <- s.node.Moves(ctx) }()
	v := clusterView{
		Name: cmp.Or(s.cfg.Cluster.Name, "shaddock"), Self: s.node.Self().ID, Held: s.node.Held(),
		Warnings: s.warnings(), MostRooms: 1,
	}
	all, err := s.node.Directory().List(ctx)
	if err != nil {
		v.Warnings = append(v.Warnings, fmt.Sprintf("the store does not answer, so the rooms are not known: %v", err))
	}
	now := time.Now()
	v.addNodes(now, s.node.Members().Members(), all)
	for key, p := range all {
		v.Rooms = append(v.Rooms, clusterRoom{key.String(), v.nameOf(p.Node), p.Epoch})
	}
	v.Total = len(v.Rooms)
	slices.SortFunc(v.Rooms, func(a, b clusterRoom) int { return cmp.Compare(b.Epoch, a.Epoch) })
	v.Rooms = v.Rooms[:min(len(v.Rooms), shownRooms)]
	v.addMoves(now, <-moves)
	return v
}

func (v *clusterView) addNodes(now time.Time, members []roster.Member, rooms map[directory.Key]directory.Place) {
	owns := make(map[string]int)
	for _, p := range rooms {
		owns[p.Node]++
		v.MostRooms = max(v.MostRooms, owns[p.Node])
	}
	for _, m := range members {
		n := clusterNode{Member: m, Owns: owns[m.ID], Age: now.Sub(time.UnixMilli(m.Since)).Round(time.Second), RunsRooms: len(m.Kinds) > 0}
		for _, label := range slices.Sorted(maps.Keys(m.Labels)) {
			n.LabelList = append(n.LabelList, label+"="+m.Labels[label])
		}
		v.Nodes = append(v.Nodes, n)
		if m.ID == v.Self {
			v.SelfName = m.Name
		}
	}
	slices.SortFunc(v.Nodes, func(a, b clusterNode) int { return cmp.Compare(a.Member.Name, b.Member.Name) })
}

func (v *clusterView) addMoves(now time.Time, moves []directory.Move) {
	for _, m := range moves[:min(len(moves), shownMoves)] {
		ago := now.Sub(m.At)
		v.Moves = append(v.Moves, clusterMove{m, rough(ago), rough(m.Took), ago < freshMove})
	}
}

func (v *clusterView) nameOf(id string) string {
	for _, n := range v.Nodes {
		if n.ID == id {
			return n.Member.Name
		}
	}
	return id
}

// rough is a time for people: two digits or so.
func rough(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%dh", int(d.Hours()))
}

// mountCluster adds the page, with the looks of the others.
func (s *server) mountCluster(mux *http.ServeMux) {
	mux.HandleFunc("GET /cluster", s.clusterPage)
	mux.HandleFunc("GET /cluster.json", s.clusterJSON)
	files := web.Handler()
	for _, name := range []string{"/style.css", "/mark.svg", "/theme.js", "/cluster.js"} {
		mux.Handle("GET "+name, files)
	}
}

func (s *server) clusterJSON(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.viewCluster(r)) // the reader has gone: nobody to tell
}

func (s *server) clusterPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", web.Policy)
	w.Header().Set("Cache-Control", "no-store")
	if err := clusterTemplate.Execute(w, s.viewCluster(r)); err != nil {
		s.cfg.Log.Debug("cluster page not delivered", "error", err)
	}
}

//go:embed cluster.html
var clusterHTML string

var clusterTemplate = template.Must(template.New("cluster").Parse(clusterHTML))
