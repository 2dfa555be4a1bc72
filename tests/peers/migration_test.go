package peers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// migrated are the packages of nano that MIGRATION.md has a row for each item of.
var migrated = []string{".", "session", "component", "pipeline", "scheduler", "serialize", "serialize/json", "serialize/protobuf"}

// TestMigrationTableIsComplete fails for an exported item of nano, methods and
// fields included, that no row of MIGRATION.md names, and for a row that names an
// item which does not exist.
func TestMigrationTableIsComplete(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/lonng/nano").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	want := make(map[string]bool)
	for _, pkg := range migrated {
		exported(t, filepath.Join(strings.TrimSpace(string(out)), pkg), want)
	}
	if len(want) < 100 {
		t.Fatalf("only %d exported items found", len(want))
	}
	have := rows(t, "../../MIGRATION.md")
	for _, item := range slices.Sorted(maps.Keys(want)) {
		if !have[item] {
			t.Errorf("no row for %s", item)
		}
	}
	for _, item := range slices.Sorted(maps.Keys(have)) {
		if !want[item] {
			t.Errorf("a row for %s, which nano does not have", item)
		}
	}
}

// rows returns the items that the first column of nano's tables names.
func rows(t *testing.T, file string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	nano, _, found := strings.Cut(string(b), "\n## From pitaya")
	if !found {
		t.Fatal("MIGRATION.md has no part about pitaya behind that about nano")
	}
	items := make(map[string]bool)
	for line := range strings.Lines(nano) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for i, word := range strings.Split(cells[1], "`") {
			if i%2 == 1 {
				items[word] = true
			}
		}
	}
	return items
}

// exported adds the exported items of the package in dir, as pkg.Name and
// pkg.Type.Member.
func exported(t *testing.T, dir string, into map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Go files: %v", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		pkg := f.Name.Name
		for _, d := range f.Decls {
			for _, name := range names(d) {
				into[path.Clean(pkg)+"."+name] = true
			}
		}
	}
}

// names returns the exported names that a declaration makes.
func names(d ast.Decl) (all []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() {
			return nil
		}
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		typ := d.Recv.List[0].Type
		if star, is := typ.(*ast.StarExpr); is {
			typ = star.X
		}
		if id, is := typ.(*ast.Ident); is && id.IsExported() {
			return []string{id.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.IsExported() {
						all = append(all, id.Name)
					}
				}
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					all = append(append(all, s.Name.Name), members(s)...)
				}
			}
		}
	}
	return all
}

// members returns the exported fields or methods of a type.
func members(s *ast.TypeSpec) (all []string) {
	var list *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, id := range f.Names {
			if id.IsExported() {
				all = append(all, s.Name.Name+"."+id.Name)
			}
		}
	}
	return all
}
