package detect

// friends tells whether members who vote in step may be people: each has a phone as people have, or
// the one model that they talked each other into, an address that strangers have, too, and is no quicker
// than who knows whom to vote for.
func (e *evidence) friends(h *hand) bool {
	return !e.firm[byAccount] && (!e.firm[byDevice] || e.pool < fewDevices && e.one < oneAddress && !e.madeUp) &&
		e.by[byTempo] < hurried*h.mass && e.pooled < mostPooled && 2*h.rented < h.mass
}

// pooled is the share of members who have an address that another has, and that more of the
// members have than strangers.
func (h *hand) pooled() float64 {
	sum := 0.0
	for _, v := range h.who {
		if k := h.c.t.net.of[v]; k != unseen && h.net[k]-h.w[v] >= 0.5 && h.net[k] > h.c.net[k] {
			sum += h.w[v]
		}
	}
	return sum / h.mass
}
