package ballotbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// MovePage is how many sheets one read brings that are to be moved, and one script takes
// out. Casts wait for either, some hundred microseconds where twenty went together.
const MovePage = sheetPage

// Sheet is what one run of a script has recorded in a box: records that follow one
// another, and are moved together.
type Sheet struct {
	Millis      int64 // of all its records
	First, Last int64 // their offsets
}

func sheetOf(s sheet) Sheet { return Sheet{s.first().millis, s.first().offset, s.last().offset} }

// Unmoved is what a box holds that was not taken out of it, as it stood in one step.
type Unmoved struct {
	Offset    int64 // records ever
	Trimmed   int64 // how many of them were taken out
	Expires   int64 // when evidence does, in ms of the store's clock
	Forgotten bool  // what was seen of the contest is deleted, and must not be kept

	// Sheets are those behind the place that was asked for, at most MovePage, and Records
	// what they have. All are committed; where the box is torn it is mended first.
	Sheets  []Sheet
	Records []MovedRecord

	Tally *Kept // as of Offset; nil when not asked for, or where it is no tally any more

	// Frozen tells whether the tally of the freezing instant is kept apart, and Cut at which
	// offset it was taken; below 0: it does not say.
	Frozen bool
	Cut    int64
	Then   *Kept // that tally; nil as Tally is
}

// Kept is a tally as a box has it.
type Kept struct {
	*voting.Tally
	Newest    bool              // whether Last is kept at all: where ties are the earliest's
	Unsettled map[string]string // entries of which only the ledger knows it, with their marks
}

// MovedRecord is a record on its way to the archive.
type MovedRecord struct {
	voting.Record
	Seen []byte // of a cast, what was seen of it: JSON of a [Seen]; empty when nothing
}

// Unmoved reads what a box holds behind a position of it, zero for all, else the last of a
// sheet. A box that is not there has nothing.
func (b *Boxes) Unmoved(ctx context.Context, s *registry.Stored, box int, after voting.Position, tally bool) (Unmoved, error) {
	for range 4 { // torn once, and once more where a kill came between
		u, torn, err := b.unmoved(ctx, s, box, after, tally)
		if err != nil {
			return Unmoved{}, fmt.Errorf("box %d: %w", box, err)
		}
		if !torn {
			return b.onReplica(ctx, s, box, after, tally, u)
		}
		// Any script finds the box torn, and has it mended.
		if _, err := b.reply(ctx, s, box, b.turn, keysOf(s.Contest.ID, box).common()); err != nil {
			return Unmoved{}, fmt.Errorf("box %d: %w", box, err)
		}
	}
	return Unmoved{}, fmt.Errorf("box %d: %w", box, ErrTorn)
}

// onReplica makes sure, on a cluster, that what was read is on a replica too: a record
// that a failover loses must not be on disk. A script is confirmed by a replica, and
// with it whatever its master had before; read again after it, the records that are
// still there are those.
func (b *Boxes) onReplica(ctx context.Context, s *registry.Stored, box int, after voting.Position, tally bool, u Unmoved) (Unmoved, error) {
	if _, cluster := b.store.Client().(*redis.ClusterClient); !cluster || len(u.Sheets) == 0 {
		return u, nil
	}
	if _, err := b.reply(ctx, s, box, b.turn, keysOf(s.Contest.ID, box).common()); err != nil {
		return Unmoved{}, fmt.Errorf("box %d: %w", box, err)
	}
	again, torn, err := b.unmoved(ctx, s, box, after, tally)
	if err != nil {
		return Unmoved{}, fmt.Errorf("box %d: %w", box, err)
	}
	same := 0
	for same < min(len(u.Sheets), len(again.Sheets)) && u.Sheets[same] == again.Sheets[same] {
		same++
	}
	if torn || same == 0 {
		return Unmoved{}, fmt.Errorf("box %d: %w: it has another master", box, store.ErrUnavailable)
	}
	again.Sheets = again.Sheets[:same]
	again.Records = again.Records[:again.Sheets[same-1].Last-again.Sheets[0].First+1]
	return again, nil
}

func (b *Boxes) unmoved(ctx context.Context, s *registry.Stored, box int, after voting.Position, tally bool) (u Unmoved, torn bool, err error) {
	keys, from := keysOf(s.Contest.ID, box), place{after.Millis, after.Offset}.next()
	// One step, so that no record is taken that was never committed: how many there are
	// says whether they all were.
	pipe := b.store.Client().TxPipeline()
	meta := pipe.HMGet(ctx, keys.meta, "place", "rules", "trimmed", "forgotten")
	cut := pipe.HMGet(ctx, keys.frozen, "/offset")
	length := pipe.XLen(ctx, keys.ledger)
	ledger := pipe.XRangeN(ctx, keys.ledger, from, "+", MovePage)
	var counts, then *redis.MapStringStringCmd
	if tally {
		counts, then = pipe.HGetAll(ctx, keys.tally), pipe.HGetAll(ctx, keys.frozen)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return u, false, store.Classify(err)
	}
	now, err1 := parseStandsAt(meta.Val()[0])
	var err2 error
	var ties contest.Ties
	u.Expires, ties, err2 = parseRules(meta.Val()[1])
	gone, err3 := parseTrimmed(meta.Val()[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return u, false, err
	}
	u.Offset, u.Trimmed = now.offset, gone.records
	if u.Frozen = now.frozen; u.Frozen {
		u.Cut = -1
		if text, there := cut.Val()[0].(string); there {
			if at, err := parseCount(text); err == nil {
				u.Cut = at
			}
		}
	}
	u.Forgotten = meta.Val()[3] == "1"
	if length.Val()+gone.sheets > now.sheets {
		return u, true, nil
	}
	if len(ledger.Val()) > 0 {
		if u.Sheets, u.Records, err = b.withSeen(ctx, s, box, from, ledger.Val()); err != nil {
			return u, false, err
		}
	}
	if !tally {
		return u, false, nil
	}
	if u.Tally = keptTally(counts.Val(), ties); u.Tally != nil {
		u.Tally.Offset, u.Tally.At = u.Offset, instant(now.at)
	}
	if u.Frozen {
		u.Then = keptTally(then.Val(), ties)
	}
	return u, false, nil
}

// withSeen reads sheets, and what was seen of their casts: only who moves them, and who
// forgets the contest, takes that away meanwhile.
func (b *Boxes) withSeen(ctx context.Context, s *registry.Stored, box int, from string, ledger []redis.XMessage) (sheets []Sheet, records []MovedRecord, err error) {
	sheets = make([]Sheet, 0, len(ledger))
	parsed, all := make([]sheet, len(ledger)), 0
	for i, m := range ledger {
		if parsed[i], err = parseSheet(m, s.Epoch, box); err != nil {
			return nil, nil, err
		}
		sheets, all = append(sheets, sheetOf(parsed[i])), all+len(parsed[i].records)
	}
	records = make([]MovedRecord, 0, all)
	for _, sheet := range parsed {
		for i := range sheet.records {
			records = append(records, MovedRecord{Record: sheet.records[i]})
		}
	}
	last := records[len(records)-1].Position.Millis
	entries, err := b.store.Client().XRange(ctx, keysOf(s.Contest.ID, box).evidence, from, beforeMillis(last+1)).Result()
	if err != nil {
		return nil, nil, store.Classify(err)
	}
	seen := seenEntries{entries: entries}
	for i := range records {
		if records[i].Seen, err = seen.of(placeOfRecord(records[i].Record)); err != nil {
			return nil, nil, err
		}
	}
	return sheets, records, nil
}

// beforeMillis ends a stream's range before an instant.
func beforeMillis(millis int64) string { return fmt.Sprintf("(%d-0", millis) }

// keptTally is nil for what is no tally.
func keptTally(hash map[string]string, ties contest.Ties) *Kept {
	var fields []any
	for field, value := range hash {
		fields = append(fields, field, value)
	}
	t, unsettled, err := parseTally(reply{fields}, 0)
	if err != nil {
		return nil
	}
	return &Kept{t, ties == contest.TiesEarliest, unsettled}
}

// Trim takes sheets out of a box, with what was seen of their casts: all that are left
// up to the last one, at most MovePage. Their records must be where readers find them, for
// good. The same call again changes nothing.
func (b *Boxes) Trim(ctx context.Context, s *registry.Stored, box int, sheets []Sheet) error {
	if len(sheets) == 0 {
		return nil
	}
	last := sheets[len(sheets)-1]
	keys := keysOf(s.Contest.ID, box)
	args := []any{sheets[0].First, last.Last, place{last.Millis, last.Last + 1}.String()}
	for _, s := range sheets {
		args = append(args, place{s.Millis, s.Last}.String())
	}
	reply, err := b.reply(ctx, s, box, b.trim, keys.common(keys.evidence), args...)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	if reply.code() != "trimmed" {
		return fmt.Errorf("trim: box %d answers %q", box, reply.code())
	}
	return nil
}

// Moved is how many records a box ever had, and how many of them were taken out.
type Moved struct{ Offset, Trimmed int64 }

// Moved is of every box.
func (b *Boxes) Moved(ctx context.Context, s *registry.Stored) ([]Moved, error) {
	pipe := b.store.Client().Pipeline()
	metas := make([]*redis.SliceCmd, s.Contest.Boxes)
	for box := range metas {
		metas[box] = pipe.HMGet(ctx, keysOf(s.Contest.ID, box).meta, "place", "trimmed")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("moved: %w", store.Classify(err))
	}
	moved := make([]Moved, len(metas))
	for box, meta := range metas {
		now, err1 := parseStandsAt(meta.Val()[0])
		gone, err2 := parseTrimmed(meta.Val()[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("moved: %w", err)
		}
		moved[box] = Moved{Offset: now.offset, Trimmed: gone.records}
	}
	return moved, nil
}
