package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// row is one line of the table.
type row struct {
	name    string
	measure func(ctx context.Context, requests int) (sample, error)
	samples []sample
}

// The rows, in their order.
const (
	rowEmpty = iota
	rowPlain
	rowEverysec
	rowAlways
	rowScript
)

// start starts what is measured. end ends it, also after an error.
func start(ctx context.Context, dir, joute string) (rows []*row, end func(), err error) {
	var started []*server
	end = func() {
		for _, s := range slices.Backward(started) {
			_ = stop(s.Cmd) // it measures nothing any more, however it ends
		}
	}
	own := "/proc/self/exe"
	empty, err := startServer(command(ctx, own, "-serve", "empty"))
	if err != nil {
		return nil, end, err
	}
	started = append(started, empty)
	var redises [4]*server
	for i, appendfsync := range []string{"everysec", "everysec", "always", "everysec"} {
		if redises[i], err = startRedis(ctx, dir, appendfsync); err != nil {
			return nil, end, err
		}
		started = append(started, redises[i])
	}
	plain, err := startServer(command(ctx, own, "-serve", "plain", "-redis", redises[0].addr))
	if err != nil {
		return nil, end, err
	}
	started = append(started, plain)
	everysec, err := startJoute(ctx, joute, dir, redises[1], "--unsafe-store")
	if err != nil {
		return nil, end, err
	}
	started = append(started, everysec)
	always, err := startJoute(ctx, joute, dir, redises[2])
	if err != nil {
		return nil, end, err
	}
	started = append(started, always)
	script, err := record(ctx, redises[3].addr)
	if err != nil {
		return nil, end, err
	}
	return []*row{
		rowEmpty:    {name: "(1) fiber, an empty POST", measure: load(emptyPosts, empty, nil)},
		rowPlain:    {name: "(2) fiber and go-redis, one script a request", measure: load(plainCasts, plain, redises[0])},
		rowEverysec: {name: "(3) joute, a ballot, everysec", measure: load(ballots, everysec, redises[1])},
		rowAlways:   {name: "(4) joute, a ballot, always", measure: load(ballots, always, redises[2])},
		rowScript: {name: fmt.Sprintf("(5) its script alone, %d ballots a call, pipelined", together), measure: func(ctx context.Context, n int) (sample, error) {
			return measured(nil, redises[3], func() (sample, error) { return script.run(ctx, redises[3].addr, n) })
		}},
	}, end, nil
}

// load measures a server that answers 201 to requests made by make, which are made
// before.
func load(make func(n int) ([][]byte, error), s, redis *server) func(context.Context, int) (sample, error) {
	return func(_ context.Context, n int) (sample, error) {
		requests, err := make(n)
		if err != nil {
			return sample{}, err
		}
		return measured(s, redis, func() (sample, error) { return send(s.addr, requests, "201") })
	}
}

// measured adds to a sample the processor time that a server and its Redis took for
// it; either may be nil.
func measured(s, redis *server, run func() (sample, error)) (sample, error) {
	used := func() (times [2]time.Duration, err error) {
		for i, one := range []*server{s, redis} {
			if one != nil && err == nil {
				times[i], err = processorTime(one.Process.Pid)
			}
		}
		return times, err
	}
	before, err := used()
	if err != nil {
		return sample{}, err
	}
	result, err := run()
	if err != nil {
		return sample{}, err
	}
	after, err := used()
	if err != nil {
		return sample{}, fmt.Errorf("processor time: %w", err)
	}
	result.server, result.redis = after[0]-before[0], after[1]-before[1]
	return result, nil
}
