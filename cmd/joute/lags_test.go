package main

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// lags are, for each reader and each ballot, how long after the ballot's answer
// a frame with it had come; missing is how many never came. Ballots are in the
// order of the ledger. A frame may be there before the answer: that is 0.
func (c *audience) lags(ballots []accepted) (lags []time.Duration, missing int) {
	for _, f := range c.readers {
		f.mu.Lock()
		k := 0
		for _, b := range ballots {
			for k < len(f.frames) && f.frames[k].offset < b.offset {
				k++
			}
			if k == len(f.frames) {
				missing++
				continue
			}
			lags = append(lags, max(0, f.frames[k].at.Sub(b.at)))
		}
		f.mu.Unlock()
	}
	return lags, missing
}

// spread is, for each frame that came, how long after the first reader the last
// one had it: what the fan-out takes, without what the frame waited for.
func (c *audience) spread() (spread []time.Duration) {
	first, last := map[int64]time.Time{}, map[int64]time.Time{}
	for _, f := range c.readers {
		f.mu.Lock()
		seen := int64(-1)
		for _, a := range f.frames {
			if a.offset == seen { // the same ballots, but another trend
				continue
			}
			seen = a.offset
			if at, ok := first[a.offset]; !ok || a.at.Before(at) {
				first[a.offset] = a.at
			}
			if a.at.After(last[a.offset]) {
				last[a.offset] = a.at
			}
		}
		f.mu.Unlock()
	}
	for offset, at := range first {
		spread = append(spread, last[offset].Sub(at))
	}
	return spread
}

// metric is what the server says of itself.
func (r *running) metric(name string) float64 {
	r.t.Helper()
	answer, err := http.Get(r.url + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			return n
		}
	}
	r.t.Fatalf("no metric %s", name)
	return 0
}
