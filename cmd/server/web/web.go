// Package web holds the pages of the server and its JavaScript client, embedded
// in the binary. The folder is the URL space: web/index.html is /web/, sdk/shaddock.js
// is /sdk/shaddock.js.
//
//	/          what runs here, and whether a client can talk to it; reads /info.json
//	/web/      chat
//	/live/     danmaku: messages that fly over a stage
//	/tadpole/  tadpoles in a shared pond
//	/sdk/      the client, ES modules without a build step
//
// The cluster page of operators is drawn by cmd/server/app and uses what is here.
package web

import (
	"embed"
	"net/http"
)

//go:embed *.html *.css *.js *.svg web live tadpole sdk
var files embed.FS

// Policy is the Content-Security-Policy of all pages: it lets a page load what this server serves and nothing else. WebSockets
// are named because some browsers do not count them as 'self'.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the files to GET and HEAD. Browsers are asked to check each
// time whether a file has changed, because it changes with the binary and has no
// version in its name; an unchanged one costs a 304. Safe for concurrent use.
func Handler() http.Handler { return newSite(files) }
