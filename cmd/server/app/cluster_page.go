package app

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// clusterView is what the cluster page shows, and /cluster.json returns.
type clusterView struct {
	Self  string        `json:"self"` // the node that was asked
	Held  bool          `json:"held"` // it is sure of its lease
	Nodes []clusterNode `json:"nodes"`
	Rooms []clusterRoom `json:"rooms"` // by epoch, the latest first: what moved last is on top
	Error string        `json:"error,omitempty"`
}

type clusterNode struct {
	roster.Member
	Owns int `json:"owns"` // rooms, by the directory
	Age  string
}

type clusterRoom struct {
	Room  string `json:"room"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

// shownRooms bounds the page, not the counts on it.
const shownRooms = 200

func (s *server) viewCluster(r *http.Request) clusterView {
	v := clusterView{Self: s.node.Self().ID, Held: s.node.Held()}
	all, err := s.node.Directory().List(r.Context())
	if err != nil {
		v.Error = err.Error()
	}
	owns, names := make(map[string]int), make(map[string]string)
	for _, m := range s.node.Members().Members() {
		names[m.ID] = m.Name
	}
	for key, p := range all {
		owns[p.Node]++
		v.Rooms = append(v.Rooms, clusterRoom{key.String(), cmp.Or(names[p.Node], p.Node), p.Epoch})
	}
	slices.SortFunc(v.Rooms, func(a, b clusterRoom) int { return cmp.Compare(b.Epoch, a.Epoch) })
	v.Rooms = v.Rooms[:min(len(v.Rooms), shownRooms)]
	for _, m := range s.node.Members().Members() {
		age := time.Since(time.UnixMilli(m.Since)).Round(time.Second)
		v.Nodes = append(v.Nodes, clusterNode{Member: m, Owns: owns[m.ID], Age: age.String()})
	}
	return v
}

func (s *server) clusterJSON(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.viewCluster(r)) // the reader has gone: nobody to tell
}

func (s *server) clusterPage(w http.ResponseWriter, r *http.Request) {
	if err := clusterTemplate.Execute(w, s.viewCluster(r)); err != nil {
		s.cfg.Log.Debug("cluster page not delivered", "error", err)
	}
}

var clusterTemplate = template.Must(template.New("cluster").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>cluster</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a2530}
table{border-collapse:collapse;width:100%;margin:1rem 0 2rem}
th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid #d8dee4}
th{font-weight:600;color:#57636f}td.n{text-align:right;font-variant-numeric:tabular-nums}
.warn{background:#fff3cd;padding:.6rem 1rem}
</style></head><body>
<h1>Cluster</h1>
{{if not .Held}}<p class="warn">This node is not sure of its lease: its rooms pause until the store answers.</p>{{end}}
{{if .Error}}<p class="warn">The store does not answer: {{.Error}}</p>{{end}}
<table><thead><tr><th>node</th><th>address</th><th>roles</th><th>state</th><th>up</th><th>rooms</th><th>members</th><th>sessions</th><th>cores</th></tr></thead><tbody>
{{range .Nodes}}<tr><td>{{.Name}}{{if eq .ID $.Self}} (this one){{end}}</td><td>{{.Addr}}</td><td>{{range .Roles}}{{.}} {{end}}</td><td>{{.State}}</td><td>{{.Age}}</td>
<td class="n">{{.Owns}}</td><td class="n">{{.Load.Members}}</td><td class="n">{{.Load.Sessions}}</td><td class="n">{{.Load.CPU}}</td></tr>
{{end}}</tbody></table>
<h2>Rooms, those that started or moved last on top</h2>
<table><thead><tr><th>room</th><th>node</th><th>epoch</th></tr></thead><tbody>
{{range .Rooms}}<tr><td>{{.Room}}</td><td>{{.Node}}</td><td class="n">{{.Epoch}}</td></tr>
{{end}}</tbody></table></body></html>
`))
