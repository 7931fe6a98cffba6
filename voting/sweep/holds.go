package sweep

import (
	"slices"
	"time"
)

// hold is a ballot that is released when its time is over.
type hold struct {
	since  int64 // ms
	ballot Ballot
}

func (h hold) ended(now time.Time, after time.Duration) bool {
	return now.UnixMilli() >= h.since+after.Milliseconds()
}

// holds is a heap, the oldest first.
type holds []hold

func (h holds) Len() int           { return len(h) }
func (h holds) Less(x, y int) bool { return h[x].since < h[y].since }
func (h holds) Swap(x, y int)      { h[x], h[y] = h[y], h[x] }
func (h *holds) Push(x any)        { *h = append(*h, x.(hold)) }
func (h *holds) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// Due tells whether a hold has ended by now.
func (j *Judge) Due(now time.Time) bool {
	return len(j.holds) > 0 && j.holds[0].ended(now, j.settings.hold())
}

// holding tells whether a hold goes on that time alone may end.
func (j *Judge) holding() bool {
	return slices.ContainsFunc(j.holds, func(h hold) bool {
		s := j.cases[h.ballot]
		return s.ends() && s.since == h.since
	})
}
