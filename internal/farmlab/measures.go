package farmlab

import (
	"cmp"
	"math"
	"slices"
)

// auc is the area under the ROC curve by the ranks of the scores, equal scores
// sharing theirs (Mann and Whitney, 1947).
func auc(voters map[string]called, labels map[string]Label) *float64 {
	type scored struct {
		score float64
		farm  bool
	}
	all := make([]scored, 0, len(voters))
	farms := 0
	for voter, v := range voters {
		one := scored{v.score, labels[voter].Farm}
		if one.farm {
			farms++
		}
		all = append(all, one)
	}
	honest := len(all) - farms
	if farms == 0 || honest == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	sum := 0.0
	for i := 0; i < len(all); {
		j := i
		tied := 0
		for ; j < len(all) && all[j].score == all[i].score; j++ {
			if all[j].farm {
				tied++
			}
		}
		sum += float64(tied) * float64(i+j+1) / 2
		i = j
	}
	n, m := float64(farms), float64(honest)
	area := (sum - n*(n+1)/2) / (n * m)
	return &area
}

// agreement compares two orders of entries by the first hundred of the true one:
// Kendall's tau without the pairs that either order ties, and whether both have
// the same first, ties going to the lesser id.
func agreement(counted, clean map[string]int) (tau float64, winner bool) {
	entries := map[string]bool{}
	for e := range counted {
		entries[e] = true
	}
	for e := range clean {
		entries[e] = true
	}
	if len(entries) == 0 {
		return 0, true
	}
	order := make([]string, 0, len(entries))
	for e := range entries {
		order = append(order, e)
	}
	by := func(votes map[string]int) func(a, b string) int {
		return func(a, b string) int { return cmp.Or(cmp.Compare(votes[b], votes[a]), cmp.Compare(a, b)) }
	}
	winner = slices.MinFunc(order, by(counted)) == slices.MinFunc(order, by(clean))
	slices.SortFunc(order, by(clean))
	order = order[:min(len(order), 100)]
	agree, differ := 0, 0
	for i, a := range order {
		for _, b := range order[i+1:] {
			switch x := (counted[a] - counted[b]) * (clean[a] - clean[b]); {
			case x > 0:
				agree++
			case x < 0:
				differ++
			}
		}
	}
	return float64(agree-differ) / float64(max(1, agree+differ)), winner
}

// calibration are ballots by score, in ten bins.
type calibration [10]struct {
	n, farms int
	sum      float64
}

func (c *calibration) add(score float64, farm bool) {
	bin := &c[min(9, max(0, int(score*10)))]
	bin.n++
	bin.sum += score
	if farm {
		bin.farms++
	}
}

func (c *calibration) error() float64 {
	off, n := 0.0, 0
	for _, bin := range c {
		off += math.Abs(bin.sum - float64(bin.farms))
		n += bin.n
	}
	return off / float64(max(1, n))
}
