package tests

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/shaddock-game/shaddock/"

// arrows is the import table of ARCHITECTURE.md: the longest prefix that
// matches a package says which packages of the module it may import. A folder
// may always import what lies below itself.
var arrows = map[string][]string{
	"protocol":       {},
	"transport":      {"protocol"},
	"actors":         {"protocol"},
	"rooms":          {"actors", "protocol"},
	"cmd/server":     {"cmd/server/app"},
	"cmd/server/app": {"protocol", "transport", "actors", "rooms", "cmd/server/web"},
	"cmd/server/web": {},
	"cmd/bot":        {"protocol", "transport"},
	"tests":          {"protocol", "transport", "actors", "rooms", "cmd/server"},
}

// TestLayers fails on every import between packages of the module that is not
// in the table. A new arrow is a decision: make it here and in ARCHITECTURE.md.
func TestLayers(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("decode package list: %v", err)
		}
		checkImports(t, p.ImportPath, p.Imports)
		checkImports(t, p.ImportPath, p.TestImports)
		checkImports(t, p.ImportPath, p.XTestImports)
	}
	if seen < len(arrows)-1 {
		t.Fatalf("go list named %d packages, the table has %d rows: is the table stale?", seen, len(arrows))
	}
}

func checkImports(t *testing.T, path string, imports []string) {
	t.Helper()
	pkg, ours := strings.CutPrefix(path, module)
	if !ours {
		t.Fatalf("package %s lies outside of every folder of the layout", path)
	}
	row, ok := rowOf(pkg)
	if !ok {
		t.Errorf("%s has no row in the table of layers", pkg)
		return
	}
	for _, imp := range imports {
		target, ours := strings.CutPrefix(imp, module)
		if !ours || under(target, row) {
			continue
		}
		if !slices.ContainsFunc(arrows[row], func(a string) bool { return under(target, a) }) {
			t.Errorf("%s imports %s: no such arrow in the table of layers", pkg, target)
		}
	}
}

// rowOf returns the most specific row that governs pkg.
func rowOf(pkg string) (row string, ok bool) {
	for r := range arrows {
		if under(pkg, r) && len(r) >= len(row) {
			row, ok = r, true
		}
	}
	return row, ok
}

func under(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}
