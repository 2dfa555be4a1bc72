package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid is a small table: the first column to the left, numbers to the right.
type grid struct {
	head []string
	rows [][]string
	left int // columns aligned to the left: the first so many, and a text at the end
	tail bool
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) widths() []int {
	w := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

func (g *grid) isLeft(i int) bool { return i < g.left || g.tail && i == len(g.head)-1 }

// write prints columns separated by two spaces.
func (g *grid) write(w io.Writer) {
	widths := g.widths()
	for _, row := range append([][]string{g.head}, g.rows...) {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if g.isLeft(i) {
				b.WriteString(cell + pad)
			} else {
				b.WriteString(pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// markdown prints the same as a Markdown table.
func (g *grid) markdown(w io.Writer) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(g.head)
	rule := make([]string, len(g.head))
	for i := range rule {
		rule[i] = "---:"
		if g.isLeft(i) {
			rule[i] = "---"
		}
	}
	line(rule)
	for _, row := range g.rows {
		line(row)
	}
}
