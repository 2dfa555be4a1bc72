// Command mutants takes the protections of list.go out of the code, one at a time,
// and wants the test that is named beside each to fail: a test that passes without
// what it tests is worth nothing. The code itself is not touched; the compiler is
// given other files in place of the real ones.
//
//	go run ./tests/mutants            all of them, some minutes
//	go run ./tests/mutants -only ack  those whose fault or file contains "ack"
//	go run ./tests/mutants -list      what there is, without running anything
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "run the mutants whose fault, file or test contains this")
	show := flag.Bool("list", false, "print the mutants and end")
	root := flag.String("root", ".", "the module's folder")
	flag.Parse()
	if err := run(*root, *only, *show); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(root, only string, show bool) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	chosen := matching(only)
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant matches %q", only)
	}
	if show {
		for _, m := range chosen {
			fmt.Printf("%-70s %s %s\n", m.fault, m.pkg, m.test)
		}
		return nil
	}
	if err := intact(root, chosen); err != nil {
		return err
	}
	failed := 0
	for i, m := range chosen {
		begun := time.Now()
		word := "caught"
		switch caught, err := m.try(root); {
		case err != nil:
			word = "BROKEN"
			failed++
			fmt.Fprintln(os.Stderr, err)
		case !caught:
			word = "SURVIVED"
			failed++
		}
		fmt.Printf("%2d/%d %-8s %5.1fs  %s · %s: %s\n", i+1, len(chosen), word, time.Since(begun).Seconds(), m.fault, m.file, m.test)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d mutants were not caught: their tests do not test what they say, or they do not build", failed, len(chosen))
	}
	fmt.Printf("all %d mutants were caught by the tests named\n", len(chosen))
	return nil
}

func matching(only string) (chosen []mutant) {
	for _, m := range mutants {
		if strings.Contains(m.fault+" "+m.file+" "+m.test, only) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// intact wants every named test to pass while nothing is taken out.
func intact(root string, chosen []mutant) error {
	tests := map[string][]string{}
	for _, m := range chosen {
		tests[m.pkg] = append(tests[m.pkg], m.test)
	}
	for pkg, names := range tests {
		for i, name := range names {
			names[i], _, _ = strings.Cut(name, "/")
		}
		out, failed, err := goTest(root, pkg, "^("+strings.Join(names, "|")+")$", "")
		if err != nil {
			return err
		}
		if failed {
			return fmt.Errorf("%s fails as it is:\n%s", pkg, out)
		}
		for _, name := range names {
			if !strings.Contains(out, "--- PASS: "+name) {
				return fmt.Errorf("%s has no test %s that ran", pkg, name)
			}
		}
	}
	return nil
}

// try reports whether the mutant's test notices it.
func (m *mutant) try(root string) (caught bool, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	text, err := m.apply(root)
	if err != nil {
		return false, err
	}
	other := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
		return false, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): other}})
	if err != nil {
		return false, err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return false, err
	}
	out, failed, err := goTest(root, m.pkg, exactly(m.test), list)
	switch {
	case err != nil:
		return false, err
	case failed && !noticed.MatchString(out):
		return false, fmt.Errorf("the mutant does not build or run:\n%s", out)
	}
	return failed, nil
}

// noticed matches how a test run ends that failed because of what it saw: a test
// that failed, a crash of the program, or a test that never ended.
var noticed = regexp.MustCompile(`--- FAIL: |panic: |fatal error: |test timed out`)

func exactly(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// patience is how long a test may hang before that counts as noticed.
const patience = 90 * time.Second

func goTest(root, pkg, pattern, overlay string) (out string, failed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout", patience.String(), "-run", pattern, "-overlay", overlay, pkg)
	cmd.Dir = root
	b, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ctx.Err() == nil {
		return string(b), true, nil
	}
	return string(b), false, err
}

// apply returns the file without the protection.
func (m *mutant) apply(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), m.protection); n != 1 {
		return "", fmt.Errorf("%s has the protection %d times, want once: %q", m.file, n, m.protection)
	}
	return strings.Replace(string(b), m.protection, m.without, 1), nil
}
