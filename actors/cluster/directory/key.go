package directory

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Key names a room: its kind and its id within the kind.
type Key struct{ Kind, ID string }

func (k Key) String() string { return k.Kind + "/" + k.ID }

// Path is the room's key in the store, below a prefix. An id may hold anything.
func (k Key) Path() string { return url.PathEscape(k.Kind) + "/" + url.PathEscape(k.ID) }

func keyOf(path string) (k Key, err error) {
	kind, id, ok := strings.Cut(path, "/")
	if !ok {
		return k, fmt.Errorf("directory: %q is no path of a room", path)
	}
	if k.Kind, err = url.PathUnescape(kind); err != nil {
		return k, err
	}
	k.ID, err = url.PathUnescape(id)
	return k, err
}

// Place is where a room runs, and as which activation.
type Place struct {
	Node  string `json:"node"` // boot id
	Addr  string `json:"addr"`
	Epoch uint64 `json:"epoch,omitempty"` // not part of the record: it is the record's own
}

// claim is what a node writes into a room's key.
func claim(node, addr string) []byte {
	b, err := json.Marshal(Place{Node: node, Addr: addr})
	if err != nil {
		panic(err) // two strings
	}
	return b
}

func placeOf(r store.Record) (Place, error) {
	var p Place
	if err := json.Unmarshal(r.Value, &p); err != nil {
		return p, fmt.Errorf("directory: record %s: %w", r.Key, err)
	}
	p.Epoch = r.Epoch
	return p, nil
}
