package protocol

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Routes is the set of routes a server knows, with the dictionary that gives
// some of them two-byte codes. It is immutable and safe for concurrent use; nil
// is the empty set.
type Routes struct {
	known  map[string]string // route → its canonical string, so that a lookup by bytes allocates nothing
	codes  map[string]uint16
	routes []string // by code, "" where none; at most 65,536 entries

	// Rendered once, for every handshake.
	version     string
	routeToCode []byte // {"route":code,…}
	codeToRoute []byte // {"code":"route",…}
}

// NewRoutes returns the set of all routes in known and in dict. The dictionary
// must be bijective with codes 1..65535: JavaScript clients take 0 for "not
// there". Routes are 1..255 bytes of UTF-8. The error names every offender.
// Neither argument is kept.
func NewRoutes(known []string, dict map[string]uint16) (*Routes, error) {
	r := &Routes{known: make(map[string]string, len(known)+len(dict)), codes: maps.Clone(dict)}
	var errs []error
	add := func(route string) {
		if err := checkRoute(route); err != nil {
			errs = append(errs, err)
		}
		r.known[route] = route
	}
	for _, route := range known {
		add(route)
	}
	owners := make(map[uint16]string, len(dict))
	for _, route := range slices.Sorted(maps.Keys(dict)) {
		code := dict[route]
		add(route)
		if code == 0 {
			errs = append(errs, fmt.Errorf("route %q: code 0 cannot be used, codes are 1..65535", route))
			continue
		}
		if first, taken := owners[code]; taken {
			errs = append(errs, fmt.Errorf("route %q: code %d already stands for %q", route, code, first))
			continue
		}
		owners[code] = route
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("protocol: new routes: %w", errors.Join(errs...))
	}
	r.render(owners)
	return r, nil
}

func checkRoute(route string) error {
	switch {
	case route == "":
		return errors.New("a route is empty")
	case len(route) > MaxRouteLen:
		return errRouteLength(route)
	case !utf8.ValidString(route):
		return fmt.Errorf("route %q is not UTF-8", route)
	}
	return nil
}

func errRouteLength(route string) error {
	return fmt.Errorf("route of %d bytes is longer than %d: %.32q…", len(route), MaxRouteLen, route)
}

// render fills what is derived from a valid dictionary: sorted by code, so that
// equal dictionaries have equal bytes and an equal version.
func (r *Routes) render(byCode map[uint16]string) {
	if len(byCode) == 0 {
		return
	}
	codes := slices.Sorted(maps.Keys(byCode))
	r.routes = make([]string, int(codes[len(codes)-1])+1)
	for i, code := range codes {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		route := byCode[code]
		r.routes[code] = route
		r.routeToCode = appendJSONString(append(r.routeToCode, sep), route)
		r.routeToCode = strconv.AppendUint(append(r.routeToCode, ':'), uint64(code), 10)
		r.codeToRoute = strconv.AppendUint(append(r.codeToRoute, sep, '"'), uint64(code), 10)
		r.codeToRoute = appendJSONString(append(r.codeToRoute, '"', ':'), route)
	}
	r.routeToCode = append(r.routeToCode, '}')
	r.codeToRoute = append(r.codeToRoute, '}')
	h := fnv.New64a()
	h.Write(r.routeToCode)
	r.version = fmt.Sprintf("%016x", h.Sum64())
}

// Code returns the code of route, 0 when it has none.
func (r *Routes) Code(route string) uint16 {
	if r == nil {
		return 0
	}
	return r.codes[route]
}

// Route returns the route that code stands for, "" when there is none.
func (r *Routes) Route(code uint16) string {
	if r == nil || int(code) >= len(r.routes) {
		return ""
	}
	return r.routes[code]
}

// Dict returns a copy of the dictionary, nil when it is empty.
func (r *Routes) Dict() map[string]uint16 {
	if r == nil || len(r.codes) == 0 {
		return nil
	}
	return maps.Clone(r.codes)
}

// Version names the contents of the dictionary: equal dictionaries have equal
// versions, on every node and after every restart. "" when there is none.
func (r *Routes) Version() string {
	if r == nil {
		return ""
	}
	return r.version
}

// intern returns the canonical string of a known route, a new one otherwise.
func (r *Routes) intern(route []byte) string {
	if r != nil {
		if s, ok := r.known[string(route)]; ok {
			return s
		}
	}
	return string(route)
}
