package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// ErrTorn is returned for a box whose ledger has records that were never
// committed and that cannot be told from the others.
var ErrTorn = errors.New("the ledger of a ballot box is damaged")

// mend takes records out of a box that should not be in it. They come from a Redis
// that was killed while it wrote to its file: it may later run the beginning of the
// transaction it was writing (see commit in box.lua, and trim.lua). Nobody was ever
// told of such a ballot, as the answer follows the write; its voter who asked again has
// another record, the true one.
func (b *Boxes) mend(ctx context.Context, s *registry.Stored, box int) error {
	keys := keysOf(s.Contest.ID, box)
	for ctx.Err() == nil {
		seen, err := b.sift(ctx, s, box)
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		if len(seen.torn)+len(seen.left) == 0 {
			return nil // another server was faster
		}
		hashes, changes, err := repairs(s.Contest, keys, seen.committed(ctx, b, s, box), seen.torn)
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		args := []any{seen.records, seen.place.String(), seen.trimmed, seen.after(), len(seen.torn) + len(seen.left)}
		for _, r := range slices.Concat(seen.left, seen.torn) {
			args = append(args, placeOfRecord(r).String())
		}
		args = append(args, changes...)
		reply, err := b.mendScript.Run(ctx, append(keys.common(keys.evidence, keys.held), hashes...), args...).Slice()
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		if len(reply) == 1 && reply[0] == "mended" {
			return b.settleTorn(ctx, s, seen.torn)
		}
	}
	return fmt.Errorf("mend: %w", ctx.Err())
}

// sifted is a box's stream, told apart.
type sifted struct {
	place                    standsAt
	records, offset, trimmed int64 // in the stream; committed ever; of these, trimmed

	ledger []voting.Record // committed, behind the trimmed ones
	torn   []voting.Record // never committed
	left   []voting.Record // trimmed, and still there
}

// after is an instant in ms that every later record must be stamped at or after.
func (s sifted) after() (millis int64) {
	for _, r := range s.torn {
		millis = max(millis, r.Position.Millis+1)
	}
	return millis
}

// committed gives every committed record of the box.
func (s sifted) committed(ctx context.Context, b *Boxes, stored *registry.Stored, box int) func(yield func(voting.Record)) error {
	return func(yield func(voting.Record)) error {
		n := int64(0)
		if s.trimmed > 0 {
			if _, err := b.archived(ctx, stored.Contest.ID, box, voting.Position{Box: box}, func(r voting.Record) bool {
				n++
				yield(r)
				return n == s.trimmed
			}); err != nil {
				return err
			}
		}
		if n != s.trimmed {
			return fmt.Errorf("%w: box %d of %s has %d of %d", ErrNoArchive, box, stored.Contest.ID, n, s.trimmed)
		}
		for _, r := range s.ledger {
			yield(r)
		}
		return nil
	}
}

// sift reads a box's stream and tells committed records from torn ones. Offsets
// count committed records: where one comes again, the earlier records from it on
// were not committed, and neither were those past the box's own offset. Those that
// were trimmed are in the archive, by which they are known.
func (b *Boxes) sift(ctx context.Context, s *registry.Stored, box int) (seen sifted, err error) {
	keys := keysOf(s.Contest.ID, box)
	meta, err := b.store.Client().HMGet(ctx, keys.meta, "place", "trimmed").Result()
	if err != nil {
		return sifted{}, store.Classify(err)
	}
	now, err1 := parseStandsAt(meta[0])
	var err2 error
	seen.trimmed, err2 = countOf(meta[1])
	seen.place, seen.offset = now, now.offset
	if err := errors.Join(err1, err2); err != nil {
		return sifted{}, err
	}
	drop := func(from int64) {
		n := len(seen.ledger)
		for n > 0 && seen.ledger[n-1].Position.Offset >= from {
			n--
		}
		seen.torn = append(seen.torn, seen.ledger[n:]...)
		seen.ledger = seen.ledger[:n]
	}
	var old []voting.Record // with offsets of trimmed ones
	for from := "-"; ; {
		page, err := b.store.Client().XRangeN(ctx, keys.ledger, from, "+", ledgerPage).Result()
		if err != nil {
			return sifted{}, store.Classify(err)
		}
		for _, m := range page {
			r, err := parseRecord(m, s.Epoch, box)
			if err != nil {
				return sifted{}, err
			}
			seen.records++
			from = "(" + m.ID
			if r.Position.Offset <= seen.trimmed {
				old = append(old, r)
				continue
			}
			drop(r.Position.Offset)
			seen.ledger = append(seen.ledger, r)
		}
		if len(page) < ledgerPage {
			break
		}
	}
	drop(seen.offset + 1)
	if err := b.siftOld(ctx, s, box, old, &seen); err != nil {
		return sifted{}, err
	}
	if sane := seen.trimmed + int64(len(seen.ledger)); len(seen.torn)+len(seen.left) > 0 && sane != seen.offset {
		return sifted{}, fmt.Errorf("%w: %d records make sense, %d were committed", ErrTorn, sane, seen.offset)
	}
	return seen, nil
}

// siftOld tells of records with offsets of trimmed ones whether they are these, left
// over, or torn.
func (b *Boxes) siftOld(ctx context.Context, s *registry.Stored, box int, old []voting.Record, seen *sifted) error {
	if len(old) == 0 {
		return nil
	}
	first, last := old[0].Position.Offset, old[0].Position.Offset
	for _, r := range old {
		first, last = min(first, r.Position.Offset), max(last, r.Position.Offset)
	}
	archived := map[place]bool{}
	if _, err := b.archived(ctx, s.Contest.ID, box, voting.Position{Box: box, Offset: first - 1}, func(r voting.Record) bool {
		archived[placeOfRecord(r)] = true
		return r.Position.Offset >= last
	}); err != nil {
		return err
	}
	for _, r := range old {
		if archived[placeOfRecord(r)] {
			seen.left = append(seen.left, r)
		} else {
			seen.torn = append(seen.torn, r)
		}
	}
	return nil
}

// Where they are in the keys of mend.lua, after the common ones and evidence.
const heldKey, firstHash = 6, 7

// repairs are the keys and arguments of mend.lua: the tally as the ledger folds,
// and the ballots and voters that torn records name as the ledger has them. ledger
// gives its records in order.
func repairs(c *contest.Contest, keys boxKeys, ledger func(yield func(voting.Record)) error, torn []voting.Record) (hashes []string, args []any, err error) {
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
	if err := ledger(func(r voting.Record) {
		fold.Add(r)
		d.add(r)
	}); err != nil {
		return nil, nil, err
	}

	tally := tallyFields(c, fold.Tally())
	args = append(append(args, len(tally)), tally...)

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
		args = append(args, heldKey, ballotField(key.ballot, key.voter), score)
	}
	for voter := range voters {
		repair(keys.voters(voter), string(voter[:]), d.voterText(voter, d.castsBy(voter)))
	}
	return hashes, args, nil
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
