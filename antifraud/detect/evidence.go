package detect

import (
	"math"

	"github.com/joute/joute/antifraud"
)

// The families that a cohort is judged by. Provenance is asked only where the pace is no
// people's: honest communities come by one link, too.
const (
	byDevice = iota
	byTempo
	byNetwork
	byAccount
	byStructure
	byProvenance
	families
)

var familyOf = [families]antifraud.Family{
	byDevice: antifraud.FamilyDevice, byTempo: antifraud.FamilyTempo, byNetwork: antifraud.FamilyNetwork,
	byAccount: antifraud.FamilyAccount, byStructure: antifraud.FamilyStructure,
	byProvenance: antifraud.FamilyProvenance,
}

// evidence is the gain in log-likelihood that each family brings over all the
// rest: the likelihood ratio of the cohort as a mixture, against it being crowd.
type evidence struct {
	by        [families]float64
	all       float64
	place     float64        // mean log-odds by place, of a member
	firm      [families]bool // enough of it to void with another
	some      [families]bool // enough of it to hold with another
	one       float64        // share of members at the busiest address, where that is no campus
	pool      float64        // how many devices the members share, evenly: the inverse of Simpson's index
	drawn     float64        // how many devices they draw from, estimated without bias
	machine   float64        // share of members with the device that most have
	most      bool           // members are half or more of those who have the device that most of them have
	seated    bool           // nobody has that device elsewhere than at the busiest address
	addresses float64        // how many addresses they share, likewise
	pooled    float64        // share of members at addresses that several of them have, and hardly a stranger
	rented    bool           // most members vote from where machines are rented
	networks  float64        // effective number of the networks (AS) that they vote from
	model     float64        // of device: what agents say that is said already, as all phones of that model show them
	pageless  bool           // tempo is that members open no page, as some people's browsers do not
	bare      bool           // no device is known of anybody: browsers are all there is of it
	madeUp    bool           // no stranger has a device of the members', where people's are such as others have
	fewExits  bool           // they share no more addresses than a school behind a security service has
	oneRegion bool           // most have an address to themselves, in no more networks than a town or a country has
	room      bool           // members have one device, or at home a roomful of them each, and vote from one address
	turns     float64        // of tempo: that members vote in turn, as one person does
	sleepless float64        // of tempo: that one machine votes through the day and the night
	awake     float64        // that few votes of one machine are around the clock: beside tempo, to hold one person and not several at a machine
	clock     float64        // of tempo: that members vote around the clock; it is of none of them, so it never voids
}

// split sums a voter's terms by family, of what speaks against the members as a
// whole. An address that is one of the hand's two busiest is left out: a farm goes
// through many, an honest community has one or two of its own.
func (h *hand) split(v int32, out *terms, busiest [2]int32) (by [families]float64) {
	c, t := h.c, h.c.t
	by[byDevice] = out[atAgent]
	if h.sharing() || h.madeUp() {
		by[byDevice] += out[atDevice]
	}
	if h.hasty() {
		by[byTempo] = out[atDwell]
	}
	by[byNetwork] = out[atKind]
	if k := t.net.of[v]; !t.isCampus(v) && k != busiest[0] && k != busiest[1] {
		by[byNetwork] += out[atNet] + out[atASN]
	}
	if h.dubious() {
		by[byAccount] = out[atAccount]
	}
	if from, to := c.t.acts(v); to-from > 1 { // one vote goes where everybody's goes
		by[byStructure] = min(out[atEntries], h.together(v)) * float64(to-from-1) / float64(to-from)
	}
	if h.mechanical() {
		by[byProvenance] = out[atVia] + out[atReferrer]
	}
	return by
}

// busiest are the two addresses that most members have.
func (h *hand) busiest() [2]int32 {
	most, y := [2]int32{unseen - 1, unseen - 1}, [2]float64{}
	seen := map[int32]bool{}
	for _, v := range h.who {
		k := h.c.t.net.of[v]
		if k == unseen || seen[k] {
			continue
		}
		seen[k] = true
		switch n := h.net[k]; {
		case n > y[0]:
			most[1], y[1], most[0], y[0] = most[0], y[0], k, n
		case n > y[1]:
			most[1], y[1] = k, n
		}
	}
	return most
}

// weighEvidence adds up what each family says of the candidates, given the rest. others is
// by voter what farms that are known take: what these explain is no evidence for one more,
// else a farm's looks would convict whoever has one thing in common with it.
func (h *hand) weighEvidence(others []float64) (e evidence) {
	prior, busiest, same := h.prior(), h.busiest(), h.strangers()
	parts := make([]evidence, len(h.who)/chunk+1)
	chunks(len(h.who), func(part, from, to int) {
		var out terms
		var unlearned [features]poolCount
		p := &parts[part]
		for _, v := range h.who[from:to] {
			h.judge(v, &out, &unlearned, same)
			by := h.split(v, &out, busiest)
			left, x, sum := 1-others[v], prior+out.sum(h.common), 0.0
			for f, s := range by {
				sum += s
				p.by[f] += mixed(x-s, s, left)
			}
			p.all += mixed(x-sum, sum, left)
			p.place += h.w[v] * out.place()
			p.model += h.w[v] * max(0, out[atAgent]-h.browser)
		}
	})
	for _, p := range parts {
		e.all += p.all
		e.place += p.place / h.mass
		e.model += p.model
		for f := range e.by {
			e.by[f] += p.by[f]
		}
	}
	e.pool, e.addresses = h.spread(&h.c.t.device, h.device), h.spread(&h.c.t.net, h.net)
	e.networks = h.spread(&h.c.t.asn, h.asn)
	e.pooled, e.rented = h.pooled(), 2*h.rented > h.mass
	e.fewExits = e.addresses < fewAddresses && !(h.abroad && h.networks(same) >= fewNetworks)
	e.oneRegion = !e.rented && 2*h.ownNet > h.withNet && e.networks > 0 && e.networks < fewNetworks
	e.drawn = h.drawn(&h.c.t.device, h.device)
	machine, most := h.topDevice()
	e.machine = most / h.mass
	e.seated = machine != unseen && h.c.seat[machine] == busiest[0]
	e.most = machine != unseen && 2*most >= float64(h.c.t.device.voters[machine])
	e.room = e.machine >= oneDevice && busiest[0] >= 0 && h.net[busiest[0]] >= oneAddress*h.mass
	for _, v := range h.who {
		if h.c.t.net.of[v] == busiest[0] {
			if !h.c.t.isCampus(v) {
				e.one = h.net[busiest[0]] / h.mass
			}
			break
		}
	}
	e.room = e.room || e.one >= oneAddress && e.pool >= 1 && h.withDevice >= roomful*e.pool
	e.pageless, e.bare = h.pageless(), h.c.withDevice < 1
	e.madeUp = h.madeUp()
	// How long members read and how they follow each other are two things.
	e.turns = max(h.serial(), 0)
	e.sleepless, e.awake = h.sleepless(), h.awake()
	e.by[byTempo], e.clock = max(e.by[byTempo], h.haste())+e.turns+e.sleepless, h.clock()
	return e
}

// spread is the effective number of the values that members share with anybody.
func (h *hand) spread(col *column, members []float64) float64 {
	sum, squares, _ := h.shared(col, members)
	return sum * sum / max(squares, 1e-9)
}

// drawn is the effective number of such values that members draw from, seen or not: few
// draw few of many. It is Simpson's estimate without bias, by how many pairs of members have
// one in common, and very large where none has.
func (h *hand) drawn(col *column, members []float64) float64 {
	sum, squares, own := h.shared(col, members)
	return (sum*sum - own) / max(squares-own, 1e-9)
}

// shared sums up the values that members share with anybody: how many members have one,
// the squares of that by value, and those of each member's own part in it.
func (h *hand) shared(col *column, members []float64) (sum, squares, own float64) {
	seen := map[int32]bool{}
	for _, v := range h.who {
		k := col.of[v]
		if k == unseen || col.voters[k] == 1 {
			continue
		}
		own += h.w[v] * h.w[v]
		if !seen[k] {
			seen[k] = true
			sum, squares = sum+members[k], squares+members[k]*members[k]
		}
	}
	return sum, squares, own
}

// mixed is ln of the likelihood of a voter as a mixture over that as one of the
// crowd: x are the log-odds of being a member without what s adds, left is what no known
// farm takes of them.
func mixed(x, s, left float64) float64 {
	p := left * logistic(x)
	return math.Log(1 - p + p*math.Exp(s))
}
