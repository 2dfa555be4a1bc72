package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The list must follow the code: a protection that has moved or gone is noticed
// here, at every check, and not when somebody runs the mutants.
func TestListFollowsTheCode(t *testing.T) {
	for _, m := range mutants {
		text, err := m.apply("../..")
		if err != nil {
			t.Errorf("%s: %v", m.fault, err)
			continue
		}
		if m.protection == m.without || text == "" {
			t.Errorf("%s: nothing is taken out", m.fault)
		}
		name, _, _ := strings.Cut(m.test, "/")
		if !hasTest(t, m.pkg, name) {
			t.Errorf("%s: there is no %s in %s", m.fault, name, m.pkg)
		}
	}
}

func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	decl := regexp.MustCompile(`(?m)^func ` + name + `\(t \*testing\.T\)`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if decl.Match(b) {
			return true
		}
	}
	return false
}
