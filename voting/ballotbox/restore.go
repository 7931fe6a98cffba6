package ballotbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// Records gives all records of a box, in order.
type Records func(ctx context.Context, box int, yield func(voting.Record) error) error

// restored is one box on its way back.
type restored struct {
	*derived
	box    int
	keys   boxKeys
	meta   boxMeta
	tally  *voting.Tally
	frozen *voting.Tally // nil: nothing was recorded at or after the freezing instant
}

// boxMeta is what the records of a box say of it as a whole.
type boxMeta struct {
	state      string
	version    int   // of the newest open or rules record; 0: none
	at, offset int64 // of the newest record
	closed     int64 // when it was closed by hand, in ms; 0: it was not
	forgotten  bool
}

func (m *boxMeta) add(r voting.Record) {
	m.at, m.offset = r.Position.Millis, r.Position.Offset
	switch r.Kind {
	case voting.KindOpen:
		m.state, m.version = "open", r.Version
	case voting.KindRules:
		m.version = r.Version
	case voting.KindClose:
		m.state = "closed"
		if !slices.Equal(r.Reasons, []string{"scheduled"}) {
			m.closed = r.Position.Millis
		}
	case voting.KindPublish:
		m.state = "published"
	case voting.KindForget:
		m.forgotten = true
	}
}

// Restore sets up the contest's boxes in a store that has none of them, from all
// records there are: tally, voters with their turns, ballots, what is held, who was
// joined to whom, the tally of the freezing instant. The boxes go on where the
// records end, and no later record is stamped before one of these. Their ledger
// stays where the records come from.
//
// A box is there once all of it is: after an error some are and some are not, and
// the same call on the same store leaves what one call leaves.
//
// What no record says is not there: evidence, appeals, findings, what a minute's
// tally was, and challenges that were solved. See docs/decisions/0017-restore.md.
func (b *Boxes) Restore(ctx context.Context, s *registry.Stored, records Records) error {
	boxes := make([]*restored, s.Contest.Boxes)
	gather, gathering := errgroup.WithContext(ctx)
	for box := range boxes {
		gather.Go(panics.Caught(func() (err error) {
			boxes[box], err = gatherBox(gathering, s, box, records)
			return err
		}))
	}
	if err := gather.Wait(); err != nil {
		return fmt.Errorf("restore %s: %w", s.Contest.ID, err)
	}
	var mark int64
	for _, r := range boxes {
		mark = max(mark, r.meta.at+1)
	}
	groups := groupsOf(boxes)
	write, writing := errgroup.WithContext(ctx)
	for _, r := range boxes {
		write.Go(panics.Caught(func() error { return b.writeBox(writing, s, boxes, r, groups, mark) }))
	}
	if err := write.Wait(); err != nil {
		return fmt.Errorf("restore %s: %w", s.Contest.ID, err)
	}
	return nil
}

func gatherBox(ctx context.Context, s *registry.Stored, box int, records Records) (*restored, error) {
	r := &restored{derived: derive(s.Contest, nil), box: box, keys: keysOf(s.Contest.ID, box), meta: boxMeta{state: "waiting"}}
	fold, freeze := voting.NewFold(), millis(s.Contest.FreezesAt())
	err := records(ctx, box, func(record voting.Record) error {
		if p := record.Position; p.Box != box || p.Offset != r.meta.offset+1 || p.Millis < r.meta.at {
			return fmt.Errorf("box %d: record %s does not follow record %d", box, p, r.meta.offset)
		}
		if freeze > 0 && record.Position.Millis >= freeze && r.frozen == nil {
			r.frozen = fold.Tally()
		}
		fold.Add(record)
		r.add(record)
		r.meta.add(record)
		return nil
	})
	r.tally = fold.Tally()
	return r, err
}

// group is who belongs to one voter, as they were joined.
type group struct {
	members []voting.Voter
	casts   []voting.Cast // theirs and its own, in the order of their instants
}

// groupsOf finds who was joined to whom, over all boxes: a voter and those joined to
// it need not be in one.
func groupsOf(boxes []*restored) map[voting.Voter]*group {
	groups := map[voting.Voter]*group{}
	joins := slices.Concat(collect(boxes, func(r *restored) []voting.Record { return r.joins })...)
	slices.SortFunc(joins, func(x, y voting.Record) int { return comparePositions(x.Position, y.Position) })
	for _, join := range joins {
		g := groups[join.Into]
		if g == nil {
			g = &group{}
			groups[join.Into] = g
		}
		g.members = append(g.members, join.Voter)
	}
	for head, g := range groups {
		for _, voter := range append([]voting.Voter{head}, g.members...) {
			g.casts = append(g.casts, boxes[boxOf(voter, len(boxes))].castsBy(voter)...)
		}
		slices.SortFunc(g.casts, func(x, y voting.Cast) int { return comparePositions(x.Position, y.Position) })
	}
	return groups
}

func collect[T any](boxes []*restored, of func(*restored) T) []T {
	all := make([]T, len(boxes))
	for i, r := range boxes {
		all[i] = of(r)
	}
	return all
}

// comparePositions is the order of a contest's ledger.
func comparePositions(x, y voting.Position) int {
	return cmp.Or(cmp.Compare(x.Millis, y.Millis), cmp.Compare(x.Box, y.Box), cmp.Compare(x.Offset, y.Offset))
}

// writeBox writes one box, and that it is there last.
func (b *Boxes) writeBox(ctx context.Context, s *registry.Stored, boxes []*restored, r *restored, groups map[voting.Voter]*group, mark int64) error {
	out := filling{hashes: map[string][]any{}}
	for key, cast := range r.ballots {
		field := ballotField(key.ballot, key.voter)
		out.field(r.keys.voters(key.voter), field, ballotText(cast))
		if cast.Standing == voting.Held {
			out.member(r.keys.held, cast.Position.Millis, field)
		}
	}
	for voter := range r.casts {
		if groups[voter] == nil { // heads of groups come below, whether they have cast or not
			out.field(r.keys.voters(voter), string(voter[:]), r.voterText(voter, r.castsBy(voter)))
		}
	}
	for voter, other := range r.into {
		if len(r.casts[voter]) == 0 {
			out.field(r.keys.voters(voter), string(voter[:]), r.voterText(voter, nil))
		}
		// A join is finished when nobody has more turns than one voter: what a server
		// has left half done is finished by Tend.
		if g := groups[other]; len(overLimit(s.Contest, g.casts)) > 0 {
			out.field(r.keys.joining, string(voter[:]), string(other[:]))
		}
	}
	for head, g := range groups {
		if boxOf(head, len(boxes)) != r.box {
			continue
		}
		if text := r.voterText(head, g.casts); text != "" {
			out.field(r.keys.voters(head), string(head[:]), text)
		}
		var members []byte
		for _, member := range g.members {
			members = append(members, member[:]...)
		}
		out.field(r.keys.voters(head), string(head[:])+"+", string(members))
	}
	for field, value := range pairs(tallyFields(s.Contest, r.tally)) {
		out.field(r.keys.tally, field, value)
	}
	if r.frozen != nil {
		for field, value := range pairs(tallyFields(s.Contest, r.frozen)) {
			out.field(r.keys.frozen, field, value)
		}
		out.field(r.keys.frozen, "/offset", fmt.Sprint(r.frozen.Offset))
	}
	if err := out.flush(ctx, b.store); err != nil {
		return err
	}
	if err := b.store.Client().HSet(ctx, r.keys.meta, r.metaFields(s, mark)).Err(); err != nil {
		return store.Classify(err)
	}
	return nil
}

// metaFields are those of a box that is at version s, or was at the version before
// which its newest record names: then Tend brings it there, and records it.
func (r *restored) metaFields(s *registry.Stored, mark int64) map[string]any {
	rules := configuration(s)
	if r.meta.state == "open" {
		rules[ruleVersion] = min(r.meta.version, s.Version)
	}
	if r.meta.closed > 0 {
		rules[ruleCloses] = r.meta.closed
		rules[ruleExpires] = r.meta.closed + EvidenceLifetime.Milliseconds()
	}
	place := standsAt{state: r.meta.state, at: r.meta.at, offset: r.meta.offset, frozen: r.frozen != nil}
	fields := map[string]any{"place": place.String(), "rules": rulesText(rules), "trimmed": trimmed{records: r.meta.offset}.String(), "mark": mark}
	if r.meta.forgotten {
		fields["forgotten"] = "1"
	}
	return fields
}

// filling writes hashes and a sorted set in few commands and round trips, none of
// them so long that others who use the store notice.
type filling struct {
	hashes map[string][]any
	set    string
	held   []redis.Z
}

const (
	fillFields   = 256 // of one command
	fillCommands = 512 // of one round trip, which is one sync: some 3 MB of a million voters
	fillTries    = 5   // of a round trip, on a store that answers late: it may be sent again
)

func (f *filling) field(hash, field, value string) {
	f.hashes[hash] = append(f.hashes[hash], field, value)
}

func (f *filling) member(set string, score int64, member string) {
	f.set, f.held = set, append(f.held, redis.Z{Score: float64(score), Member: member})
}

func (f *filling) flush(ctx context.Context, st *store.Store) error {
	var commands []func(redis.Pipeliner)
	for hash, fields := range f.hashes {
		for part := range slices.Chunk(fields, 2*fillFields) {
			commands = append(commands, func(pipe redis.Pipeliner) { pipe.HSet(ctx, hash, part...) })
		}
	}
	for part := range slices.Chunk(f.held, fillFields) {
		commands = append(commands, func(pipe redis.Pipeliner) { pipe.ZAdd(ctx, f.set, part...) })
	}
	for trip := range slices.Chunk(commands, fillCommands) {
		for try := 1; ; try++ {
			_, err := st.Client().Pipelined(ctx, func(pipe redis.Pipeliner) error {
				for _, command := range trip {
					command(pipe)
				}
				return nil
			})
			if err == nil {
				break
			}
			if err = store.Classify(err); try == fillTries || !errors.Is(err, store.ErrUnavailable) {
				return err
			}
		}
	}
	return nil
}

// pairs are field and value of what alternates.
func pairs(fields []any) map[string]string {
	of := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		of[fmt.Sprint(fields[i])] = fmt.Sprint(fields[i+1])
	}
	return of
}
