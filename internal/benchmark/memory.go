package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

const (
	castsAtOnce = 256
	fewVoters   = 10_000 // what a cast with many voters is compared with
	looked      = 10_000 // casts whose processor time is compared, beside each other
	times       = 7
)

// memory measures what so many voters of one ballot each take in Redis once the
// streams of ledger and evidence are swept, and whether casts become slower by them.
func memory(ctx context.Context, dir string, voters int, out io.Writer) error {
	few, err := newPile(ctx, dir)
	if err != nil {
		return err
	}
	defer few.close()
	many, err := newPile(ctx, dir)
	if err != nil {
		return err
	}
	defer many.close()
	empty, err := many.used(ctx)
	if err != nil {
		return err
	}
	for pile, n := range map[*pile]int{few: fewVoters, many: voters} {
		if err := pile.cast(ctx, n); err != nil {
			return err
		}
	}
	full, err := many.used(ctx)
	if err != nil {
		return err
	}

	var fewTimes, manyTimes []time.Duration
	for range times { // in turns, as the machine may be busy with more
		for pile, into := range map[*pile]*[]time.Duration{few: &fewTimes, many: &manyTimes} {
			used, err := pile.processorTimeOf(ctx, looked)
			if err != nil {
				return err
			}
			*into = append(*into, used)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "voters of one ballot each\t%d\n", voters)
	for n, times := range map[int][]time.Duration{fewVoters: fewTimes, voters: manyTimes} {
		fmt.Fprintf(w, "us of Redis a cast, with %d voters\t%.1f\n", n, middle(times).Seconds()*1e6/looked)
	}
	perVoter := float64(full-empty) / float64(voters)
	for _, g := range []goal{
		atMost("bytes a voter, streams swept", 120, perVoter),
		atLeast(fmt.Sprintf("casts for the same processor time of Redis, against %d voters", fewVoters), 0.9, middle(fewTimes).Seconds()/middle(manyTimes).Seconds()),
	} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", g.what, g.got, g.wanted, g.verdict())
	}
	return w.Flush()
}

// pile is a Redis with the voters of one contest.
type pile struct {
	*server
	client *redis.Client
	store  *store.Store
	boxes  *ballotbox.Boxes
	stored *registry.Stored
}

func newPile(ctx context.Context, dir string) (*pile, error) {
	p := &pile{}
	c, err := contest.Parse([]byte(document()))
	if err != nil {
		return nil, err
	}
	p.stored = &registry.Stored{Contest: c, Version: 1, Epoch: 1}
	if p.server, err = startRedis(ctx, dir, "everysec"); err != nil {
		return nil, err
	}
	if p.store, err = store.Open(ctx, store.Options{URL: "redis://" + p.addr, Timeout: time.Minute}); err != nil {
		_ = stop(p.Cmd)
		return nil, err
	}
	p.client = redis.NewClient(&redis.Options{Addr: p.addr})
	p.boxes = ballotbox.New(p.store)
	if err := p.boxes.Configure(ctx, p.stored); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pile) close() {
	_ = p.client.Close()
	_ = p.store.Close()
	_ = stop(p.Cmd)
}

// cast casts a ballot of each of n new voters, without evidence worth counting.
func (p *pile) cast(ctx context.Context, n int) error {
	var next atomic.Int64
	casting, ctx := errgroup.WithContext(ctx)
	for range castsAtOnce {
		casting.Go(func() error {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				o, err := p.boxes.Cast(ctx, p.stored, voting.Ballot{
					ID: uuid.New(), Voter: voting.Voter(uuid.New()), Entry: entryID(i % entries), Standing: voting.Counted, Level: "partner",
				})
				if err != nil || o.Refused != "" {
					return fmt.Errorf("ballot %d: refused %q, %w", i, o.Refused, err)
				}
			}
			return nil
		})
	}
	return casting.Wait()
}

// used is how much memory is used, the streams without their entries: those are on
// disk once they are swept.
func (p *pile) used(ctx context.Context) (bytes int64, err error) {
	box := fmt.Sprintf("joute:{%s/0}:", contestID)
	if err := p.client.XTrimMaxLen(ctx, box+"evidence", 0).Err(); err != nil {
		return 0, err
	}
	swept, err := p.client.XTrimMaxLen(ctx, box+"ledger", 0).Result()
	if err != nil {
		return 0, err
	}
	// As who sweeps says it: a box whose records are neither there nor swept is torn.
	if err := p.client.HIncrBy(ctx, box+"meta", "trimmed", swept).Err(); err != nil {
		return 0, err
	}
	info, err := p.client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if n, ok := strings.CutPrefix(line, "used_memory:"); ok {
			_, err = fmt.Sscan(n, &bytes)
		}
	}
	return bytes, err
}

// processorTimeOf is what Redis takes for n more casts.
func (p *pile) processorTimeOf(ctx context.Context, n int) (time.Duration, error) {
	before, err := processorTime(p.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := p.cast(ctx, n); err != nil {
		return 0, err
	}
	after, err := processorTime(p.Process.Pid)
	return after - before, err
}
