package swarm

import (
	"slices"
	"testing"
)

// Every process cuts at the same moments, whenever it hears of the beginning.
func TestCutsAreAtWholeSecondsAndAtTheEndsOfPhases(t *testing.T) {
	for _, heard := range []int{0, 1, 2} { // after how many cuts the order came
		var c cutter
		const epoch, begin, measure, end = 500, 500 + 3*second - 200, 500 + 4*second, 500 + 5*second + 300
		c.start(epoch)
		var got []int64
		for i := range 8 {
			if i == heard {
				c.add(begin, measure, end)
			}
			got = append(got, c.to)
			c.next(c.to)
		}
		want := []int64{
			epoch + second, epoch + 2*second, begin, begin + second, measure, measure + second, end, end + second,
		}
		if !slices.Equal(got, want) {
			t.Errorf("heard after %d cuts: cuts at %v, want %v", heard, got, want)
		}
	}
}
