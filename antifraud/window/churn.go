package window

import "time"

// Following are the numbers of an account that mass following moves.
type Following struct{ Followers, Following int64 }

const (
	// maxProfiles bounds one contest's memory of profiles, some 4 MB.
	maxProfiles = 1 << 16

	// Less than this is what people do in days: a step of either number, and as a
	// share of the larger one.
	leastStep  = 50
	leastShare = 0.1
)

// Moved tells that both numbers went up or down together, by about as much: what
// follow-for-follow does, and unfollowing afterwards. People who become known gain
// followers and follow nobody for it.
func Moved(before, now Following) bool {
	a, b := now.Followers-before.Followers, now.Following-before.Following
	if a < 0 && b < 0 {
		a, b = -a, -b
	}
	least := max(leastStep, int64(leastShare*float64(max(before.Followers, before.Following))))
	return a >= least && b >= least && a <= 2*b && b <= 2*a
}

// Churned tells whether a member's numbers moved together since their last ballot
// that this server saw. Only this server's memory is asked, and a restart empties it.
func (c *Contests) Churned(id, voter string, now Following, at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, seen := c.of(id, at).profiles[hash("voter", voter)]
	return seen && Moved(before, now)
}

// Remember keeps a member's numbers for the next ballot.
func (c *Contests) Remember(id, voter string, now Following, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.of(id, at)
	if w.profiles == nil || len(w.profiles) >= maxProfiles {
		w.profiles = map[uint64]Following{} // full: who comes again later is seen again
	}
	w.profiles[hash("voter", voter)] = now
}
