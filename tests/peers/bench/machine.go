package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine says where numbers come from: without it they mean nothing.
type machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	Kernel      string `json:"kernel"`
	Go          string `json:"go"`
	Commit      string `json:"commit"`
	LoadAverage string `json:"load_average_before"`
}

// describe reads the machine and the commit checked out in root; what cannot be
// read is "unknown".
func describe(root string) machine {
	return machine{
		CPU:         cpuModel(),
		Cores:       runtime.NumCPU(),
		Kernel:      runtime.GOOS + " " + firstField("/proc/sys/kernel/osrelease"),
		Go:          runtime.Version(),
		Commit:      commit(root),
		LoadAverage: firstField("/proc/loadavg"),
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores of %s · %s · %s · commit %s · load average before %s",
		m.Cores, m.CPU, m.Kernel, m.Go, m.Commit, m.LoadAverage)
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // empty elsewhere than Linux
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + runtime.GOARCH
}

func firstField(file string) string {
	b, _ := os.ReadFile(file)
	if f := strings.Fields(string(b)); len(f) > 0 {
		return f[0]
	}
	return "unknown"
}

func commit(root string) string {
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		out, _ := cmd.Output()
		return strings.TrimSpace(string(out))
	}
	id := git("rev-parse", "--short", "HEAD")
	if id == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--untracked-files=no") != "" {
		id += " with changes"
	}
	return id
}
