package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	fewVoters = 10_000 // what casts with many voters are compared with
	portion   = 20_000 // ballots made at once
	looked    = 4_000  // casts that are compared, beside each other: few enough for few voters to stay few
	times     = 11
)

// memory measures what so many voters of one ballot each take in Redis once their
// records and evidence are on disk, and whether casts become slower by them. All
// ballots are cast as in the table's third row.
func memory(ctx context.Context, dir, joute string, voters int, out io.Writer) error {
	few, err := newPile(ctx, dir, joute)
	if err != nil {
		return err
	}
	defer few.close()
	many, err := newPile(ctx, dir, joute)
	if err != nil {
		return err
	}
	defer many.close()
	empty, _, err := many.used(ctx)
	if err != nil {
		return err
	}
	for pile, n := range map[*pile]int{few: fewVoters, many: voters} {
		for cast := 0; cast < n; cast += portion {
			if _, err := pile.cast(ctx, min(portion, n-cast)); err != nil {
				return err
			}
			if pile == many {
				fmt.Fprintf(os.Stderr, "\r%d of %d voters", cast, n)
			}
		}
	}
	fmt.Fprintf(os.Stderr, "\r%30s\r", "")
	full, told, err := many.used(ctx)
	if err != nil {
		return err
	}
	rows := []*row{{name: fmt.Sprintf("(3) with %d voters", fewVoters)}, {name: fmt.Sprintf("(3) with %d voters", voters)}}
	piles := []*pile{few, many}
	for round := range times { // in turns, as the machine may be busy with more, and who was first is next
		for turn := range piles {
			i := (round + turn) % len(piles)
			pile := piles[i]
			s, err := pile.cast(ctx, looked)
			if err != nil {
				return err
			}
			rows[i].samples = append(rows[i].samples, s)
			if _, _, err := pile.used(ctx); err != nil { // once it has nothing left to do
				return err
			}
		}
	}
	if err := table(out, rows, times, looked); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w)
	fmt.Fprintf(w, "MB beside them, of what servers told each other last\t%.1f\n", float64(told)/1e6)
	for _, g := range []goal{
		atMost("bytes a voter in Redis, records and evidence on disk", 120, float64(full-empty)/float64(voters)),
		atLeast(fmt.Sprintf("casts/s, against %d voters", fewVoters), 0.9, ratio(rows[1], rows[0])),
	} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", g.what, g.got, g.wanted, g.verdict())
	}
	return w.Flush()
}

// pile is a joute, its Redis, and the voters of one contest in it.
type pile struct {
	redis, joute *server
	client       *redis.Client
}

func newPile(ctx context.Context, dir, joute string) (p *pile, err error) {
	p = &pile{}
	if p.redis, err = startRedis(ctx, dir, "everysec"); err != nil {
		return nil, err
	}
	if p.joute, err = startJoute(ctx, joute, dir, p.redis, "--unsafe-store"); err != nil {
		return nil, errors.Join(err, stop(p.redis.Cmd))
	}
	p.client = redis.NewClient(&redis.Options{Addr: p.redis.addr})
	return p, nil
}

func (p *pile) close() {
	_ = p.client.Close()
	_ = stop(p.joute.Cmd) // they measure nothing any more, however they end
	_ = stop(p.redis.Cmd)
}

// cast casts a ballot of each of n new voters.
func (p *pile) cast(ctx context.Context, n int) (sample, error) {
	return load(ballots, p.joute, p.redis)(ctx, n)
}

// used is how much memory Redis uses once joute has moved all there is to disk, without
// what servers tell each other of the last minutes, which is apart: it expires ten
// minutes after a rush, and is bounded, however many voters there are.
func (p *pile) used(ctx context.Context) (bytes, told int64, err error) {
	box := fmt.Sprintf("joute:{%s/0}:", contestID)
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		left := int64(0)
		for _, stream := range []string{"ledger", "evidence"} {
			n, err := p.client.XLen(ctx, box+stream).Result()
			if err != nil {
				return 0, 0, err
			}
			left += n
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			return 0, 0, fmt.Errorf("%d entries stay in the streams", left)
		}
	}
	info, err := p.client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(info) {
		if n, ok := strings.CutPrefix(line, "used_memory:"); ok {
			_, err = fmt.Sscan(n, &bytes)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	told, err = p.client.MemoryUsage(ctx, "joute:{"+contestID+"/windows}", 0).Result()
	if errors.Is(err, redis.Nil) {
		told, err = 0, nil
	}
	return bytes - told, told, err
}
