package voting

import "time"

// Tally is what the ledger folds to: counts, and the place up to which they
// hold. A contest's tally is the sum of its boxes'.
type Tally struct {
	Votes     map[string]int64 // counted ballots by entry
	Last      map[string]int64 // store ms of each entry's newest counted ballot; kept where ties need it
	Home      map[string]int64 // of Votes, those whose pass had been in the hall
	Counted   int64
	Held      int64
	Void      int64
	Withdrawn int64

	Offset int64     // ledger records folded
	At     time.Time // of the newest of them; zero when there is none
	Boxes  []int64   // Offset of each box: the exact cut these counts were read at
}

// NewTally is an empty tally.
func NewTally() *Tally {
	return &Tally{Votes: map[string]int64{}, Last: map[string]int64{}, Home: map[string]int64{}}
}

// Add sums box into t. Boxes are appended in the order they are added.
func (t *Tally) Add(box *Tally) {
	for entry, n := range box.Votes {
		t.Votes[entry] += n
	}
	for entry, n := range box.Home {
		t.Home[entry] += n
	}
	for entry, at := range box.Last {
		t.Last[entry] = max(t.Last[entry], at)
	}
	t.Counted += box.Counted
	t.Held += box.Held
	t.Void += box.Void
	t.Withdrawn += box.Withdrawn
	t.Offset += box.Offset
	if box.At.After(t.At) {
		t.At = box.At
	}
	t.Boxes = append(t.Boxes, box.Offset)
}

// Fold recounts a ledger: feed it every record in order and read the tally. It
// keeps one small entry per ballot, and trusts nothing but the records.
type Fold struct {
	ballots map[ballotKey]folded
	offset  int64
	at      time.Time
}

// Ballots are known by voter and ballot id: ids are the callers' own, and two
// callers may choose the same.
type ballotKey struct {
	voter  Voter
	ballot [16]byte
}

type folded struct {
	entry    string
	standing Standing
	castAt   int64
	present  bool
}

// NewFold starts a recount.
func NewFold() *Fold { return &Fold{ballots: map[ballotKey]folded{}} }

// Add folds one record. Records of one box must come in their order.
func (f *Fold) Add(r Record) {
	f.offset++
	if at := r.Position.At(); at.After(f.at) {
		f.at = at
	}
	if !r.NamesBallot() {
		return
	}
	key := ballotKey{r.Voter, r.Ballot}
	b, seen := f.ballots[key]
	if !seen {
		b = folded{entry: r.Entry, castAt: r.Position.Millis, present: r.Present}
	}
	b.standing = r.Standing
	f.ballots[key] = b
}

// Moves tells whether a record has a ballot that was folded for another entry. No ballot
// goes from one to another: those who read the first record and those who read the last would
// count differently.
func (f *Fold) Moves(r Record) bool {
	if !r.NamesBallot() {
		return false
	}
	b, seen := f.ballots[ballotKey{r.Voter, r.Ballot}]
	return seen && b.entry != r.Entry
}

// Records is how many records have been folded.
func (f *Fold) Records() int64 { return f.offset }

// Tally is the count as of the last record added.
func (f *Fold) Tally() *Tally {
	t := NewTally()
	for _, b := range f.ballots {
		switch b.standing {
		case Counted:
			t.Counted++
			t.Votes[b.entry]++
			if b.present {
				t.Home[b.entry]++
			}
			t.Last[b.entry] = max(t.Last[b.entry], b.castAt)
		case Held:
			t.Held++
		case Void:
			t.Void++
		case Withdrawn:
			t.Withdrawn++
		}
	}
	t.Offset, t.At = f.offset, f.at
	return t
}
