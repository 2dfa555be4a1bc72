// Package web holds the pages of the server and the JavaScript client, embedded
// in the binary.
package web

import (
	"embed"
	"net/http"
	"strings"
)

//go:embed index.html style.css web sdk/*.js
var files embed.FS

// Handler serves the pages. Browsers ask again each time, because the files
// change with the binary and carry no version in their names.
func Handler() http.Handler {
	pages := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:")
		if strings.HasSuffix(r.URL.Path, ".js") {
			h.Set("Content-Type", "text/javascript; charset=utf-8") // some systems map .js to something else
		}
		pages.ServeHTTP(w, r)
	})
}
