package detect

import (
	"cmp"
	"math"
	"slices"
)

const (
	turns      = "turns" // the name of cohorts of one person's
	leastTurns = 5.0     // ln that regular turns gain beyond the most regular of so many
)

// mostGaps is how many are looked at together: nobody has the patience for more at one go.
const mostGaps = 100

// turn is a vote that may be one of somebody's who votes again and again.
type turn struct {
	group int32 // of an entry, an address, a device and an agent
	at    float64
	voter int32
}

// turns are the voters of one entry, with one device, agent and address, who follow each
// other at regular gaps, more so than the most regular of as many who come by chance: one
// person who clears the storage takes the same steps each time. Looks do not show that
// where the phone is one that many have and the address one that many vote from.
func (c *crowd) turns() (found []cohort) {
	votes := c.inTurn()
	type sitting struct {
		group    int32
		from, to int // votes
		gain     float64
	}
	var sittings []sitting
	windows := 1.0
	for from := 0; from < len(votes); {
		to := from + 1
		for to < len(votes) && votes[to].group == votes[from].group && votes[to].at-votes[to-1].at < session {
			to++
		}
		best := sitting{group: votes[from].group}
		for first := from; first+leastGaps < to; first++ {
			var g gaps
			for last := first + 1; last < min(to, first+1+mostGaps); last++ {
				g.add(votes[last].at - votes[last-1].at)
				if g.n < leastGaps {
					continue
				}
				windows++
				if gain := g.regular(); gain > best.gain {
					best = sitting{best.group, first, last + 1, gain}
				}
			}
		}
		if best.gain > leastTurns {
			sittings = append(sittings, best)
		}
		from = to
	}
	for n := 0; n < len(sittings); {
		co, group := cohort{name: turns, share: 1}, sittings[n].group
		for ; n < len(sittings) && sittings[n].group == group; n++ {
			s := sittings[n]
			if gain := s.gain - math.Log(windows); gain > 0 {
				co.gain += gain
				for _, vote := range votes[s.from:s.to] {
					co.members = append(co.members, vote.voter)
				}
			}
		}
		if co.gain > leastTurns {
			slices.Sort(co.members)
			co.members = slices.Compact(co.members)
			found = append(found, co)
		}
	}
	return found
}

// inTurn are the votes of who shares an entry, a device, an agent and an address with
// enough others, by these and in the order of time.
func (c *crowd) inTurn() (votes []turn) {
	t := c.t
	here := make([]int32, c.byNet.n)
	for _, place := range c.byNet.of {
		here[place]++
	}
	type same struct{ place, device, agent int32 }
	groups := map[same]int32{}
	for v := range int32(t.n) {
		device, net := t.device.of[v], t.net.of[v]
		if device == unseen || net == unseen || t.device.voters[device] <= leastGaps || c.taken[v] > 0.5 {
			continue
		}
		from, to := t.acts(v)
		for a := from; a < to; a++ {
			place := c.byNet.of[a]
			if here[place] <= leastGaps {
				continue
			}
			key := same{place, device, t.agent.of[v]}
			group, known := groups[key]
			if !known {
				group = int32(len(groups))
				groups[key] = group
			}
			votes = append(votes, turn{group, t.at[a], v})
		}
	}
	slices.SortFunc(votes, func(a, b turn) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.at, b.at), cmp.Compare(a.voter, b.voter))
	})
	return votes
}
