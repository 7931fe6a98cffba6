package detect

import "math"

// abroad is the name of cohorts of voters from networks (autonomous systems) of their own: from
// each hardly anybody votes for any other entry.
//
// One such network, or a town's two or three, is a school's. Several, beside people who vote for
// the same from where everybody does, are those of a place where votes are cheap, or of a
// school's people abroad: what tells them apart is another family. Such a hand is judged as all
// are, but that its networks may hold and never void, as they are what it was chosen by.
const abroad = "abroad"

const (
	leastNetwork, mostNetwork = -1.5, 2.5 // what a network may count for

	ofOneEntry  = 0.8  // share of a network's voters who vote for one entry, from which it is that entry's
	severalFold = 2.0  // and how many times the others' share that is
	fewNetworks = 4.0  // effective number: a town or a country has fewer that many people have
	itsCountry  = 0.8  // share of an entry's voters who are from such networks, from which they are its country's
	elsewhere   = 0.25 // share of the others who are from such networks of their entries, from which that is how this contest is
	foreign     = 1.0  // log-odds of a network from which hardly anybody but members votes
)

// homeAlone tells whether a voter has an address that nobody else has: of one that is shared it
// says itself what there is to say, and a campus is a school's.
func (t *table) homeAlone(v int32) bool {
	net := t.net.of[v]
	return net != unseen && t.net.voters[net] == 1 && !t.isCampus(v)
}

// judgeASN is what the network of a voter says beyond what their address, or its block, does.
func (h *hand) judgeASN(v int32, w, own, address float64, learn *poolCount, s *strangers) float64 {
	odds := h.ofNetwork(v, w, own, learn, s)
	if odds > 0 {
		return max(0, min(odds, mostNetwork)-max(address, 0))
	}
	return min(0, max(odds, leastNetwork)-min(address, 0))
}

// ofNetwork holds the network of a voter against the crowd's of the same entries.
func (h *hand) ofNetwork(v int32, w, own float64, learn *poolCount, s *strangers) float64 {
	c, t := h.c, h.c.t
	k := t.asn.of[v]
	if k == unseen || !t.homeAlone(v) {
		return 0
	}
	if h.asn[k]-w <= nothing {
		learn.of += w
		return s.lacks[atASN]
	}
	p := c.expected(v, c.byASN, c.inASN, max(c.asn[k]-own, 0.3)/c.mass, own)
	return h.pools[atASN].ratio(h.asn[k]-w, h.withASN-w, w, p, learn)
}

// networks is the effective number of networks from which members vote and hardly anybody else
// does; 0 where not most of the members do.
func (h *hand) networks(s *strangers) float64 {
	by := map[int32]float64{}
	var unlearned poolCount
	sum, squares := 0.0, 0.0
	for _, v := range h.who {
		w := h.w[v]
		if w < faint || h.ofNetwork(v, w, 1-h.c.taken[v], &unlearned, s) < foreign {
			continue
		}
		k := h.c.t.asn.of[v]
		squares += w * (2*by[k] + w)
		by[k] += w
		sum += w
	}
	if sum < oneAddress*h.mass {
		return 0
	}
	return sum * sum / max(squares, nothing)
}

// abroad are the cohorts of that name, one an entry at the most, that gain more than limit: in
// log-likelihood, of their networks being the entry's over their being everybody's.
func (c *crowd) abroad(x *index, limit float64) (found []cohort) {
	t := c.t
	voters, all := 0.0, make([]float64, t.asn.size()) // by network
	for v, k := range t.asn.of {
		if k != unseen && !t.isCampus(int32(v)) {
			all[k]++
			voters++
		}
	}
	entries := x.group("entry")
	here := make([]float64, t.asn.size())
	type candidate struct {
		cohort
		at, theirs float64 // voters of the entry whose network is known; from networks of its own
	}
	var candidates []candidate
	elsewhereToo := 0.0
	for e := range entries.n {
		members := entries.members(e)
		if len(members) < fewNetworks*leastCohort {
			continue
		}
		co := candidate{cohort: cohort{name: abroad, share: ofOneEntry}}
		clear(here)
		for _, v := range members {
			if k := t.asn.of[v]; k != unseen && !t.isCampus(v) {
				here[k]++
				co.at++
			}
		}
		squares := 0.0
		for k, y := range here {
			q, p := y/max(all[k], 1), (co.at-y+1)/(voters-all[k]+2)
			if y < leastCohort || q < ofOneEntry || q < severalFold*p {
				here[k] = 0
				continue
			}
			co.theirs, squares = co.theirs+y, squares+y*y
			co.gain += y * math.Log(q/p)
			if q < 1 {
				co.gain += (all[k] - y) * math.Log((1-q)/(1-p))
			}
		}
		if co.theirs*co.theirs < fewNetworks*squares || co.gain < limit {
			continue
		}
		for _, v := range members {
			if k := t.asn.of[v]; k != unseen && here[k] > 0 && t.homeAlone(v) {
				co.members = append(co.members, v)
			}
		}
		elsewhereToo += co.theirs
		candidates = append(candidates, co)
	}
	for _, co := range candidates {
		if co.theirs < itsCountry*co.at && elsewhereToo-co.theirs < elsewhere*(voters-co.at) {
			found = append(found, co.cohort)
		}
	}
	return found
}
