package app

import (
	"encoding/json"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/cmd/server/web"
)

// info is what the index page shows of this server, at /info.json.
type info struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	WS      []string `json:"ws"`
	Pages   []page   `json:"pages"`
	Routes  []string `json:"routes"`
	Online  int64    `json:"online"`
	Rooms   int64    `json:"rooms"`
	Uptime  int64    `json:"uptime"` // seconds
}

type page struct {
	Path  string `json:"path"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// pages answers what arrives at the players' port and is no WebSocket.
func (s *server) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	mux.HandleFunc("GET /info.json", s.info)
	mux.Handle("GET /static/", http.RedirectHandler("/tadpole/", http.StatusMovedPermanently)) // where nano's demo had it
	s.mountPushes(mux)
	return mux
}

func (s *server) info(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(info{ // the browser has gone: nobody to tell
		Name: "shaddock", Version: s.cfg.Version, WS: s.cfg.WSPaths,
		Pages: []page{
			{"/web/", "Chat", "Rooms where everyone hears everyone."},
			{"/live/", "Live", "Messages that fly over a stage, thousands a second."},
			{"/tadpole/", "Tadpoles", "A pond to swim in with everybody else."},
		},
		Routes: s.actors.Routes(),
		Online: s.actors.Stats().Sessions, Rooms: s.rooms.Stats().Rooms,
		Uptime: int64(time.Since(s.started).Seconds()),
	})
}

// version is what the build recorded.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Version == "" || b.Main.Version == "(devel)" {
		return "devel"
	}
	return b.Main.Version
}
