package archive

import (
	"hash/maphash"
	"maps"

	"github.com/joute/joute/voting"
)

// fold is what a box's records come to, small enough to be kept beside every
// running contest: of a ballot, a number of 64 bits for its name and one of 32 for how
// it stands. It counts as [voting.Fold] does.
//
// Two ballots of one number would be one: among ten million the chance is one in
// 400,000, and as the numbers are seeded anew in every process nobody can choose them.
type fold struct {
	seed    maphash.Seed
	offset  int64 // records folded
	ballots map[uint64]uint32
	entries map[string]uint32 // number of each entry
	votes   []int64           // by entry's number: counted ballots
	home    []int64           // of these, those of the hall
	standing
}

// standing counts the ballots that are not counted.
type standing struct{ held, void, withdrawn int64 }

// The bits of a ballot: how it stands, whether it was cast in the hall, and the entry.
const (
	bitsStanding = 3
	bitHome      = 1 << 2
	shiftEntry   = 3
)

const (
	isCounted uint32 = iota
	isHeld
	isVoid
	isWithdrawn
)

var standings = map[voting.Standing]uint32{
	voting.Counted: isCounted, voting.Held: isHeld, voting.Void: isVoid, voting.Withdrawn: isWithdrawn,
}

func newFold() *fold {
	return &fold{seed: maphash.MakeSeed(), ballots: map[uint64]uint32{}, entries: map[string]uint32{}}
}

// add folds the next record of the box. One that was folded before changes nothing, and
// neither does one behind a gap: it tells whether the fold is up to the record.
func (f *fold) add(r voting.Record) bool {
	if r.Position.Offset != f.offset+1 {
		return r.Position.Offset <= f.offset
	}
	f.offset++
	if !r.NamesBallot() {
		return true
	}
	var name [32]byte
	copy(name[:16], r.Voter[:])
	copy(name[16:], r.Ballot[:])
	key := maphash.Bytes(f.seed, name[:])
	ballot, seen := f.ballots[key]
	if seen {
		f.count(ballot, -1)
	} else {
		ballot = f.entry(r.Entry) << shiftEntry
		if r.Present {
			ballot |= bitHome
		}
	}
	ballot = ballot&^bitsStanding | standings[r.Standing]
	f.ballots[key] = ballot
	f.count(ballot, 1)
	return true
}

func (f *fold) entry(id string) uint32 {
	n, known := f.entries[id]
	if !known {
		n = uint32(len(f.votes))
		f.entries[id] = n
		f.votes, f.home = append(f.votes, 0), append(f.home, 0)
	}
	return n
}

func (f *fold) count(ballot uint32, by int64) {
	switch ballot & bitsStanding {
	case isCounted:
		f.votes[ballot>>shiftEntry] += by
		if ballot&bitHome != 0 {
			f.home[ballot>>shiftEntry] += by
		}
	case isHeld:
		f.held += by
	case isVoid:
		f.void += by
	case isWithdrawn:
		f.withdrawn += by
	}
}

// is tells whether a tally is what the records come to. Which ballot of an entry is
// the newest is not compared: the store settles that from the ledger itself.
func (f *fold) is(t *voting.Tally) bool {
	return f.offset == t.Offset && f.standing == standing{t.Held, t.Void, t.Withdrawn} &&
		f.same(f.votes, t.Votes) && f.same(f.home, t.Home)
}

// same compares counts by entry; an entry that is not there has none.
func (f *fold) same(ours []int64, theirs map[string]int64) bool {
	left := maps.Clone(theirs)
	for entry, n := range f.entries {
		if left[entry] != ours[n] {
			return false
		}
		delete(left, entry)
	}
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}
