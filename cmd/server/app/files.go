package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// fileSettings reads the file of --config. A key that is no flag is an error: a
// setting with a typing mistake must not be ignored.
func fileSettings(path string, model *kong.Application) (kong.Resolver, error) {
	var values map[string]any
	if err := readYAML("--config", path, &values); err != nil {
		return nil, err
	}
	var known []string
	for _, group := range model.AllFlags(true) {
		for _, f := range group {
			known = append(known, f.Name)
		}
	}
	for key := range values {
		if !slices.Contains(known, key) || key == "config" || key == "help" || key == "version" {
			return nil, fmt.Errorf("--config %s: no setting is called %q: the keys are the flag names, see --help", path, key)
		}
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		for _, name := range f.Envs { // the environment stands above the file
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		v, ok := values[f.Name]
		if list, is := v.([]any); is {
			return commaList(list), nil
		}
		if !ok {
			return nil, nil
		}
		return fmt.Sprint(v), nil
	}), nil
}

func commaList(list []any) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ",")
}

// readDict reads a route dictionary; what the codes may be is checked at start.
func readDict(path string) (map[string]uint16, error) {
	var dict map[string]uint16
	return dict, readYAML("--dict", path, &dict)
}

// readYAML reads a YAML or JSON file that a flag names. The error is one line.
func readYAML(flag, path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if err := yaml.UnmarshalWithOptions(b, v, yaml.Strict()); err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			return fmt.Errorf("%s %s line %d: %s", flag, path, at.GetToken().Position.Line, at.GetMessage())
		}
		return fmt.Errorf("%s %s: %w", flag, path, err)
	}
	return nil
}
