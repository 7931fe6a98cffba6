package ballotbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// HeldBallot is a ballot that a person should look at, with what was seen of it.
type HeldBallot struct {
	voting.Cast
	Level    string
	Evidence *antifraud.Evidence // nil once it has expired
	Finding  *Finding            // of the detectors; nil where they decided nothing, and once it has expired
	Appeal   []byte              // what its voter wrote, sealed; nil when nothing
}

// Place is where the ballot is in the queue.
func (h HeldBallot) Place() HeldPlace {
	return HeldPlace{h.Position.Millis, h.Ballot, h.Voter}
}

// HeldPlace is a place in the queue of held ballots: an instant, and a ballot, as
// several may have the same instant. The zero value is before the newest.
type HeldPlace struct {
	Millis int64
	Ballot uuid.UUID
	Voter  voting.Voter
}

// ErrHeldPlace is returned for a text that is no place in the queue.
var ErrHeldPlace = errors.New("no place among the held ballots")

// String is the place as callers hand it back.
func (p HeldPlace) String() string {
	return strconv.FormatInt(p.Millis, 10) + "-" + hex.EncodeToString([]byte(ballotField(p.Ballot, p.Voter)))
}

// ParseHeldPlace reads what String wrote.
func ParseHeldPlace(text string) (HeldPlace, error) {
	millis, member, _ := strings.Cut(text, "-")
	at, err1 := strconv.ParseUint(millis, 10, 53)
	raw, err2 := hex.DecodeString(member)
	p, ok := placeOf(string(raw), int64(at))
	if err1 != nil || err2 != nil || !ok || p.String() != text {
		return HeldPlace{}, ErrHeldPlace
	}
	return p, nil
}

func placeOf(member string, millis int64) (HeldPlace, bool) {
	const id, voter = len(uuid.UUID{}), len(voting.Voter{})
	if len(member) != id+voter {
		return HeldPlace{}, false
	}
	return HeldPlace{millis, uuid.UUID([]byte(member[:id])), voting.Voter([]byte(member[id:]))}, true
}

// Compare orders the queue: the newest first. Within an instant the order has no
// meaning but is always the same, and is the one that Redis reads backwards in.
func (p HeldPlace) Compare(q HeldPlace) int {
	return cmp.Or(cmp.Compare(q.Millis, p.Millis), bytes.Compare(q.Ballot[:], p.Ballot[:]), bytes.Compare(q.Voter[:], p.Voter[:]))
}

// heldPage is how many places one read of a box brings.
const heldPage = 500

// Held gives the held ballots behind a place, newest first, at most limit. The
// place of the last one goes on from there: a ballot that stays held is neither
// left out nor given twice.
func (b *Boxes) Held(ctx context.Context, s *registry.Stored, after HeldPlace, limit int) ([]HeldBallot, error) {
	if _, err := b.turnAll(ctx, s); err != nil { // finds a torn box
		return nil, fmt.Errorf("held ballots: %w", err)
	}
	found := make([][]HeldBallot, s.Contest.Boxes)
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) (err error) {
		found[box], err = b.heldIn(ctx, s, box, keys, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("held ballots: %w", err)
	}
	held, err := b.firstOf(ctx, s, found, limit)
	if err != nil {
		return nil, fmt.Errorf("held ballots: %w", err)
	}
	return held, nil
}

// firstOf are the newest of what the boxes gave, explained.
func (b *Boxes) firstOf(ctx context.Context, s *registry.Stored, found [][]HeldBallot, limit int) ([]HeldBallot, error) {
	ballots := slices.Concat(found...)
	slices.SortFunc(ballots, func(x, y HeldBallot) int { return x.Place().Compare(y.Place()) })
	ballots = ballots[:min(len(ballots), limit)]
	return ballots, b.explain(ctx, s, ballots)
}

// heldIn are the first held ballots of one box behind a place. What the index
// names and the box does not hold is left by a crash: see mend.
func (b *Boxes) heldIn(ctx context.Context, s *registry.Stored, box int, keys boxKeys, after HeldPlace, limit int) (held []HeldBallot, err error) {
	to := "+inf"
	if after != (HeldPlace{}) {
		to = strconv.FormatInt(after.Millis, 10)
	}
	for skip := int64(0); len(held) < limit; {
		places, err := b.store.Client().ZRevRangeByScoreWithScores(ctx, keys.held, &redis.ZRangeBy{Min: "-inf", Max: to, Offset: skip, Count: heldPage}).Result()
		if err != nil {
			return nil, store.Classify(err)
		}
		var behind []HeldPlace
		for _, z := range places {
			member, _ := z.Member.(string)
			place, ok := placeOf(member, int64(z.Score))
			if !ok {
				return nil, errors.New("corrupt ballot box: expected held ballots")
			}
			if after == (HeldPlace{}) || after.Compare(place) < 0 {
				behind = append(behind, place)
			}
		}
		page, err := b.standingAt(ctx, s, box, keys, behind, voting.Held)
		if err != nil {
			return nil, err
		}
		if held = append(held, page...); len(places) < heldPage {
			break
		}
		// On from the last place, and not by counting: ballots may leave meanwhile.
		// Only an instant with more ballots than a page is counted through.
		if skip += heldPage; len(behind) > 0 {
			after = behind[len(behind)-1]
			skip, to = 0, strconv.FormatInt(after.Millis, 10)
		}
	}
	return held[:min(len(held), limit)], nil
}

// standingAt are the ballots at places that have a standing now.
func (b *Boxes) standingAt(ctx context.Context, s *registry.Stored, box int, keys boxKeys, places []HeldPlace, standing voting.Standing) ([]HeldBallot, error) {
	if len(places) == 0 {
		return nil, nil
	}
	pipe := b.store.Client().Pipeline()
	reads := make([]*redis.StringCmd, len(places))
	for i, p := range places {
		reads[i] = pipe.HGet(ctx, keys.voters(p.Voter), ballotField(p.Ballot, p.Voter))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, store.Classify(err)
	}
	var found []HeldBallot
	for i, p := range places {
		value, err := reads[i].Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, store.Classify(err)
		}
		cast, err := parseBallot(value, s, box)
		if err != nil {
			return nil, err
		}
		if cast.Ballot, cast.Voter = p.Ballot, p.Voter; cast.Standing == standing {
			found = append(found, HeldBallot{Cast: cast})
		}
	}
	return found, nil
}

// explain adds evidence, findings and appeals to held ballots.
func (b *Boxes) explain(ctx context.Context, s *registry.Stored, held []HeldBallot) error {
	for from := 0; from < len(held); from += heldPage {
		page := held[from:min(from+heldPage, len(held))]
		pipe := b.store.Client().Pipeline()
		findings, appeals, at := make([]*redis.StringCmd, len(page)), make([]*redis.StringCmd, len(page)), make([]voting.Position, len(page))
		for i, h := range page {
			keys := keysOf(s.Contest.ID, h.Position.Box)
			at[i] = h.Position
			findings[i] = pipe.HGet(ctx, keys.findings, ballotField(h.Ballot, h.Voter))
			appeals[i] = pipe.HGet(ctx, keys.appeals, ballotField(h.Ballot, h.Voter))
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return store.Classify(err)
		}
		seen, err := b.seenAt(ctx, s, at)
		if err != nil {
			return err
		}
		for i := range page {
			if seen[i] != nil {
				page[i].Level, page[i].Evidence = seen[i].Level, &seen[i].Evidence
			}
			if page[i].Finding, err = parseFinding(findings[i]); err != nil {
				return err
			}
			appeal, err := appeals[i].Bytes()
			if err != nil && !errors.Is(err, redis.Nil) {
				return store.Classify(err)
			}
			if err == nil {
				page[i].Appeal = appeal
			}
		}
	}
	return nil
}
