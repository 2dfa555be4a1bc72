package directory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/protocol"
)

// ErrNoHost says that no member of the cluster runs the kind of room at present.
var ErrNoHost = errors.New("no node runs this kind of room")

// Unhosted is a kind of room that no member may run at present.
type Unhosted struct {
	Kind   string
	Labels map[string]string // that the kind demands of a node; none: no node runs it at all
}

// String names the kind and, if that is what is missing, the labels.
func (u Unhosted) String() string {
	if len(u.Labels) == 0 {
		return "no node runs rooms of kind " + u.Kind
	}
	labels := make([]string, 0, len(u.Labels))
	for _, k := range slices.Sorted(maps.Keys(u.Labels)) {
		labels = append(labels, k+"="+u.Labels[k])
	}
	return fmt.Sprintf("no node with the labels %s runs rooms of kind %s", strings.Join(labels, ","), u.Kind)
}

// Unhosted lists the kinds with a rule that no member may run at present, by name:
// an operator has forgotten a node, or a label.
func (d *Directory) Unhosted() (none []Unhosted) {
	view := d.cfg.Roster.View()
	for _, kind := range slices.Sorted(maps.Keys(d.cfg.Rules)) {
		if d.missing(kind, view) {
			none = append(none, d.unhosted(kind, view))
		}
	}
	return none
}

func (d *Directory) missing(kind string, view *roster.View) bool {
	return len(d.cfg.Rules[kind].able(kind, view)) == 0
}

// unhosted says what a kind without a host lacks: labels, if without them somebody
// would run it.
func (d *Directory) unhosted(kind string, view *roster.View) Unhosted {
	u := Unhosted{Kind: kind}
	if len((Rule{}).able(kind, view)) > 0 {
		u.Labels = d.cfg.Rules[kind].Labels
	}
	return u
}

// hostless is how long a search waits for a node that may run the kind. It is
// shorter than sessions wait for an answer, so that a caller is told what is wrong;
// a node that restarts, with no other to stand in, has that long.
const hostless = 4 * time.Second

// noHost is what a search says that meets nobody; nil: not yet, look again.
func (d *Directory) noHost(kind string, now time.Time) error {
	since, _ := d.bare.LoadOrStore(kind, now)
	if now.Sub(since.(time.Time)) < hostless {
		return nil
	}
	d.stats.noHost.Add(1)
	return protocol.Errorf(protocol.CodeUnavailable, "%v", d.unhosted(kind, d.cfg.Roster.View())).With(ErrNoHost)
}

// hosted forgets which kinds nobody ran, where somebody does by now.
func (d *Directory) hosted(view *roster.View) {
	for kind := range d.bare.Range {
		if !d.missing(kind.(string), view) {
			d.bare.Delete(kind)
		}
	}
}
