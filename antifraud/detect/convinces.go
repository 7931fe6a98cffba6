package detect

// What an honest community could have, too, does not convince; here is what that is.

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

	oneAddress    = 0.7 // of the members: they are of one home or room
	fewDevices    = 4.0 // effective number
	fewAddresses  = 4.0
	moreThanExits = 2.5 // effective number of addresses: a school has a way out or two
	manyShared    = 8.0 // effective number of devices, or of addresses: a pool that no community has
	leastDrawn    = 12  // members who tell what they draw from: of eight devices some eight pairs have one in common, give or take a third

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
	// elsewhere a small room of machines is quick by chance, too: seven in a thousand are. Where nobody
	// has the device elsewhere that says as much as 6 in ln, which a place that many vote from hides.
	nobodyElses = 6.0
	leastInTurn = 3.0 // in all
)

// leastFamily is, in ln, what chance does not bring: for structure and devices it is
// more, as there are very many of both to look at.
var leastFamily = [families]float64{byDevice: 25, byTempo: 8, byNetwork: 10, byAccount: 8, byStructure: 35, byProvenance: 15}

// convinces tells whether a hand's composition is another than the crowd's, by two
// families, one of them a look: what else could an honest community have? strong
// hands are convincing enough to void. What holds is told by [evidence.holds]. It notes
// the families in firm and some.
func (e *evidence) convinces(h *hand, limit float64) (strong, ok bool) {
	if h.mass < leastHand || h.leavesNoCrowd() || e.all < limit-toHold || e.place+h.common < leastPlace || e.resembles(h.mass) {
		return false, false
	}
	e.note(h.mass)
	if e.pageless && !e.firm[byDevice] && !e.firm[byNetwork] && !e.firm[byAccount] {
		return false, false // whoever runs no scripts has friends, and they vote for the same
	}
	e.excuse(h)
	strong = e.firmly() >= 2 && e.looks() && e.all >= limit
	if h.mass > mostShare*float64(h.c.n) && !(strong && (e.hired() || e.machines(h.mass))) {
		return false, false
	}
	if e.firm[byDevice] && e.pool < fewDevices && !e.firm[byTempo] && !e.firm[byNetwork] && !e.firm[byAccount] {
		strong = false // friends with one model of phone, who vote for the same
	}
	ok = strong || e.holds(h.mass, limit) || e.dealtInStep(h.mass) && h.dealsOut()
	if e.firmly() == 2 && e.firm[byDevice] && (e.people(h.mass) || e.class(h.mass)) {
		strong = false
	}
	return strong, ok
}

// resembles tells whether a look is more like the crowd's than the crowd is. A farm by
// calls may have a phone for each pass.
func (e *evidence) resembles(members float64) bool {
	for f, x := range e.by {
		if isLook[f] && x < -max(2, unlike*members) && !(e.pageless && f == byDevice) {
			return true
		}
	}
	return false
}

// note fills in which families bring enough.
func (e *evidence) note(members float64) {
	for f, x := range e.by {
		e.some[f], e.firm[f] = x >= max(leastFamily[f], weakly[f]*members), x >= e.needs(f, members)
	}
	if e.clock > 0 && e.clock >= weakly[byTempo]*members {
		e.some[byTempo] = true
	}
	if e.madeUp {
		e.some[byDevice] = e.firm[byDevice]
	}
	if e.fewExits || e.oneRegion {
		e.firm[byNetwork] = false // a school behind a security service has a data centre's address or two, and one abroad its country's blocks
	}
}

// needs is, in ln, what a family has to bring to void with another.
func (e *evidence) needs(f int, members float64) float64 {
	each := strongly[f]
	switch {
	case f != byDevice:
	case e.madeUp:
		each = invented
	case e.pool >= fewDevices:
	case e.machine >= oneDevice && e.by[byTempo] >= hurried*members:
		each = ownPhone
	default:
		each = ownModel
	}
	return max(leastFamily[f], each*members)
}

// excuse takes back what a community of people has.
func (e *evidence) excuse(h *hand) {
	if e.firmly() == 2 && e.firm[byNetwork] && e.firm[byTempo] && e.by[byTempo] < brisk*h.mass {
		e.firm[byTempo] = false // schools behind one security service, some classes of which are quick
	}
	if e.firm[byStructure] && e.friends(h) {
		e.firm[byTempo], e.firm[byNetwork], e.some[byNetwork] = false, false, false
	}
}

// firmly is how many families there is enough of to void with another.
func (e *evidence) firmly() int { return count(e.firm) }

// looks tells whether one of these says what members look like, and not where they vote.
func (e *evidence) looks() bool {
	for f, firm := range e.firm {
		if firm && isLook[f] {
			return true
		}
	}
	return false
}

var isLook = [families]bool{byDevice: true, byTempo: true, byAccount: true}

func count(are [families]bool) (n int) {
	for _, is := range are {
		if is {
			n++
		}
	}
	return n
}

// people tells whether members may be a farm's of people: a model of phone and its browser,
// which are one thing, and bad accounts.
func (e *evidence) people(members float64) bool {
	return e.firm[byAccount] && e.by[byDevice]-e.model < e.needs(byDevice, members)
}

// class tells whether members may be of one lesson: machines are alike there, and so is the
// pace. Who is alone at one machine takes turns, or is in more of a hurry than any class.
func (e *evidence) class(members float64) bool {
	return e.room && e.firm[byTempo] && e.turns < leastFamily[byTempo] && e.by[byTempo] < hurried*members
}

// hired tells whether a hand is a program's on rented machines, whatever share of a contest
// that just began it is: through many addresses of networks where nobody lives, in a hurry. A
// school behind a data centre has one or two.
func (e *evidence) hired() bool {
	return e.firm[byNetwork] && e.firm[byTempo] && e.addresses >= manyShared && e.rented
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
// votes, of many networks, or at least somewhat in step, as who votes for popular entries is with many. A school behind a
// data centre or a security service has addresses in one network, or in few, and votes for its own.
func (e *evidence) hosted(members float64) bool {
	return e.rented && e.addresses >= manyShared && e.pooled >= oneRoom && e.by[byNetwork] >= pooledDevices*members &&
		(e.networks >= manyShared || e.somewhatInStep(members))
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

// dealtInStep tells whether few devices are enough to hold, where they are dealt out over addresses: members vote in step.
func (e *evidence) dealtInStep(members float64) bool {
	return e.by[byDevice] >= max(leastFamily[byDevice], pooledDevices*members) && e.by[byStructure] >= e.needs(byStructure, members)
}

// holds tells whether one family is so plain that the hand is held.
func (e *evidence) holds(members, limit float64) bool {
	brings := func(family int, each float64) bool { return e.by[family] >= max(leastFamily[family], each*members) }
	oneHome := e.one > oneAddress
	inPool := e.firm[byStructure] && e.addresses >= manyShared && e.pooled >= mostPooled
	some := count(e.some)
	// The quick of a room have its machine, too, and are a part of those who have.
	few := members < roomful && e.machine >= oneDevice && (e.most || e.by[byTempo] >= hurried*members)
	switch {
	// Many devices are shared.
	case e.by[byDevice] >= pooledDevices*members && (e.pool >= manyShared || members >= leastDrawn && e.drawn >= manyShared && e.all >= limit):
	// Many addresses are, and entries are in lockstep.
	case inPool && e.by[byNetwork] >= pooledAddresses*members:
	case e.hosted(members):
	case e.housed(members):
	// Some devices are, through several addresses from which hardly anybody else votes.
	case e.pool >= fewDevices && brings(byDevice, pooledDevices) && e.pooled >= oneRoom && e.addresses >= moreThanExits:
	// Devices are made up, and addresses are those of a pool.
	case e.madeUp && e.some[byNetwork] && e.pooled >= mostPooled && e.addresses >= moreThanExits && e.all >= limit:
	// Many addresses are, and accounts are somewhat bad.
	case e.some[byAccount] && brings(byNetwork, 2*pooledAddresses) && e.pooled >= oneAddress && e.addresses >= manyShared:
	case inPool && e.by[byStructure] >= lockstep*members && e.some[byNetwork]:
	// Many addresses are, with some devices, or browsers where no device is known.
	case e.some[byDevice] && (e.bare || e.pool >= manyShared) && e.by[byNetwork] >= pooledAddresses*members && e.addresses >= manyShared:
	case e.some[byDevice] && e.some[byNetwork] && e.by[byDevice]+e.by[byNetwork] >= pooledDevices*members && e.pool >= manyShared && e.addresses >= manyShared:
	// A few votes are of one machine that nobody else has, or it never sleeps, or is at one address and in a hurry.
	case few && brings(byDevice, nobodyElses) && e.by[byTempo] >= brisk*members && (oneHome || e.by[byTempo] >= leastInTurn):
	case few && e.seated && brings(byDevice, strongly[byDevice]) && e.by[byTempo] >= brisk*members/2 && e.by[byTempo]+e.awake >= max(leastInTurn, brisk*members):
	case e.sleepless >= leastSleepless && e.machine >= oneDevice && brings(byDevice, strongly[byDevice]):
	case oneHome && e.pool < fewDevices && brings(byDevice, strongly[byDevice]) && e.by[byTempo] >= max(leastBrisk, brisk*members):
	// Accounts are bad, and there is a little of another family, or one address.
	case brings(byAccount, badAccounts) && (some >= 2 || some == 1 && oneHome && members >= manyShared):
	default:
		return false
	}
	return true
}
