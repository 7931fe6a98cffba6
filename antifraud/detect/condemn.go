package detect

// condemns tells whether two families that speak against the farm speak against the
// member, one of them neither account nor tempo: one by something that is no person's, or
// both by more than a person shows by chance.
func (f *farm) condemns(n int) bool {
	if f.rhythm && f.w[n] < certain || !f.rhythm && f.confirmed[n].w < beyondChance {
		return false
	}
	var speaks [families]bool
	count, other, plain := 0, false, false
	for family := range speaks {
		if speaks[family] = f.speaks(n, family); !speaks[family] {
			continue
		}
		count++
		other = other || family != byAccount && family != byTempo
		plain = plain || f.plain(n, family)
	}
	if count < 2 || !other {
		return false
	}
	if f.evidence.pageless && !speaks[byDevice] && !speaks[byNetwork] {
		return false // whoever runs no scripts has friends
	}
	if !speaks[byDevice] && !speaks[byNetwork] && !speaks[byAccount] && f.confirmed[n].by[byTempo] <= clearly {
		return false // fans vote in step, and some are quick
	}
	// Members of one machine were chosen by their phone, browser and address: whoever has
	// these shows much of it by that, and nothing more.
	return plain || f.evidence.machine < oneDevice && !f.alibi(n) && f.alike(n) >= byChance
}

// speaks tells whether a family speaks against the member by itself, where it does against
// the farm.
func (f *farm) speaks(n, family int) bool {
	if !f.evidence.firm[family] {
		return false
	}
	own, least := &f.own[n], clearly
	says := f.confirmed[n].by[family]
	switch family {
	case byAccount, byTempo:
		least = against
	case byDevice:
		if own[atDevice] < -against {
			return false // a browser of the farm's, on a device that is not
		}
		if f.evidence.madeUp && f.plain(n, byNetwork) {
			// Many people have a phone that nobody else has, and few rent an address of the
			// farm's. What members say of each other is no part of that: they share none.
			says, least = f.by[n][byDevice], invented/2
		}
	case byNetwork:
		least = pooled
	case byProvenance:
		// So come honest people, at their own pace: the way is of those who keep the
		// farm's, to whom is paid for.
		if f.w[n] < certain || !f.speaks(n, byTempo) || own[atEntries] <= clearly {
			return false
		}
		least = against
	}
	return says > least
}

// plain tells whether what a family says of the member is no person's: a device that
// hardly anybody but members has, and nobody else who can be expected to vote for the same,
// an address of the farm's where machines are rented and people are not, an account, entries in lockstep. A pace, a way to come, a browser, a phone that many have and
// the address of a home are: people are quick now and then, and a farm votes through their
// homes. Of a hundred who vote for whom a farm is paid for, somebody has any two of those.
func (f *farm) plain(n, family int) bool {
	switch own := &f.own[n]; family {
	case byDevice:
		return own[atDevice] > notPopular && f.namesakes[n] < nobody
	case byNetwork:
		return own[atKind] > clearly && own[atNet] > 0 && f.excused[n] == 0
	}
	return family == byAccount || family == byStructure && !f.ofFriends(n)
}

// ofFriends tells whether entries in lockstep may be those of friends, one of whom has a
// phone and a browser that the farm has, too: where these are all that speaks besides.
func (f *farm) ofFriends(n int) bool {
	return f.speaks(n, byDevice) && !f.plain(n, byDevice) && f.alike(n) < inStep
}

const (
	notPopular = 2.0 // log-odds of a device: more than those of a phone that many have
	nobody     = 0.2 // strangers with it at an entry: of those who vote for a leader somebody has any phone that a few have

	// inStep is, in ln, what somebody shows besides who is void by voting in step with a phone
	// that people have: friends vote in step, and some have the farm's.
	inStep = 6.0

	// byChance is, in ln, what somebody shows of a farm who is void by what people have:
	// of those who vote for whom it is paid for, one in some thousands does.
	byChance = 8.0

	// atOtherHours are log-odds of hours at which hardly any member votes. Of a hand that
	// votes at all hours nobody is below.
	atOtherHours = -1.5
)

// alike is, in ln, what a member shows of the farm, beside where and when they voted and
// what a community has.
func (f *farm) alike(n int) float64 {
	own := &f.own[n]
	return own.looks() - own[atProof] + own[atVia] + own[atReferrer] + f.wait[n] - f.excused[n]
}

// excuses are, in ln, what speaks against a member by a rented network, and is what people have: who
// want to be private go through a VPN or Tor, or a browser's relay, whose exits a few share with phones that are
// none of the farm's; and an office has its own addresses at a data centre.
func (h *hand) excuses(v int32, own *terms, office map[int32]bool) float64 {
	switch t := h.c.t; {
	case !t.isRented(v):
		return 0
	case office[t.net.of[v]], own[atDevice] < -against && h.net[at(h.net, t.net.of[v])] < leastHand:
		return max(own[atKind], 0) + max(own[atNet], 0)
	case t.isPrivate(v):
		return max(own[atKind], 0)
	}
	return 0
}

// office are those of the two busiest addresses from which several times as many members vote as
// from any other: a farm deals its addresses out over its votes, and a community has one or two.
func (h *hand) office(busiest [2]int32) map[int32]bool {
	sum, squares, _ := h.shared(&h.c.t.net, h.net)
	for _, k := range busiest {
		if k >= 0 {
			sum, squares = sum-h.net[k], squares-h.net[k]*h.net[k]
		}
	}
	found := map[int32]bool{}
	for _, k := range busiest {
		if k >= 0 && h.net[k] >= uneven*squares/max(sum, 1) {
			found[k] = true
		}
	}
	return found
}

// alibi tells whether something of a member's own is clearly not the farm's: their device
// and browser, their way to come, the wait before they confirm, the hours at which it votes,
// or whom they vote for.
func (f *farm) alibi(n int) bool {
	own := &f.own[n]
	return own[atDevice]+own[atAgent] < -clearly || own[atVia]+own[atReferrer] < -clearly || f.wait[n] < -clearly ||
		own[atHour] < atOtherHours || own[atEntries] <= clearly
}

// beyondChance is the probability of being a member, by what others confirm, from which one
// is void, 6.9 in ln: of the thousands who vote in a contest somebody has two things that
// hardly anybody but a farm has, and is less. A rhythm is confirmed by nobody.
const beyondChance = 0.999

// certain is the probability of being a member from which a rhythm and a way to come are
// enough: log-odds of 7. Whoever comes that way and takes that time by chance is less.
const certain = 0.9991

// leastCondemned is the share of its members against whom two families speak, of a hand
// that is void. Where one is of half of them and the other of another half, a quarter
// have both by chance.
const leastCondemned = 1.0 / 3

// coherent tells whether the families that speak against the hand are of the same
// members, who would be void. Otherwise nobody is: who has both may be one of the crowd
// that two farms, or a farm and a campus, make up between them.
func (f *farm) coherent() bool {
	members, condemned := 0.0, 0.0
	for n, w := range f.w {
		members += w
		if temper(f.confirmed[n].w) > unsure && f.condemns(n) {
			condemned += w
		}
	}
	return condemned >= leastCondemned*members
}
