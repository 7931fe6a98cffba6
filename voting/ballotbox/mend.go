package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// ErrTorn is returned for a box whose ledger has records that were never
// committed and that cannot be told from the others.
var ErrTorn = errors.New("the ledger of a ballot box is damaged")

// mend takes uncommitted records out of a box. They come from a Redis that was
// killed while it wrote to its file: it may later run the beginning of the
// transaction it was writing (see commit in box.lua). Nobody was ever told of
// such a ballot, as the answer follows the write; its voter who asked again has
// another record, the true one.
func (b *Boxes) mend(ctx context.Context, s *registry.Stored, box int) error {
	keys := keysOf(s.Contest.ID, box)
	for ctx.Err() == nil {
		committed, err := b.store.Client().HGet(ctx, keys.meta, "offset").Int64()
		if err != nil {
			return fmt.Errorf("mend: %w", store.Classify(err))
		}
		ledger, torn, err := b.sift(ctx, keys, committed)
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		if len(torn) == 0 {
			return nil // another server was faster
		}
		hashes, args := repairs(s.Contest, keys, ledger, torn)
		args = append([]any{len(ledger) + len(torn), committed, torn[len(torn)-1].Position.Millis + 1}, args...)
		reply, err := b.mendScript.Run(ctx, append(keys.common(keys.evidence, keys.held), hashes...), args...).Slice()
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		if len(reply) == 1 && reply[0] == "mended" {
			return b.settleTorn(ctx, s, torn)
		}
	}
	return fmt.Errorf("mend: %w", ctx.Err())
}

// sift reads a box's ledger and tells committed records from torn ones. Offsets
// count committed records: where one comes again, the earlier records from it on
// were not committed, and neither were those past the box's own offset.
func (b *Boxes) sift(ctx context.Context, keys boxKeys, committed int64) (ledger, torn []voting.Record, err error) {
	drop := func(from int64) {
		n := len(ledger)
		for n > 0 && ledger[n-1].Position.Offset >= from {
			n--
		}
		torn = append(torn, ledger[n:]...)
		ledger = ledger[:n]
	}
	t := &track{client: b.store.Client(), key: keys.ledger, from: "-", to: "+"}
	for {
		if err := t.fill(ctx); err != nil {
			return nil, nil, err
		}
		if len(t.page) == 0 {
			break
		}
		for _, r := range t.page {
			drop(r.Position.Offset)
			ledger = append(ledger, r)
		}
		t.page = nil
	}
	drop(committed + 1)
	if len(torn) > 0 && int64(len(ledger)) != committed {
		return nil, nil, fmt.Errorf("%w: %d records make sense, %d were committed", ErrTorn, len(ledger), committed)
	}
	return ledger, torn, nil
}

// Where they are in the keys of mend.lua, after the common ones and evidence.
const heldKey, firstHash = 6, 7

// repairs are the keys and arguments of mend.lua: the tally as the ledger folds,
// and the ballots and voters that torn records name as the ledger has them.
func repairs(c *contest.Contest, keys boxKeys, ledger, torn []voting.Record) (hashes []string, args []any) {
	type ballotKey struct {
		voter  voting.Voter
		ballot uuid.UUID
	}
	fold, ballots, casts := voting.NewFold(), map[ballotKey]voting.Record{}, map[voting.Voter][]voting.Record{}
	named, into := map[ballotKey]bool{}, map[voting.Voter]voting.Voter{}
	for _, r := range torn {
		if r.NamesBallot() {
			named[ballotKey{r.Voter, r.Ballot}] = true
		}
		if r.Voter != (voting.Voter{}) {
			casts[r.Voter] = nil
		}
	}
	last := map[ballotKey]voting.Record{}
	for _, r := range ledger {
		fold.Add(r)
		key := ballotKey{r.Voter, r.Ballot}
		if _, wanted := casts[r.Voter]; !wanted {
			continue
		}
		if r.Kind == voting.KindJoin {
			into[r.Voter] = r.Into
		}
		if !r.NamesBallot() {
			continue
		}
		if last[key] = r; r.Kind == voting.KindCast {
			ballots[key] = r
			casts[r.Voter] = append(casts[r.Voter], r)
		}
	}

	args = append(args, len(torn))
	for _, r := range torn {
		args = append(args, fmt.Sprintf("%d-%d", r.Position.Millis, r.Position.Offset))
	}
	tally := tallyFields(c, fold.Tally())
	args = append(append(args, len(tally)), tally...)

	repair := func(hash, field, value string) {
		args = append(args, firstHash+len(hashes), field, value)
		hashes = append(hashes, hash)
	}
	for key := range named {
		value, score := "", ""
		if cast, there := ballots[key]; there {
			value = ballotText(cast, last[key])
			if last[key].Standing == voting.Held {
				score = strconv.FormatInt(cast.Position.Millis, 10)
			}
		}
		repair(keys.ballots(key.ballot), ballotField(key.ballot, key.voter), value)
		args = append(args, heldKey, ballotField(key.ballot, key.voter), score)
	}
	for voter, cast := range casts {
		withdrawn := func(r voting.Record) bool {
			return last[ballotKey{r.Voter, r.Ballot}].Standing == voting.Withdrawn
		}
		value := turnsText(c, cast, withdrawn)
		if other, joined := into[voter]; joined {
			value = joinedText(other, cast)
		}
		repair(keys.voters(voter), string(voter[:]), value)
	}
	return hashes, args
}

// tallyFields is a tally as the scripts keep it.
func tallyFields(c *contest.Contest, t *voting.Tally) (fields []any) {
	for entry, n := range t.Votes {
		fields = append(fields, entry, n)
		if c.Scoring.Ties == contest.TiesEarliest {
			fields = append(fields, entry+"/last", t.Last[entry])
		}
	}
	for entry, n := range t.Home {
		fields = append(fields, entry+"/home", n)
	}
	return append(fields, "/held", t.Held, "/void", t.Void, "/withdrawn", t.Withdrawn)
}

// periodStart is when the period of an instant began, in ms; 0 for `contest`.
func periodStart(c *contest.Contest, at time.Time) (start int64) {
	for _, bound := range c.Periods(at) {
		if !bound.After(at) {
			start = bound.UnixMilli()
		}
	}
	return start
}

// mendTime bounds a mending: a ledger of a million records is read in seconds.
const mendTime = 30 * time.Second
