package detect

import "github.com/joute/joute/antifraud/window"

// churnOdds are log-odds of an account whose followers and followed moved together from one
// ballot to another: as much as screening gives it (docs/ANTIFRAUD.md).
const churnOdds = 1.0

// moves finds accounts that follow and unfollow in bulk, by the profiles of their voter's
// ballots as they were at each. It meets them in the order of time.
type moves struct {
	last    map[int32]window.Following
	churned map[int32]bool
}

func (m *moves) meet(v int32, r *record) {
	if r.followers == unseen {
		return
	}
	if m.last == nil {
		m.last, m.churned = map[int32]window.Following{}, map[int32]bool{}
	}
	now := window.Following{Followers: int64(r.followers), Following: int64(r.following)}
	if before, seen := m.last[v]; seen && window.Moved(before, now) {
		m.churned[v] = true
	}
	m.last[v] = now
}
