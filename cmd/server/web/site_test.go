package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// get asks the pages as a browser does; headers come in pairs.
func get(t *testing.T, method, url string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(b)
}

func TestContentTypes(t *testing.T) {
	for url, want := range map[string]string{
		"/":                  "text/html; charset=utf-8",
		"/web/":              "text/html; charset=utf-8",
		"/style.css":         "text/css; charset=utf-8",
		"/mark.svg":          "image/svg+xml",
		"/sdk/shaddock.js":   "text/javascript; charset=utf-8",
		"/sdk/shaddock.d.ts": "text/plain; charset=utf-8",
		"/sdk/package.json":  "application/json",
	} {
		res := get(t, "GET", url)
		if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != want {
			t.Errorf("GET %s: %d %q, want 200 %q", url, res.StatusCode, got, want)
		}
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	first := get(t, "GET", "/sdk/shaddock.js")
	if got := first.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control %q, want no-cache: the file changes with the binary", got)
	}
	again := get(t, "GET", "/sdk/shaddock.js", "If-None-Match", first.Header.Get("Etag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("with the tag of the first answer: %d, want 304", again.StatusCode)
	}
}

func TestGzip(t *testing.T) {
	plain := get(t, "GET", "/sdk/shaddock.js")
	for accept, want := range map[string]string{
		"gzip, deflate, br":  "gzip",
		"br;q=1, gzip;q=0.2": "gzip",
		"gzip;q=0":           "",
		"br":                 "",
	} {
		res := get(t, "GET", "/sdk/shaddock.js", "Accept-Encoding", accept)
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, got, want)
		}
	}
	zipped := get(t, "GET", "/sdk/shaddock.js", "Accept-Encoding", "gzip")
	if zipped.Header.Get("Etag") == plain.Header.Get("Etag") {
		t.Error("both encodings have one entity tag: caches would mix them up")
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatalf("open gzip body: %v", err)
	}
	if bodyOf(t, r) != bodyOf(t, plain.Body) {
		t.Error("the zipped file differs from the plain one")
	}
}

func TestOddRequests(t *testing.T) {
	for _, row := range []struct {
		method, url string
		want        int
		location    string
	}{
		{"HEAD", "/", 200, ""},
		{"GET", "/web", 301, "/web/"},
		{"GET", "/nothing", 404, ""},
		{"GET", "/web.go", 404, ""},
		{"GET", "/../web.go", 404, ""},
		{"POST", "/", 405, ""},
	} {
		res := get(t, row.method, row.url)
		if res.StatusCode != row.want || res.Header.Get("Location") != row.location {
			t.Errorf("%s %s: %d to %q, want %d to %q", row.method, row.url, res.StatusCode, res.Header.Get("Location"), row.want, row.location)
		}
	}
}

// TestPagesKeepThePolicy checks what the Content-Security-Policy would break at
// run time only: scripts and styles in the page, and anything from elsewhere.
func TestPagesKeepThePolicy(t *testing.T) {
	broken := regexp.MustCompile(`<script>|<style|\sstyle=|\son[a-z]+=|(src|href)="(https?:)?//`)
	for url, a := range newSite(files) {
		if strings.HasPrefix(a.kind, "text/html") {
			if found := broken.Find(a.plain); found != nil {
				t.Errorf("%s has %s, which the policy forbids", url, found)
			}
		}
	}
	if got := get(t, "GET", "/").Header.Get("Content-Security-Policy"); got != Policy {
		t.Errorf("Content-Security-Policy %q, want %q", got, Policy)
	}
}

// TestReferencesExist finds the file behind every local link and import.
func TestReferencesExist(t *testing.T) {
	ref := regexp.MustCompile(`(?:src|href|from|import)[ =(]*['"](/[^'"#]*|\.{1,2}/[^'"]*|[a-z]+\.js)['"]`)
	s, checked := newSite(files), 0
	for url, a := range s {
		if strings.HasPrefix(url, "/sdk/protobufjs/") || strings.HasSuffix(url, ".d.ts") {
			continue
		}
		for _, m := range ref.FindAllSubmatch(a.plain, -1) {
			checked++
			target := httptest.NewRequest("GET", "http://x"+url, nil).URL.JoinPath("..", string(m[1])).Path
			if strings.HasPrefix(string(m[1]), "/") {
				target = string(m[1])
			} else if strings.HasSuffix(url, "/") {
				target = url + strings.TrimPrefix(string(m[1]), "./")
			}
			if s[target] == nil && target != "/info.json" { // the server's own
				t.Errorf("%s refers to %s, which is no file", url, target)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d references found: does the pattern still fit?", checked)
	}
}

func TestFileWithoutContentTypePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a file of unknown kind was accepted")
		}
	}()
	newSite(fstest.MapFS{"x.exe": {Data: []byte("x")}})
}
