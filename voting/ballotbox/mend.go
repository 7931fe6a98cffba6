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
		torn := recordsOf(seen.torn)
		hashes, changes, err := repairs(s.Contest, keys, seen.committed(ctx, b, s, box), torn)
		if err != nil {
			return fmt.Errorf("mend: %w", err)
		}
		args := []any{seen.sheets, seen.place.String(), seen.goneText, seen.after(), len(seen.torn) + len(seen.left)}
		for _, sheet := range slices.Concat(seen.left, seen.torn) {
			args = append(args, sheet.last().String())
		}
		args = append(args, changes...)
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

// sifted is a box's stream, told apart.
type sifted struct {
	place    standsAt
	sheets   int64 // in the stream
	gone     trimmed
	goneText string // as the box has it

	ledger []sheet // committed, behind the trimmed ones
	torn   []sheet // never committed
	left   []sheet // trimmed, and still there
}

func recordsOf(sheets []sheet) (all []voting.Record) {
	for _, s := range sheets {
		all = append(all, s.records...)
	}
	return all
}

// after is an instant in ms that every later record must be stamped at or after.
func (s sifted) after() (millis int64) {
	for _, sheet := range s.torn {
		millis = max(millis, sheet.last().millis+1)
	}
	return millis
}

// committed gives every committed record of the box.
func (s sifted) committed(ctx context.Context, b *Boxes, stored *registry.Stored, box int) func(yield func(voting.Record)) error {
	return func(yield func(voting.Record)) error {
		n := int64(0)
		if s.gone.records > 0 {
			if _, err := b.archived(ctx, stored.Contest.ID, box, voting.Position{Box: box}, func(r voting.Record) bool {
				n++
				yield(r)
				return n == s.gone.records
			}); err != nil {
				return err
			}
		}
		if n != s.gone.records {
			return fmt.Errorf("%w: box %d of %s has %d of %d", ErrNoArchive, box, stored.Contest.ID, n, s.gone.records)
		}
		for _, r := range recordsOf(s.ledger) {
			yield(r)
		}
		return nil
	}
}

// sift reads a box's stream and tells committed sheets from torn ones. Offsets
// count committed records: where one comes again, the earlier sheets from it on
// were not committed, and neither were those past the box's own offset. Those that
// were trimmed are in the archive, by which they are known.
func (b *Boxes) sift(ctx context.Context, s *registry.Stored, box int) (seen sifted, err error) {
	keys := keysOf(s.Contest.ID, box)
	meta, err := b.store.Client().HMGet(ctx, keys.meta, "place", "trimmed").Result()
	if err != nil {
		return sifted{}, store.Classify(err)
	}
	var err1, err2 error
	seen.place, err1 = parseStandsAt(meta[0])
	seen.gone, err2 = parseTrimmed(meta[1])
	seen.goneText, _ = meta[1].(string)
	if err := errors.Join(err1, err2); err != nil {
		return sifted{}, err
	}
	drop := func(from int64) {
		n := len(seen.ledger)
		for n > 0 && seen.ledger[n-1].last().offset >= from {
			n--
		}
		seen.torn = append(seen.torn, seen.ledger[n:]...)
		seen.ledger = seen.ledger[:n]
	}
	var old []sheet // with offsets of trimmed ones
	for from := "-"; ; {
		page, err := b.store.Client().XRangeN(ctx, keys.ledger, from, "+", sheetPage).Result()
		if err != nil {
			return sifted{}, store.Classify(err)
		}
		for _, m := range page {
			sheet, err := parseSheet(m, s.Epoch, box)
			if err != nil {
				return sifted{}, err
			}
			seen.sheets++
			from = "(" + m.ID
			if sheet.first().offset <= seen.gone.records {
				old = append(old, sheet)
				continue
			}
			drop(sheet.first().offset)
			seen.ledger = append(seen.ledger, sheet)
		}
		if len(page) < sheetPage {
			break
		}
	}
	drop(seen.place.offset + 1)
	if err := b.siftOld(ctx, s, box, old, &seen); err != nil {
		return sifted{}, err
	}
	if len(seen.torn)+len(seen.left) == 0 {
		return seen, nil
	}
	sane := trimmed{seen.gone.records + int64(len(recordsOf(seen.ledger))), seen.gone.sheets + int64(len(seen.ledger))}
	if sane != (trimmed{seen.place.offset, seen.place.sheets}) {
		return sifted{}, fmt.Errorf("%w: %d records in %d sheets make sense, %d in %d were committed", ErrTorn,
			sane.records, sane.sheets, seen.place.offset, seen.place.sheets)
	}
	return seen, nil
}

// siftOld tells of sheets that begin with the offset of a trimmed record whether they are
// what was trimmed, left over, or torn.
func (b *Boxes) siftOld(ctx context.Context, s *registry.Stored, box int, old []sheet, seen *sifted) error {
	if len(old) == 0 {
		return nil
	}
	first, last := old[0].first().offset, old[0].first().offset
	for _, sheet := range old {
		first, last = min(first, sheet.first().offset), max(last, sheet.first().offset)
	}
	archived := map[place]bool{}
	if _, err := b.archived(ctx, s.Contest.ID, box, voting.Position{Box: box, Offset: first - 1}, func(r voting.Record) bool {
		archived[placeOfRecord(r)] = true
		return r.Position.Offset >= last
	}); err != nil {
		return err
	}
	for _, sheet := range old {
		if archived[sheet.first()] {
			seen.left = append(seen.left, sheet)
		} else {
			seen.torn = append(seen.torn, sheet)
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
		repair(keys.voters(key.voter), ballotField(key.ballot, key.voter), value)
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
