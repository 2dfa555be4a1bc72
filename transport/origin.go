package transport

import (
	"fmt"
	"strings"
)

// originPolicy decides which pages may open a WebSocket: those of the host
// itself, and those of a list. It is immutable; the zero value allows the same
// host alone.
type originPolicy struct {
	any   bool
	rules []originRule
}

// originRule is one entry of the list. The empty scheme or port is any.
type originRule struct {
	scheme, host, port string
	subdomains         bool // host is the part behind "*."
}

// newOriginPolicy reads the setting: "*", "https://example.com:8443" (without a
// port: the one of the scheme), "example.com:8443", "example.com" (any scheme
// and port), "*.example.com" (its subdomains, at any depth, not itself), or
// "null" (files and sandboxed frames). The error names the entry.
func newOriginPolicy(list []string) (originPolicy, error) {
	var p originPolicy
	for _, entry := range list {
		if entry == "*" {
			p.any = true
			continue
		}
		r, ok := parseOriginRule(strings.ToLower(entry))
		if !ok {
			return originPolicy{}, fmt.Errorf("origins: %q is not *, scheme://host[:port], host[:port] or *.domain", entry)
		}
		p.rules = append(p.rules, r)
	}
	return p, nil
}

func parseOriginRule(entry string) (r originRule, ok bool) {
	rest := entry
	if scheme, after, found := strings.Cut(entry, "://"); found {
		if scheme == "" {
			return r, false
		}
		r.scheme, rest = scheme, after
	}
	r.host, r.port, ok = splitHost(rest)
	if r.scheme != "" && r.port == "" {
		r.port = defaultPort(r.scheme)
	}
	r.host, r.subdomains = strings.CutPrefix(r.host, "*.")
	return r, ok && r.host != "" && !strings.ContainsAny(r.host, "*/ ")
}

// allow reports whether a page of this origin may connect to host, the request's
// Host field. Clients that are no browsers send no origin: an empty one is
// allowed, because the check protects people's browsers, not this server.
func (p *originPolicy) allow(origin, host string) bool {
	if origin == "" || p.any {
		return true
	}
	scheme, rest, found := strings.Cut(origin, "://")
	if !found { // "null" and the like: only when listed literally
		scheme, rest = "", origin
	}
	oHost, oPort, ok := splitHost(rest)
	if !ok || oHost == "" {
		return false
	}
	if oPort == "" {
		oPort = defaultPort(scheme)
	}
	if scheme != "" && sameHost(oHost, oPort, host, scheme) {
		return true
	}
	for _, r := range p.rules {
		if r.match(scheme, oHost, oPort) {
			return true
		}
	}
	return false
}

// sameHost compares as browsers do: a missing port is the one of the scheme.
// The page's scheme stands for both, because a proxy may end TLS before us.
func sameHost(oHost, oPort, host, scheme string) bool {
	h, port, ok := splitHost(host)
	if port == "" {
		port = defaultPort(scheme)
	}
	return ok && strings.EqualFold(h, oHost) && port == oPort
}

func (r *originRule) match(scheme, host, port string) bool {
	if r.scheme != "" && !strings.EqualFold(r.scheme, scheme) || r.port != "" && r.port != port {
		return false
	}
	if !r.subdomains {
		return strings.EqualFold(host, r.host)
	}
	sub := len(host) - len(r.host) - 1
	return sub > 0 && host[sub] == '.' && strings.EqualFold(host[sub+1:], r.host)
}

// splitHost splits host[:port], where host may be an IPv6 address in brackets,
// which stay on. It allocates nothing.
func splitHost(s string) (host, port string, ok bool) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		host, s = s[:end+1], s[end+1:]
	} else {
		end := strings.IndexByte(s, ':')
		if end < 0 {
			return s, "", !strings.ContainsAny(s, "/@")
		}
		host, s = s[:end], s[end:]
	}
	if s == "" {
		return host, "", true
	}
	port = s[1:]
	if s[0] != ':' || port == "" || len(port) > 5 || strings.ContainsAny(host, "/@") {
		return "", "", false
	}
	for _, c := range []byte(port) {
		if c < '0' || c > '9' {
			return "", "", false
		}
	}
	return host, port, true
}

func defaultPort(scheme string) string {
	switch {
	case strings.EqualFold(scheme, "http"), strings.EqualFold(scheme, "ws"):
		return "80"
	case strings.EqualFold(scheme, "https"), strings.EqualFold(scheme, "wss"):
		return "443"
	}
	return ""
}
