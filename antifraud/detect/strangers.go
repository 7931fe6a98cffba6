package detect

import "math"

// strangers are what many voters have in common when a hand judges them, and hold
// until a member or a pool of the hand changes.
type strangers struct {
	devices, nets, blocks apart
	lacks                 [features]float64 // of pools: log-odds of a value that no member has

	// Terms of voters who are no members and of whom no farm has any: of each such
	// voter with the same value they are the same, and nearly all candidates are such.
	// They are nil where candidates are so few that they cost more than they spare.
	entry, agent, kind, dwell, account []float64 // by entry, code or bin
	idle                               []float64 // by entry: at an hour when no member votes
	count                              [countBins]float64
	pageless                           float64
}

// apart compares members with the crowd by whether they have something to themselves.
type apart struct {
	alone        float64 // the crowd's share of those who have
	owns, shares float64 // log-odds of whoever has, and of who has it with others
}

// compareApart is of the members and of the crowd: of all with such a thing, those to themselves.
func compareApart(own, all, crowdOwn, crowdAll float64) apart {
	alone := (crowdOwn + 1) / (crowdAll + 2)
	memberAlone := (own + 4*alone) / (all + 4)
	return apart{alone: alone, owns: math.Log(memberAlone / alone), shares: math.Log((1 - memberAlone) / (1 - alone))}
}

// strangers computes them for the hand as it is.
func (h *hand) strangers() *strangers {
	c, t := h.c, h.c.t
	s := &strangers{
		devices: compareApart(h.ownDevice, h.withDevice, c.ownDevice, c.withDevice),
		nets:    compareApart(h.ownNet, h.withNet, c.ownNet, c.withNet),
		blocks:  compareApart(h.ownBlock, h.withNet, c.ownBlock, c.withNet),
	}
	for _, f := range [...]int{atDevice, atNet, atASN, atVia, atReferrer} {
		s.lacks[f] = h.pools[f].lacks()
	}
	if len(h.who) < t.entries.size()+t.agent.size() {
		return s
	}
	var unlearned poolCount // of whoever is no member nothing is learned
	each := func(n int, term func(k int) float64) []float64 {
		terms := make([]float64, n)
		for k := range terms {
			terms[k] = term(k)
		}
		return terms
	}
	s.entry = each(t.entries.size(), func(k int) float64 { return h.judgeEntry(int32(k), 0, 1, 1) })
	s.idle = each(t.entries.size(), func(k int) float64 {
		return math.Log(hourWeight / (h.acts + hourWeight) * entryHourWeight / (h.entry[k] + entryHourWeight))
	})
	s.agent = each(t.agent.size(), func(k int) float64 { return h.judgeAgent(int32(k), 0, 1, &unlearned) })
	s.kind = each(t.kind.size(), func(k int) float64 { return h.judgeKind(int32(k), 0, 1) })
	s.dwell = each(dwellBins, func(k int) float64 { return h.judgeDwell(k, 0, 1) })
	s.pageless = h.judgePageless(0, 1)
	s.account = each(accountBins+1, func(k int) float64 { return h.judgeAccount(k, 0, 1) })
	for k := range s.count {
		s.count[k] = h.judgeCount(int32(k), 0, 1)
	}
	return s
}

// are tells whether the terms are those of a voter who is a member to the degree w,
// and of whom the crowd has own.
func (s *strangers) are(w, own float64) bool { return s.entry != nil && w == 0 && own == 1 }
