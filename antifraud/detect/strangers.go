package detect

// strangers are terms of voters who are no members and of whom no farm has any: of
// each such voter with the same value they are the same, and nearly all candidates
// are such. They hold until a member or a pool of the hand changes.
type strangers struct {
	entry, agent, kind, dwell, account []float64 // by entry, code or bin
	count                              [countBins]float64
}

// strangers computes them, or nothing where candidates are so few that it costs more
// than it spares.
func (h *hand) strangers() *strangers {
	t := h.c.t
	if len(h.who) < t.entries.size()+t.agent.size() {
		return nil
	}
	var unlearned poolCount // of whoever is no member nothing is learned
	each := func(n int, term func(k int) float64) []float64 {
		terms := make([]float64, n)
		for k := range terms {
			terms[k] = term(k)
		}
		return terms
	}
	s := &strangers{
		entry:   each(t.entries.size(), func(k int) float64 { return h.judgeEntry(int32(k), 0, 1, 1) }),
		agent:   each(t.agent.size(), func(k int) float64 { return h.judgeAgent(int32(k), 0, 1, &unlearned) }),
		kind:    each(t.kind.size(), func(k int) float64 { return h.judgeKind(int32(k), 0, 1) }),
		dwell:   each(dwellBins, func(k int) float64 { return h.judgeDwell(k, 0, 1) }),
		account: each(accountBins+1, func(k int) float64 { return h.judgeAccount(k, 0, 1) }),
	}
	for k := range s.count {
		s.count[k] = h.judgeCount(int32(k), 0, 1)
	}
	return s
}

// are tells whether the terms are those of a voter who is a member to the degree w,
// and of whom the crowd has own.
func (s *strangers) are(w, own float64) bool { return s != nil && w == 0 && own == 1 }
