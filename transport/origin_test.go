package transport

import (
	"strings"
	"testing"
)

func TestOrigin(t *testing.T) {
	const host = "game.example:3250"
	for _, tt := range []struct {
		setting string // entries by spaces
		origin  string
		host    string // default host
		want    bool
	}{
		{"", "", "", true}, // native clients send none
		{"", "http://game.example:3250", "", true},
		{"", "HTTPS://Game.Example:3250", "", true},
		{"", "http://game.example", "", false},
		{"", "http://game.example:80", "", false},
		{"", "http://evil.example:3250", "", false},
		{"", "http://game.example:3250.evil.example", "", false},
		{"", "http://game.example:3250@evil.example", "", false},
		{"", "http://evil.example/game.example:3250", "", false},
		{"", "null", "", false},
		{"", "null", "null", false},
		{"", "game.example:3250", "", false}, // no origin has no scheme
		{"", "://game.example:3250", "", false},
		{"", "http://", "", false},
		{"", "http://", "http://", false},
		{"", "file://", "", false},
		{"", "https://game.example", "game.example", true},
		{"", "https://game.example:443", "game.example", true},
		{"", "https://game.example", "game.example:443", true},
		{"", "http://game.example", "game.example:443", false},
		{"", "http://[::1]:3250", "[::1]:3250", true},
		{"", "http://[::1]", "[::1]:80", true},
		{"", "http://[::1", "[::1", false},
		{"", "http://[::2]:3250", "[::1]:3250", false},
		{"*", "http://evil.example", "", true},
		{"*", "null", "", true},
		{"null", "null", "", true},
		{"null", "http://null", "", true}, // a host like any other
		{"https://play.example", "https://play.example", "", true},
		{"https://play.example", "https://PLAY.example:443", "", true},
		{"https://play.example", "http://play.example", "", false},
		{"https://play.example", "https://play.example:8443", "", false},
		{"https://play.example", "http://game.example:3250", "", true}, // the same host always may
		{"https://Play.Example:8443", "https://play.example:8443", "", true},
		{"https://Play.Example:8443", "https://play.example", "", false},
		{"play.example", "https://play.example", "", true},
		{"play.example", "http://play.example:8080", "", true},
		{"play.example", "https://xplay.example", "", false},
		{"play.example:8080", "http://play.example:8080", "", true},
		{"play.example:8080", "http://play.example", "", false},
		{"play.example:80", "http://play.example", "", true},
		{"*.play.example", "https://a.play.example", "", true},
		{"*.play.example", "https://a.b.play.example", "", true},
		{"*.play.example", "https://play.example", "", false},
		{"*.play.example", "https://.play.example", "", false},
		{"*.play.example", "https://xplay.example", "", false},
		{"*.play.example", "https://a.play.example.evil", "", false},
		{"https://*.play.example:8443", "https://a.play.example:8443", "", true},
		{"https://*.play.example:8443", "https://a.play.example", "", false},
		{"https://*.play.example", "http://a.play.example", "", false},
		{"app://game", "app://game", "", true},
		{"app://game", "app://other", "", false},
		{"[::1]:80", "http://[::1]", "", true},
		{"a.example b.example", "https://b.example", "", true},
	} {
		p, err := newOriginPolicy(strings.Fields(tt.setting))
		if err != nil {
			t.Fatal(err)
		}
		h := tt.host
		if h == "" {
			h = host
		}
		if got := p.allow(tt.origin, h); got != tt.want {
			t.Errorf("origins %q, page of %q, host %q: got %t, want %t", tt.setting, tt.origin, h, got, tt.want)
		}
	}
}

func TestOriginSettingIsChecked(t *testing.T) {
	for _, entry := range []string{"", "https://", "https://a.example/", "https://a.example/path", "a.example:port", "a.example:123456", "*a.example", "a.*.example", "*.", "https://*", "://a.example", "[::1", "a b", "user@a.example", "a.example:"} {
		if p, err := newOriginPolicy([]string{"good.example", entry}); err == nil {
			t.Errorf("origins entry %q: got %+v, want an error", entry, p)
		}
	}
}

func TestOriginAllocs(t *testing.T) {
	p, err := newOriginPolicy([]string{"https://play.example", "*.play.example"})
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(100, func() { p.allow("https://a.play.example", "game.example:3250") })
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
