package scenario

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed builtin/*.yaml
var files embed.FS

// Builtins lists the names of the built-in scenarios, sorted.
func Builtins() []string {
	entries, err := files.ReadDir("builtin")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	slices.Sort(names)
	return names
}

// Builtin returns the text of a built-in scenario.
func Builtin(name string) ([]byte, error) {
	data, err := files.ReadFile("builtin/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no scenario %q; there are %s, or give a file", name, strings.Join(Builtins(), ", "))
	}
	return data, nil
}
