package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// headroom is what the heap may grow by between two collections at least: what is in
	// use is mostly what screening has counted, tens of megabytes that stay, and going
	// through it again and again for the short-lived rest costs more than memory is worth.
	headroom = 128 << 20

	// most and least are the share of what is in use that may come on top of it, in
	// percent: what a multitude of connections or ballots takes is not taken four times,
	// nor twice where headroom is enough. Below half the collector would be at it too often.
	most, least = 300, 50
)

// growth is how many percent of what is in use may come on top of it. The collector goes
// through stacks too and takes the percentage of them as well: with thousands of
// connections it is most of what would come on top.
func growth(live uint64) int {
	return int(min(max(headroom*100/max(live, 1), least), most))
}

// collectLater has the garbage collector wait while what is in use is little, until
// ctx ends. An operator's GOGC wins; GOMEMLIMIT bounds the heap all the same.
func collectLater(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(most)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for set := most; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(live)
		if now := growth(live[0].Value.Uint64() + live[1].Value.Uint64()); now != set {
			debug.SetGCPercent(now)
			set = now
		}
	}
}
