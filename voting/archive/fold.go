package archive

import (
	"hash/maphash"
	"slices"

	"github.com/joute/joute/voting"
)

// fold is what a box's records come to, small enough to be kept beside every
// running contest: of a ballot, a number of 64 bits for its name and one for how it
// stands, which a map pads to 64 anyway. It counts as [voting.Fold] does.
//
// Two ballots of one number would be one: among ten million the chance is one in
// 400,000, and as the numbers are seeded anew in every process nobody can choose them.
type fold struct {
	seed    maphash.Seed
	offset  int64 // records folded
	ballots map[uint64]uint64
	entries map[string]uint64 // number of each entry
	votes   []int64           // by entry's number: counted ballots
	home    []int64           // of these, those of the hall
	newest  []int64           // when the newest of them was cast, from began on; where it is gone, none is newer
	gone    []bool            // it was, and does not count any more: see settle
	began   int64             // of the first record, in ms
	standing

	cut  int64         // offset that the tally is to be kept of; below 0: none
	then *voting.Tally // that tally; nil while the fold is not there
}

// standing counts the ballots that are not counted.
type standing struct{ held, void, withdrawn int64 }

// The bits of a ballot: how it stands, whether it was cast in the hall, the entry, and
// when it was cast: enough for two million entries and thirty years.
const (
	bitsStanding = 3
	bitHome      = 1 << 2
	shiftEntry   = 3
	bitsEntry    = 1<<21 - 1
	shiftCast    = 24
)

const (
	isCounted uint64 = iota
	isHeld
	isVoid
	isWithdrawn
)

var standings = map[voting.Standing]uint64{
	voting.Counted: isCounted, voting.Held: isHeld, voting.Void: isVoid, voting.Withdrawn: isWithdrawn,
}

func newFold() *fold {
	return &fold{seed: maphash.MakeSeed(), ballots: map[uint64]uint64{}, entries: map[string]uint64{}, cut: -1}
}

// add folds the next record of the box. One that was folded before changes nothing, and
// neither does one behind a gap: it tells whether the fold is up to the record.
func (f *fold) add(r voting.Record) bool {
	if r.Position.Offset != f.offset+1 {
		return r.Position.Offset <= f.offset
	}
	if f.offset++; f.offset == 1 {
		f.began = r.Position.Millis
	}
	defer f.keep()
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
		ballot = f.entry(r.Entry)<<shiftEntry | uint64(r.Position.Millis-f.began)<<shiftCast
		if r.Present {
			ballot |= bitHome
		}
	}
	ballot = ballot&^bitsStanding | standings[r.Standing]
	f.ballots[key] = ballot
	f.count(ballot, 1)
	return true
}

func (f *fold) entry(id string) uint64 {
	n, known := f.entries[id]
	if !known {
		n = uint64(len(f.votes))
		f.entries[id] = n
		f.votes, f.home = append(f.votes, 0), append(f.home, 0)
		f.newest, f.gone = append(f.newest, 0), append(f.gone, false)
	}
	return n
}

func entryOf(ballot uint64) uint64 { return ballot >> shiftEntry & bitsEntry }

func castAt(ballot uint64) int64 { return int64(ballot >> shiftCast) }

func (f *fold) count(ballot uint64, by int64) {
	switch ballot & bitsStanding {
	case isCounted:
		entry, at := entryOf(ballot), castAt(ballot)
		f.votes[entry] += by
		if ballot&bitHome != 0 {
			f.home[entry] += by
		}
		switch {
		case by > 0 && at >= f.newest[entry]:
			f.newest[entry], f.gone[entry] = at, false
		case by < 0 && at == f.newest[entry]:
			f.gone[entry] = true // only all ballots say which is the newest now
		}
	case isHeld:
		f.held += by
	case isVoid:
		f.void += by
	case isWithdrawn:
		f.withdrawn += by
	}
}

// settle finds the newest ballots of entries that have lost theirs, among all.
func (f *fold) settle() {
	if !slices.Contains(f.gone, true) {
		return
	}
	for entry, gone := range f.gone {
		if gone {
			f.newest[entry] = 0
		}
	}
	for _, ballot := range f.ballots {
		if entry := entryOf(ballot); ballot&bitsStanding == isCounted && f.gone[entry] {
			f.newest[entry] = max(f.newest[entry], castAt(ballot))
		}
	}
	clear(f.gone)
}

// tally is what the records come to. Without newest it says nothing of the instants
// that ties need.
func (f *fold) tally(newest bool) *voting.Tally {
	t := voting.NewTally()
	t.Offset, t.Held, t.Void, t.Withdrawn = f.offset, f.held, f.void, f.withdrawn
	if newest {
		f.settle()
	}
	for entry, n := range f.entries {
		if t.Votes[entry], t.Home[entry] = f.votes[n], f.home[n]; newest && f.votes[n] > 0 {
			t.Last[entry] = f.began + f.newest[n]
		}
		t.Counted += f.votes[n]
	}
	return t
}

// keepAt has the tally of an offset kept, below 0 none's. It tells whether the fold can
// do so: it must not be past it.
func (f *fold) keepAt(cut int64) bool {
	if f.cut == cut {
		return true
	}
	if cut >= 0 && f.offset > cut {
		return false
	}
	f.cut, f.then = cut, nil
	f.keep()
	return true
}

func (f *fold) keep() {
	if f.offset == f.cut && f.then == nil {
		f.then = f.tally(true)
	}
}
