package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// repairs are the keys and arguments of mend.lua: the tally as the ledger folds,
// and the ballots and voters that torn records name as the ledger has them.
func repairs(c *contest.Contest, keys boxKeys, ledger, torn []voting.Record) (hashes []string, args []any) {
	ballots, voters := map[ballotKey]bool{}, map[voting.Voter]bool{}
	for _, r := range torn {
		if r.NamesBallot() {
			ballots[ballotKey{r.Voter, r.Ballot}] = true
		}
		if r.Voter != (voting.Voter{}) {
			voters[r.Voter] = true
		}
	}
	fold, d := voting.NewFold(), derive(c, func(v voting.Voter) bool { return voters[v] })
	for _, r := range ledger {
		fold.Add(r)
		d.add(r)
	}

	args = append(args, len(torn))
	for _, r := range torn {
		args = append(args, fmt.Sprintf("%d-%d", r.Position.Millis, r.Position.Offset))
	}
	tally := tallyFields(c, fold.Tally())
	args = append(append(args, len(tally)), tally...)

	const held, firstHash = 6, 7 // in KEYS, after the common ones and evidence
	repair := func(hash, field, value string) {
		args = append(args, firstHash+len(hashes), field, value)
		hashes = append(hashes, hash)
	}
	for key := range ballots {
		value, score := "", ""
		if cast, there := d.ballots[key]; there {
			value, score = ballotText(cast), heldScore(cast)
		}
		repair(keys.ballots(key.ballot), ballotField(key.ballot, key.voter), value)
		args = append(args, held, ballotField(key.ballot, key.voter), score)
	}
	for voter := range voters {
		repair(keys.voters(voter), string(voter[:]), d.voterText(voter, d.castsBy(voter)))
	}
	return hashes, args
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
