package main

import "time"

// histogram counts delays in steps of a tenth of a millisecond, up to ten seconds.
type histogram struct {
	counts [100_000]uint32
	n      uint64
	most   time.Duration
}

const histogramStep = 100 * time.Microsecond

func (h *histogram) add(d time.Duration) {
	h.counts[min(max(d, 0)/histogramStep, time.Duration(len(h.counts)-1))]++
	h.n++
	h.most = max(h.most, d)
}

// merge adds what o has counted.
func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.most = max(h.most, o.most)
}

// quantile returns the delay in milliseconds that the part q stayed within.
func (h *histogram) quantile(q float64) float64 {
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); n > 0 && float64(seen) >= q*float64(h.n) {
			return float64(i+1) * float64(histogramStep) / 1e6
		}
	}
	return 0
}
