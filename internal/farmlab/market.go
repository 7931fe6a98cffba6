package farmlab

import (
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
)

// Market is a contest that was played, and what a farm finds in it to work with: the
// phones that people have, addresses for rent, the schools' links. It is the same for
// the same mix and seed, as long as the same is asked for in the same order. It is
// for one goroutine.
type Market struct {
	*Workload
	w *world
}

// OpenMarket plays mix and stays there.
func OpenMarket(mix Mix, seed uint64) *Market {
	w := newWorld(mix, seed)
	m := &Market{Workload: w.play(), w: w}
	w.on("market")
	return m
}

// Opens is when voting does.
func (m *Market) Opens() time.Time { return m.w.calendar.opens }

// Closes is when voting does.
func (m *Market) Closes() time.Time { return m.w.calendar.closes }

// Address is what evidence tells of where an attempt comes from.
type Address struct {
	Net, Block string
	ASN        uint32
	Kind       antifraud.NetKind
}

func addresses(of []address) []Address {
	all := make([]Address, len(of))
	for i, a := range of {
		all[i] = Address{a.net, a.block, a.asn, a.kind}
	}
	return all
}

// Machines are n addresses of data centres: of a few of them, neighbours by the block.
func (m *Market) Machines(n int) []Address { return addresses(m.w.rented(n, 1+n/12)) }

// Homes are n addresses of homes whose owners do not know it; some of them vote too.
func (m *Market) Homes(n int) []Address { return addresses(m.w.proxies(n, 0.3)) }

// Carriers are n addresses of carriers, behind which people are too.
func (m *Market) Carriers(n int) []Address {
	all := make([]address, n)
	for i := range all {
		all[i] = m.w.onMobile()
	}
	return addresses(all)
}

// Gadget is what pages see of a phone or a computer.
type Gadget struct{ Device, Agent string }

// Phone is one as people have: half of the time a model that strangers have too.
func (m *Market) Phone() Gadget {
	g := m.w.own()
	return Gadget{g.device, g.agent}
}

// Device is one that nobody has, of an agent that is about.
func (m *Market) Device() Gadget { return Gadget{m.w.name(), m.Agent()} }

// Agent is one that is about, the common ones more often.
func (m *Market) Agent() string { return m.w.gadgets.agents[m.w.gadgets.used.draw(m.w.dice)] }

// Profile is an account in a community: minted is one made by the thousand, else it
// is bought with some years and some posts. Nil where passes carry none.
func (m *Market) Profile(isMinted bool) *antifraud.EvidenceProfile {
	if m.w.mix.Members.Profiles == 0 {
		return nil
	}
	if isMinted {
		return m.w.profile(minted)
	}
	return m.w.profile(aged)
}

// Visit is how somebody says they came.
type Visit struct {
	Referrer antifraud.Referrer
	Via      string
	Opened   bool
}

// Comes is how people come to an entry who are not invited.
func (m *Market) Comes(entry int) Visit {
	come := m.w.comes(entry)
	if come.referrer == antifraud.ReferrerEmbed { // takes the vote of another's page
		come = visit{referrer: antifraud.ReferrerSite}
	}
	return Visit{come.referrer, come.via, come.opened}
}

// Linked is a visit by the link of the entry's school, which everybody may have.
func (m *Market) Linked(entry int) Visit {
	come := m.w.byLink(m.w.entries[entry].school)
	return Visit{come.referrer, come.via, come.opened}
}

// Entry names an entry and its school.
func (m *Market) Entry(i int) (id, school string) {
	return m.w.entries[i].id, m.w.schools[m.w.entries[i].school].id
}

// Liked is an entry as the public would choose it.
func (m *Market) Liked() int { return m.w.liked.draw(m.w.dice) }

// Modest is an entry of the middle: one that pays for votes because it needs them.
func (m *Market) Modest() int {
	votes := map[string]int{}
	for i := range m.Ballots {
		votes[m.Ballots[i].Entry]++
	}
	best, middle := 0, len(m.w.entries)/2
	for i, e := range m.w.entries {
		more := 0
		for _, other := range m.w.entries {
			if votes[other.id] > votes[e.id] {
				more++
			}
		}
		if more <= middle && (votes[e.id] < votes[m.w.entries[best].id] || i == 0) {
			best = i
		}
	}
	return best
}

// Hour is an instant of a span at which people vote.
func (m *Market) Hour(from, to time.Time) time.Time {
	return m.w.calendar.by(m.w.dice, window{from, to})
}

// Float is uniform from 0 to 1, by the market's own dice.
func (m *Market) Float() float64 { return m.w.Float64() }

// Norm is a draw from the standard normal distribution.
func (m *Market) Norm() float64 { return m.w.NormFloat64() }

// Int is uniform below n.
func (m *Market) Int(n int) int { return m.w.IntN(n) }

// Name is a name that nobody has.
func (m *Market) Name() string { return m.w.name() }

// Ballot is one with an id of its own.
func (m *Market) Ballot() detect.Ballot { return detect.Ballot{ID: m.w.uuid()} }

// Pace is how long people look, in seconds, and how long until they confirm, in
// milliseconds: medians.
func (m *Market) Pace() (dwell, confirm float64) { return m.w.habits.pace, m.w.habits.confirm }

// Forget takes from evidence what this contest's pages do not send.
func (m *Market) Forget(e *antifraud.Evidence) { m.w.forget(e) }
