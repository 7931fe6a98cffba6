package archive

import (
	"fmt"
	"maps"
	"slices"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// offBy is what of a box is not as its records say.
type offBy int

const (
	offCounts offBy = iota
	offNewest       // the instants that ties need
	offFrozen       // the tally of the freezing instant
	offKinds
)

// off are the boxes that are not as their records say, by what is not.
type off [offKinds]map[int]bool

func (o *off) set(what offBy, box int, is bool) {
	if !is {
		delete(o[what], box)
		return
	}
	if o[what] == nil {
		o[what] = map[int]bool{}
	}
	o[what][box] = true
}

// boxes are all of them.
func (o *off) boxes() []int {
	all := map[int]bool{}
	for _, boxes := range o {
		maps.Copy(all, boxes)
	}
	return slices.Sorted(maps.Keys(all))
}

// says is a sentence for each thing that is off.
func (o *off) says(id string) (faults []string) {
	for what, format := range [offKinds]string{
		offCounts: "%s: the tally in the store is not the count of the ledger in boxes %v: joute recount %[1]s shows it",
		offNewest: "%s: the instants in the store by which ties are settled are not those of the ledger in boxes %v: the order of equals is not to be trusted",
		offFrozen: "%s: the tally of the freezing instant in the store is not the count of the ledger up to it in boxes %v: what the public sees is not to be trusted until the result is published",
	} {
		if boxes := slices.Sorted(maps.Keys(o[what])); len(boxes) > 0 {
			faults = append(faults, fmt.Sprintf(format, id, boxes))
		}
	}
	return faults
}

// sameCounts tells whether a tally counts what the records come to.
func sameCounts(x, y *voting.Tally) bool {
	return x.Offset == y.Offset && x.Held == y.Held && x.Void == y.Void && x.Withdrawn == y.Withdrawn &&
		maps.Equal(some(x.Votes), some(y.Votes)) && maps.Equal(some(x.Home), some(y.Home))
}

// sameNewest tells whether a box has the newest ballots of entries right, where it
// has them: those with a mark are to be settled, from the ledger.
func sameNewest(kept *ballotbox.Kept, t *voting.Tally) bool {
	want := maps.Clone(t.Last)
	for entry := range kept.Unsettled {
		delete(want, entry)
	}
	return !kept.Newest || maps.Equal(kept.Last, want)
}

// some are the counts that are not nothing.
func some(counts map[string]int64) map[string]int64 {
	left := maps.Clone(counts)
	maps.DeleteFunc(left, func(_ string, n int64) bool { return n == 0 })
	return left
}
