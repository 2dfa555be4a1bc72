package view

import "strings"

// blocks fill a cell from an eighth to the whole.
var blocks = []rune("▁▂▃▄▅▆▇█")

// spark draws the latest values as bars, a column each, rows cells high, scaled
// to the largest of them. The top row comes first. A value above 0 is always
// seen.
func spark(values []float64, width, rows int) []string {
	values = values[max(0, len(values)-max(width, 0)):]
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	out := make([]string, rows)
	for row := range rows {
		var b strings.Builder
		below := (rows - 1 - row) * len(blocks) // eighths under this row
		for _, v := range values {
			b.WriteRune(cell(eighths(v, top, rows), below))
		}
		out[row] = b.String()
	}
	return out
}

// widen repeats every value.
func widen(values []float64, each int) []float64 {
	if each == 1 {
		return values
	}
	out := make([]float64, 0, len(values)*each)
	for _, v := range values {
		for range each {
			out = append(out, v)
		}
	}
	return out
}

// eighths is the height of a bar.
func eighths(v, top float64, rows int) int {
	if v <= 0 || top <= 0 {
		return 0
	}
	return max(1, int(v/top*float64(rows*len(blocks))+0.5))
}

// cell is the part of a bar that lies in one row.
func cell(height, below int) rune {
	switch rest := height - below; {
	case rest <= 0:
		return ' '
	case rest >= len(blocks):
		return blocks[len(blocks)-1]
	default:
		return blocks[rest-1]
	}
}

// bar draws how much of a width is done.
func bar(part float64, width int) string {
	full := min(width, max(0, int(part*float64(width)+0.5)))
	return strings.Repeat("█", full) + strings.Repeat("░", max(0, width-full))
}
