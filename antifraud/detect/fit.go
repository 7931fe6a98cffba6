package detect

import (
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/internal/panics"
)

const (
	allRounds  = 20 // of EM: it has settled before, or never will
	lookAround = 3  // the rounds in which who may be a member is asked again
	lookAgain  = 9
	vast       = 300_000 // voters: with more, twice is enough for whoever shares something
	faint      = 1e-3    // who is less of a member is none
	lnFaint    = -6.9
	chunk      = 2048
)

// inParallel calls do for 0 to n-1, on all processors, each once. Where one panics, so does
// inParallel, with its stack: on a goroutine of its own a panic would end the server.
func inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var group errgroup.Group
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(panics.Caught(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
			return nil
		}))
	}
	if err := group.Wait(); err != nil {
		panic(err)
	}
}

// chunks calls each for parts of 0 to n, on all processors. What a part is does not
// depend on them, so sums over parts, added in their order, are always the same.
func chunks(n int, each func(part, from, to int)) {
	inParallel((n+chunk-1)/chunk, func(part int) { each(part, part*chunk, min(n, (part+1)*chunk)) })
}

// fit runs EM until members hardly change, or until looking around again is no use.
// others is by voter what farms that are known already take; within, when not nil, is
// who may be a member at all. It is false when it gave up.
func (h *hand) fit(x *index, others []float64, within []int32, rounds int) (settled bool) {
	c, most := h.c, mostGrowth*(h.mass+20)
	for _, v := range h.who {
		c.take(v, 1-(1-others[v])*(1-h.w[v]))
	}
	for round := range rounds {
		if round == lookAround && within == nil {
			if e := h.weighEvidence(others); e.hopeless(h.mass) {
				return false
			}
		}
		if round == 0 || round == lookAround || round == lookAgain && c.n <= vast {
			h.mayBe(x, others, within)
		}
		next := make([]float64, len(h.who))
		learned := make([][features]poolCount, len(h.who)/chunk+1)
		prior, same := h.prior(), h.strangers()
		chunks(len(h.who), func(part, from, to int) {
			var out terms
			for n := from; n < to; n++ {
				v := h.who[n]
				wasW, own := h.w[v], 1-c.taken[v]
				out = terms{}
				if !h.judgePlace(v, wasW, own, prior, &out, &learned[part], same) {
					continue
				}
				h.judgeLooks(v, wasW, own, &out, &learned[part], same)
				w := logistic(prior+out.sum(h.common)) * (1 - others[v])
				if w >= faint {
					next[n] = w
				}
			}
		})
		h.learn(learned)
		moved := 0.0
		for n, v := range h.who {
			moved += math.Abs(next[n] - h.w[v])
			h.set(v, next[n])
			c.take(v, 1-(1-others[v])*(1-next[n]))
		}
		h.narrow(others)
		if moved < 0.005*h.mass && round != lookAround-1 || h.mass < 1 || h.mass > most {
			return true
		}
	}
	return true
}

// narrow lets go of whoever is no member now, until somebody looks around again:
// nearly all candidates are none, and a round costs what they are.
func (h *hand) narrow(others []float64) {
	kept := h.who[:0]
	for _, v := range h.who {
		if h.w[v] > 0 {
			kept = append(kept, v)
		} else {
			h.c.take(v, others[v])
		}
	}
	h.who = kept
}

func (h *hand) learn(parts [][features]poolCount) {
	var sum [features]poolCount
	for i := range parts {
		for f := range sum {
			sum[f].own += parts[i][f].own
			sum[f].of += parts[i][f].of
		}
	}
	for f := range sum {
		if sum[f].of > 0 {
			h.pools[f].own = clip((sum[f].own+0.5)/(sum[f].of+1), 0.02, 0.97)
		}
	}
}

// mayBe finds the voters that could be members: those who share something with the
// members that the crowd has less of. Who is none any more is taken out.
func (h *hand) mayBe(x *index, others []float64, within []int32) {
	var who []int32
	if within != nil {
		who = slices.Clone(within)
	} else {
		who = x.linked(h)
	}
	x.mark++
	for _, v := range who {
		x.marked[v] = x.mark
	}
	for _, v := range h.who {
		if x.marked[v] != x.mark {
			h.set(v, 0)
			h.c.take(v, others[v])
		}
	}
	h.who = who
}

// leave takes the hand out of the crowd's account: it was no farm.
func (h *hand) leave(others []float64) {
	for _, v := range h.who {
		h.c.take(v, others[v])
	}
}
