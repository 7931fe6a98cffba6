package sweep

import (
	"cmp"
	"slices"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// leastGiven is how many ballots wait for the finder before it is asked whether it can have them.
const leastGiven = 4096

// placed is a cast that the finder does not have yet.
type placed struct {
	at     voting.Position
	ballot detect.Ballot
}

// expect says how many boxes the contest has. A judge that knows gives ballots to the
// finder as they come, which keeps them in a fraction of the memory: in a rush more wait
// for a sweep than all else that a server remembers. It decides as one that does not know.
func (j *Judge) expect(boxes int) { j.boxes = boxes }

// give gives the finder what nothing can come before any more: the time of a box never
// goes back, so that is what is older than the last record of each.
func (j *Judge) give() {
	if len(j.latest) < j.boxes || j.boxes == 0 {
		j.full = 2 * len(j.pending)
		return
	}
	j.giveUntil(slices.Min(j.latest))
	j.full = max(leastGiven, 2*len(j.pending)) // a box in which nothing happens keeps the others' waiting
}

// giveUntil gives the finder what is older than an instant. Boxes are read one after another: in
// the order of time it does not matter how.
func (j *Judge) giveUntil(ms int64) {
	slices.SortFunc(j.pending, func(x, y *placed) int {
		return cmp.Or(cmp.Compare(x.at.Millis, y.at.Millis), cmp.Compare(x.at.Box, y.at.Box), cmp.Compare(x.at.Offset, y.at.Offset))
	})
	n, _ := slices.BinarySearchFunc(j.pending, ms, func(p *placed, ms int64) int { return cmp.Compare(p.at.Millis, ms) })
	one := make([]detect.Ballot, 1) // of all: who is called copies
	for _, p := range j.pending[:n] {
		one[0] = p.ballot
		j.find.Add(one...)
		j.guard.Cast(p.ballot.Entry, p.ballot.At)
		j.given++
	}
	j.pending = slices.Delete(j.pending, 0, n)
}

// Waiting is when the oldest cast came that no detector has looked at, and how many there are.
func (j *Judge) Waiting() (since time.Time, ballots int) {
	if j.given+len(j.pending) == 0 {
		return time.Time{}, 0
	}
	return j.oldest, j.given + len(j.pending)
}
