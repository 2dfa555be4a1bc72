package push

import (
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
)

// authorize lets in callers that show the key, in the field Authorization (Bearer)
// or X-API-Key. Without a key it lets in callers of this machine, so that nobody
// serves an open API by accident, but no pages of other sites that such a caller's
// browser shows.
func (a *API) authorize(r *http.Request) error {
	if a.cfg.Key == "" {
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
			return refused(http.StatusUnauthorized, 0, "no key is configured, so only callers of the same machine may push")
		}
		if err := a.guard.Check(r); err != nil {
			return refused(http.StatusForbidden, 0, "pages of other sites may not push")
		}
		return nil
	}
	shown := r.Header.Get("X-API-Key")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		shown = bearer
	}
	if subtle.ConstantTimeCompare([]byte(shown), []byte(a.cfg.Key)) != 1 {
		return refused(http.StatusUnauthorized, 0, "show the key: Authorization: Bearer …, or X-API-Key")
	}
	return nil
}
