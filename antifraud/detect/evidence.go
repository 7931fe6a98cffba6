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
	addresses float64        // how many addresses they share, likewise
	pooled    float64        // share of members at addresses that several of them have, and hardly a stranger
	rented    bool           // most members vote from where machines are rented
	model     float64        // of device: what agents say that is said already, as all phones of that model show them
	pageless  bool           // tempo is that members open no page, as some people's browsers do not
	bare      bool           // no device is known of anybody: browsers are all there is of it
	madeUp    bool           // no stranger has a device of the members', where people's are such as others have
	fewExits  bool           // they share no more addresses than a school behind a security service has
	room      bool           // members have one device, or at home a roomful of them each, and vote from one address
	turns     float64        // of tempo: that members vote in turn, as one person does
	sleepless float64        // of tempo: that one machine votes through the day and the night
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
	e.pooled, e.rented = h.pooled(), 2*h.rented > h.mass
	e.fewExits = e.addresses < fewAddresses && !(h.abroad && h.networks(same) >= fewNetworks)
	e.drawn = h.drawn(&h.c.t.device, h.device)
	_, most := h.topDevice()
	e.machine = most / h.mass
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
	e.sleepless = h.sleepless()
	e.by[byTempo], e.clock = max(e.by[byTempo], h.haste())+e.turns+e.sleepless, h.clock()
	return e
}

// firmly is how many families there is enough of to void with another.
func (e *evidence) firmly() (n int) {
	for _, firm := range e.firm {
		if firm {
			n++
		}
	}
	return n
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

// What each family has to bring, per member, to count as one: many members make
// anything significant, and what is found by looking for it fits a little by itself.
var (
	strongly = [families]float64{byDevice: 2.5, byTempo: 0.12, byNetwork: 1, byAccount: 0.3, byStructure: 1.5, byProvenance: 0.4}
	weakly   = [families]float64{byDevice: 1, byTempo: 0.06, byNetwork: 0.5, byAccount: 0.15, byStructure: 1.2, byProvenance: 0.4}
)

const (
	leastPlace = 2.0  // mean log-odds by place: a hand that votes where everybody does has drifted
	toHold     = 15.0 // ln below the limit that is enough to hold, and not to void
	unlike     = 0.1  // ln per member: a look that says less against a hand says nothing

	oneAddress   = 0.7 // of the members: they are of one home or room
	fewDevices   = 4.0 // effective number
	fewAddresses = 4.0
	manyShared   = 8.0 // effective number of devices, or of addresses: a pool that no community has
	leastDrawn   = 12  // members who tell what they draw from: of eight devices some eight pairs have one in common, give or take a third

	// One person's phone may be one that many have: it says less, and the pace more. Who
	// have that phone on one campus, and are quick by chance, have no pace in common;
	// and of the quick with devices of their own some always have one agent.
	ownPhone = 1.2
	ownModel = 2.8 // where the pace is no more than quick
	hurried  = 0.8
	invented = 0.3 // of devices that are made up: that one has a device to themselves says little

	// What one family has to bring, in ln per member, to hold a hand nearly alone.
	pooledDevices   = 3.2
	pooledAddresses = 1.2
	mostPooled      = 0.4 // of the members, at addresses of a pool: friends share a carrier's with everybody, and some a home
	lockstep        = 3.0 // of entries: fans who vote as much in step live each at home, so addresses need say but some
	somewhat        = 0.5 // of entries, where addresses say as much as devices, or with a pace
	badAccounts     = 0.4
	leastSleepless  = 4.0 // in all
	brisk           = 0.3 // of the haste at one machine: people take their time
	leastBrisk      = 2.0 // in all

	// Of fewer than a roomful, with one machine that nobody else has: so few cannot bring what
	// a pace takes of many. At one home they are one person or one household's tablet;
	// elsewhere a small room of machines is quick by chance, too: seven in a thousand are.
	nobodyElses = 6.0
	leastInTurn = 3.0 // in all
)

// leastFamily is, in ln, what chance does not bring: for structure and devices it is
// more, as there are very many of both to look at.
var leastFamily = [families]float64{byDevice: 25, byTempo: 8, byNetwork: 10, byAccount: 8, byStructure: 35, byProvenance: 15}

// convinces tells whether a hand's composition is another than the crowd's, by two
// families, one of them a look: what else could an honest community have? strong
// hands are convincing enough to void. Devices or addresses that members share, or
// accounts with a little of anything else, convince enough to hold. It notes the
// families in firm and some.
func (e *evidence) convinces(h *hand, limit float64) (strong, ok bool) {
	if h.mass < leastHand || h.leavesNoCrowd() || e.all < limit-toHold || e.place+h.common < leastPlace {
		return false, false
	}
	looks, firm, some := 0, 0, 0
	model := false // device is firm only by a model of phone and its browser, which are one thing: that and bad accounts may be of a farm of people
	for f, x := range e.by {
		look := f == byDevice || f == byTempo || f == byAccount
		if look && x < -max(2, unlike*h.mass) && !(e.pageless && f == byDevice) { // a farm by calls may have a phone for each pass
			return false, false // looks more like the crowd than the crowd does
		}
		if x >= max(leastFamily[f], weakly[f]*h.mass) || f == byTempo && e.clock >= weakly[f]*h.mass && e.clock > 0 {
			some++
			e.some[f] = true
		}
		need := strongly[f]
		switch {
		case f != byDevice:
		case e.madeUp:
			need = invented
			if e.some[f] = x >= max(leastFamily[f], need*h.mass); e.some[f] {
				some++
			}
		case e.pool >= fewDevices:
		case e.machine >= oneDevice && e.by[byTempo] >= hurried*h.mass:
			need = ownPhone
		default:
			need = ownModel
		}
		if f == byNetwork && e.fewExits {
			continue // a school behind a security service has a data centre's address or two
		}
		if x >= max(leastFamily[f], need*h.mass) {
			e.firm[f] = true
			model = model || f == byDevice && x-e.model < max(leastFamily[f], need*h.mass)
			firm++
			if look {
				looks++
			}
		}
	}
	if e.pageless && !e.firm[byDevice] && !e.firm[byNetwork] && !e.firm[byAccount] {
		return false, false // whoever runs no scripts has friends, and they vote for the same
	}
	if firm == 2 && e.firm[byNetwork] && e.firm[byTempo] && e.by[byTempo] < brisk*h.mass {
		e.firm[byTempo] = false // schools behind one security service, some classes of which are quick
		firm, looks = 1, 0
	}
	if e.firm[byStructure] && e.friends(h) {
		for _, f := range [...]int{byTempo, byNetwork} {
			if e.firm[f] {
				e.firm[f] = false
				firm--
			}
		}
		looks = 0
		if e.firm[byDevice] {
			looks = 1
		}
		if e.some[byNetwork] {
			e.some[byNetwork] = false
			some--
		}
	}
	strong = firm >= 2 && looks >= 1 && e.all >= limit
	if h.mass > mostShare*float64(h.c.n) && !(strong && (e.hired(h) || e.machines(h.mass))) {
		return false, false
	}
	if e.firm[byDevice] && e.pool < fewDevices && !e.firm[byTempo] && !e.firm[byNetwork] && !e.firm[byAccount] {
		strong = false // friends with one model of phone, who vote for the same
	}
	ok = strong || e.holds(h.mass, some, limit)
	if firm == 2 && e.firm[byDevice] && (model && e.firm[byAccount] || e.class(h.mass)) {
		strong = false
	}
	return strong, ok
}

// class tells whether members may be of one lesson: machines are alike there, and so is the
// pace. Who is alone at one machine takes turns, or is in more of a hurry than any class.
func (e *evidence) class(members float64) bool {
	return e.room && e.firm[byTempo] && e.turns < leastFamily[byTempo] && e.by[byTempo] < hurried*members
}

// hired tells whether a hand is a program's on rented machines, whatever share of a contest
// that just began it is: through many addresses of networks where nobody lives, in a hurry. A
// school behind a data centre has one or two.
func (e *evidence) hired(h *hand) bool {
	return e.firm[byNetwork] && e.firm[byTempo] && e.addresses >= manyShared && 2*h.rented > h.mass
}

// leavesNoCrowd tells whether hardly anybody is left to hold the hand against.
func (h *hand) leavesNoCrowd() bool {
	n := float64(h.c.n)
	return h.mass > mostRented*n && n-h.mass < ampleCrowd
}

// machines tells whether a hand is of machines that nobody else votes with, in a hurry, for
// what all others do not vote for: many of them, evenly shared, or one at one home. What is
// more than half of a contest shows that as plainly as what is less: those who are left have
// phones and a pace of their own.
func (e *evidence) machines(members float64) bool {
	many := e.pool >= manyShared && e.by[byDevice] >= pooledDevices*members && e.by[byTempo] >= brisk*members
	one := e.machine >= oneDevice && e.one > oneAddress && e.by[byTempo] >= hurried*members
	return e.firm[byDevice] && e.firm[byTempo] && (many || one)
}

// seldom is how far, of what structure has to bring, a hand is on its way that could
// still get there. All hands that ever did were beyond it.
const seldom = 0.7

// hopeless tells of a hand that EM has settled roughly whether it is so far from
// convincing that more members would not help: no look brings anything, and what
// members vote for brings too little. Nearly all hands end here, as most cohorts are no
// farm's, and their members are found by going through a good part of all voters.
func (e *evidence) hopeless(members float64) bool {
	for _, look := range [...]int{byDevice, byTempo, byAccount} {
		if e.by[look] >= weakly[look]*members {
			return false
		}
	}
	if e.madeUp && e.by[byDevice] >= invented*members/2 {
		return false
	}
	return e.by[byStructure] < seldom*strongly[byStructure]*members && !e.hosted(members)
}

// hosted tells whether nearly all members vote through many rented addresses, evenly, from which hardly anybody else
// votes, and at least somewhat in step, as who votes for popular entries is with many. A school behind a data centre has
// few such addresses, and votes for its own.
func (e *evidence) hosted(members float64) bool {
	return e.rented && e.addresses >= manyShared && e.pooled >= oneRoom && e.by[byNetwork] >= pooledDevices*members && e.somewhatInStep(members)
}

// housed tells whether nearly all members vote through the homes of a pool, evenly, at least somewhat in step and quick.
func (e *evidence) housed(members float64) bool {
	quick := e.by[byTempo] >= max(leastFamily[byTempo], strongly[byTempo]*members)
	return quick && e.addresses >= manyShared && e.pooled >= oneRoom && e.by[byNetwork] >= pooledAddresses*members && e.somewhatInStep(members)
}

// somewhatInStep tells whether members vote in step at least as far as popular entries let it be seen.
func (e *evidence) somewhatInStep(members float64) bool {
	return e.by[byStructure] >= max(leastFamily[byStructure], somewhat*members)
}

// holds tells whether one family is so plain that the hand is held: many devices, or
// many addresses and entries in lockstep, or somewhat in step where these are rented or the pace is quick, or with some devices, or browsers where none is known, shared among members; one machine at one
// address, in a hurry, or a few votes of one that nobody else has; bad accounts with a little of some other family, or of one address.
func (e *evidence) holds(members float64, some int, limit float64) bool {
	brings := func(family int, each float64) bool { return e.by[family] >= max(leastFamily[family], each*members) }
	oneHome := e.one > oneAddress
	inPool := e.firm[byStructure] && e.addresses >= manyShared && e.pooled >= mostPooled
	switch {
	case e.by[byDevice] >= pooledDevices*members && (e.pool >= manyShared || members >= leastDrawn && e.drawn >= manyShared && e.all >= limit):
	case inPool && e.by[byNetwork] >= pooledAddresses*members:
	case e.hosted(members):
	case e.housed(members):
	case inPool && e.by[byStructure] >= lockstep*members && e.some[byNetwork]:
	case e.some[byDevice] && (e.bare || e.pool >= manyShared) && e.by[byNetwork] >= pooledAddresses*members && e.addresses >= manyShared:
	case e.some[byDevice] && e.some[byNetwork] && e.by[byDevice]+e.by[byNetwork] >= pooledDevices*members && e.pool >= manyShared && e.addresses >= manyShared:
	case members < roomful && e.machine >= oneDevice && brings(byDevice, nobodyElses) && e.by[byTempo] >= brisk*members && (oneHome || e.by[byTempo] >= leastInTurn):
	case e.sleepless >= leastSleepless && e.machine >= oneDevice && brings(byDevice, strongly[byDevice]):
	case oneHome && e.pool < fewDevices && brings(byDevice, strongly[byDevice]) && e.by[byTempo] >= max(leastBrisk, brisk*members):
	case brings(byAccount, badAccounts) && (some >= 2 || some == 1 && oneHome && members >= manyShared):
	default:
		return false
	}
	return true
}
