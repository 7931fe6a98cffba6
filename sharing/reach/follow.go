package reach

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// linksPage is how many links one read brings.
const linksPage = 1000

// followLinks gives f every code and link that changed since a place, and returns
// the place to go on from: see place.lua. What changed at that very place comes again.
func (r *Reach) followLinks(ctx context.Context, contestID string, since int64, f *sharing.Fold) (int64, error) {
	k, client := keysOf(contestID), r.store.Client()
	page := int64(linksPage)
	for {
		// By score and not by rank: what changes meanwhile moves to the end.
		found, err := client.ZRangeByScoreWithScores(ctx, k.recent, &redis.ZRangeBy{Min: strconv.FormatInt(since, 10), Max: "+inf", Count: page}).Result()
		if err != nil {
			return since, fmt.Errorf("links: %w", store.Classify(err))
		}
		if err := r.readLinks(ctx, k, found, f); err != nil {
			return since, fmt.Errorf("links: %w", err)
		}
		whole := int64(len(found)) < page
		if len(found) > 0 {
			last := int64(found[len(found)-1].Score)
			if last == since { // more at one place than a page holds
				page *= 2
			}
			since = last
		}
		if whole {
			return since, nil
		}
	}
}

func (r *Reach) readLinks(ctx context.Context, k keys, found []redis.Z, f *sharing.Fold) error {
	if len(found) == 0 {
		return nil
	}
	vias, codes := make([]string, len(found)), make([]string, len(found))
	for i, z := range found {
		vias[i], _ = z.Member.(string)
		codes[i], _, _ = strings.Cut(vias[i], "-")
	}
	pipe := r.store.Client().Pipeline()
	kept, given, visits := pipe.HMGet(ctx, k.codes, codes...), pipe.HMGet(ctx, k.given, vias...), pipe.HMGet(ctx, k.visits, vias...)
	if _, err := pipe.Exec(ctx); err != nil {
		return store.Classify(err)
	}
	for i, text := range vias {
		n, err := openings(visits.Val()[i])
		if err != nil {
			return err
		}
		if page, ok := strings.CutPrefix(text, pageMark); ok {
			f.Framed(page, n)
			continue
		}
		via, err := sharing.ParseVia(text)
		if err != nil {
			return fmt.Errorf("corrupt shares: %q: %w", text, err)
		}
		if text, _ := kept.Val()[i].(string); text != "" {
			record, err := parseRecord(text)
			if err != nil {
				return err
			}
			record.Code = via.Code
			f.Made(record)
		}
		f.Opened(via, n, given.Val()[i] != nil)
	}
	return nil
}

// openings reads a count as visit.lua writes it, with the name of the last one.
func openings(value any) (int64, error) {
	text, _ := value.(string)
	if text == "" {
		return 0, nil
	}
	count, _, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return 0, errors.New("corrupt shares: openings are no number")
	}
	return n, nil
}

// parseRecord reads owner|made|school|entry, as mint.lua writes it.
func parseRecord(text string) (sharing.Record, error) {
	parts := strings.Split(text, "|")
	if len(parts) != 4 {
		return sharing.Record{}, errors.New("corrupt shares: expected a code's record")
	}
	var owner voting.Voter
	made, err := strconv.ParseInt(parts[1], 10, 64)
	if err = errors.Join(err, owner.UnmarshalText([]byte(parts[0]))); err != nil {
		return sharing.Record{}, fmt.Errorf("corrupt shares: %w", err)
	}
	return sharing.Record{Owner: owner, Made: time.UnixMilli(made), School: parts[2]}, nil
}
