//go:build !linux

// Command bare needs Linux: it measures that kernel's write(2).
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bare: runs on Linux only")
	os.Exit(1)
}
