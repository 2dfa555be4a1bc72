package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/shaddock-game/shaddock/actors"
)

// Do carries out what the command line asks for.
func (c Config) Do(ctx context.Context) error {
	if c.Task != nil {
		return c.Task(ctx, c)
	}
	return Run(ctx, c)
}

// routesFlags are those of the command routes.
type routesFlags struct {
	JSON bool `name:"json" env:"-" help:"As JSON, for tools."`
}

func (f *routesFlags) print(_ context.Context, cfg Config) error {
	table, err := Routes(cfg)
	if err != nil {
		return err
	}
	if !f.JSON {
		return writeRoutes(cfg.Out, table)
	}
	enc := json.NewEncoder(cfg.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(table)
}

// Routes returns all routes of a server of this configuration. It starts nothing:
// no listener, no component, no cluster.
func Routes(cfg Config) ([]actors.RouteInfo, error) {
	cfg.setDefaults()
	cfg.Cluster = Cluster{}
	s := &server{cfg: cfg}
	if err := s.register(); err != nil {
		return nil, err
	}
	defer s.actors.Close()
	if err := s.actors.Check(); err != nil {
		return nil, err
	}
	return s.actors.RouteTable(), nil
}

// writeRoutes writes one line for each route.
func writeRoutes(w io.Writer, table []actors.RouteInfo) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ROUTE\tFORM\tREQUEST\tREPLY\tNOTES")
	for _, r := range table {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Route, r.Form, typeOf(r.Request), typeOf(r.Reply), notes(r))
	}
	return tw.Flush()
}

func typeOf(t *actors.TypeInfo) string {
	if t == nil {
		return "-"
	}
	if len(t.Fields) == 0 {
		return t.Type
	}
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = f.Name + " " + f.Type
	}
	return fmt.Sprintf("%s{%s}", t.Type, strings.Join(fields, ", "))
}

// notes are what is special about a route.
func notes(r actors.RouteInfo) string {
	var words []string
	for _, n := range []struct {
		word string
		on   bool
	}{
		{"internal", r.Internal}, {"public", r.Public}, {"blocking", r.Blocking}, {"serial", r.Serial},
		{"limit " + r.Limit, r.Limit != ""}, {fmt.Sprintf("deadline %v", r.Deadline), r.Deadline > 0},
		{fmt.Sprintf("code %d", r.Code), r.Code > 0}, {r.Serializer, r.Serializer != "json"},
	} {
		if n.on {
			words = append(words, n.word)
		}
	}
	return strings.Join(words, ", ")
}
