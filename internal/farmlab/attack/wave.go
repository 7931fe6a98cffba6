package attack

import (
	"math"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// probing is the share of a wave that tries the next grade of a tell, for each tell by
// itself: how the farm learns which of them gives it away.
const probing = 0.15

// shop buys for a farm, and keeps what it bought: what works is used again.
type shop struct {
	m     *farmlab.Market
	costs Costs
	entry int
	wave  int // votes in one

	noInboxes bool // there are none for sale
	stubborn  bool // it tries nothing else
	content   bool // enough survived of the last round: there is nothing to try
	capped    bool // see [Campaign]
	turn      int  // of a capped farm's addresses

	tells   int           // it changes so many in all; 0: as many as it takes
	changed map[Tell]bool // so far

	exits   map[int][]exit // by grade
	gadgets map[int][]farmlab.Gadget
	agents  map[int][]string
	visit   farmlab.Visit

	spent   float64
	rented  map[string]bool // addresses paid for this day
	devices map[string]bool // paid for
}

// exit is an address, and what kind of it is paid for: that tables do not know a
// data centre does not make it cheaper.
type exit struct {
	farmlab.Address
	paid antifraud.NetKind
}

func newShop(m *farmlab.Market, costs Costs, entry, wave int) *shop {
	s := &shop{
		m: m, costs: costs, entry: entry, wave: wave,
		changed: map[Tell]bool{}, exits: map[int][]exit{}, gadgets: map[int][]farmlab.Gadget{}, agents: map[int][]string{}, devices: map[string]bool{},
	}
	ways := []antifraud.Referrer{antifraud.ReferrerDirect, antifraud.ReferrerSocial, antifraud.ReferrerSite}
	s.visit = farmlab.Visit{Referrer: ways[m.Int(len(ways))]}
	return s
}

// can tells whether there is a next grade of a tell for sale, and the farm would take it.
func (s *shop) can(p Plan, t Tell) bool {
	return p.can(t) && !(t == Accounts && s.noInboxes) && (s.tells == 0 || len(s.changed) < s.tells || s.changed[t])
}

// vote is one that was ordered.
type vote struct {
	act    Act
	own    bool // for the entry that pays; else it is there for its looks
	proven bool // a hold of it was answered
}

// order are the votes of one round, within its span. Its price is added to spent.
func (s *shop) order(p Plan, from, to time.Time) []vote {
	s.rented = map[string]bool{}
	if s.capped {
		clear(s.exits) // they are rented by the day: others have no votes of the day before on them
	}
	begins := from
	if room := to.Sub(from); p[Burst] < 2 {
		begins = from.Add(time.Duration(s.m.Float() * 0.8 * float64(room)))
	}
	votes := make([]vote, 0, 2*s.wave)
	for range s.wave {
		mine := p
		for t := range Tell(tells) {
			if !s.stubborn && !s.content && s.can(p, t) && s.m.Float() < probing {
				mine[t]++
			}
		}
		votes = append(votes, s.vote(mine, s.entry, begins, from, to))
		if s.m.Float() < float64(mine[Targets])/2 {
			decoy := s.vote(mine, s.m.Liked(), begins, from, to)
			decoy.own = decoy.act.Entry == votes[len(votes)-1].act.Entry
			votes = append(votes, decoy)
		}
	}
	return votes
}

func (s *shop) vote(p Plan, entry int, begins, from, to time.Time) vote {
	act := Act{Ballot: s.m.Ballot(), Farm: true, Group: "farm", Plan: p}
	act.Entry, act.School = s.m.Entry(entry)
	act.Voter, act.Level = s.m.Name(), "device"
	act.At = s.when(p[Burst], begins, from, to)
	act.Issued = act.At.Add(-time.Duration(5+s.m.Int(20)) * time.Second)
	e := &act.Evidence
	x := s.exit(p[Addresses])
	e.Net, e.Block, e.ASN, e.NetKind = x.Net, x.Block, x.ASN, x.Kind
	if !s.rented[x.Net] {
		s.rented[x.Net] = true
		s.spent += s.costs.address(x.paid)
	}
	g := s.gadget(p[Devices], p[Agents])
	e.Device, e.Agent = g.Device, g.Agent
	if !s.devices[g.Device] {
		s.devices[g.Device] = true
		s.spent += s.costs.Device
	}
	s.look(e, p[Dwell])
	come := s.come(p, entry)
	e.Referrer, e.Via, e.Opened = come.Referrer, come.Via, come.Opened
	s.prove(&act, p[Accounts])
	s.m.Forget(e)
	return vote{act: act, own: entry == s.entry}
}

func (s *shop) when(grade int, begins, from, to time.Time) time.Time {
	room := to.Sub(from)
	switch grade {
	case 0:
		return begins.Add(time.Duration(s.m.Float() * float64(room) / 50))
	case 1:
		return begins.Add(time.Duration(s.m.Float() * float64(room) / 6))
	}
	return s.m.Hour(from, to)
}

func (s *shop) exit(grade int) exit {
	paid := func(kind antifraud.NetKind, of []farmlab.Address) {
		for _, a := range of {
			s.exits[grade] = append(s.exits[grade], exit{a, kind})
		}
	}
	if grade == 3 { // one for each vote, of homes: never the same again
		return exit{s.m.Homes(1)[0], antifraud.NetResidential}
	}
	if len(s.exits[grade]) == 0 {
		switch n := s.wave; grade {
		case 0:
			each := 20
			if s.capped {
				each = DailyCap
			}
			paid(antifraud.NetHosting, s.m.Machines(max(2, (n+each-1)/each)))
		case 1:
			paid(antifraud.NetHosting, s.m.Machines(max(4, n/4)))
		case 2:
			paid(antifraud.NetResidential, s.m.Homes(max(4, n/4)))
		default:
			paid(antifraud.NetMobile, s.m.Carriers(max(4, n/10)))
		}
	}
	if grade == 4 && s.m.Float() < 0.5 {
		return exit{s.m.Homes(1)[0], antifraud.NetResidential}
	}
	if s.capped {
		s.turn++
		return s.exits[grade][s.turn%len(s.exits[grade])]
	}
	return s.exits[grade][s.m.Int(len(s.exits[grade]))]
}

func (s *shop) gadget(grade, agents int) farmlab.Gadget {
	var g farmlab.Gadget
	switch {
	case grade == 3:
		return s.m.Phone() // with the agent that goes with it
	case grade == 2:
		g = s.m.Device()
	default:
		if len(s.gadgets[grade]) == 0 {
			for range max(2, s.wave/[]int{25, 6}[grade]) {
				s.gadgets[grade] = append(s.gadgets[grade], s.m.Device())
			}
		}
		g = s.gadgets[grade][s.m.Int(len(s.gadgets[grade]))]
	}
	if agents == 2 {
		return g
	}
	if len(s.agents[agents]) == 0 {
		for range []int{1, 5}[agents] {
			s.agents[agents] = append(s.agents[agents], s.m.Agent())
		}
	}
	g.Agent = s.agents[agents][s.m.Int(len(s.agents[agents]))]
	return g
}

// look is how long a page is looked at. Medians of programs are what is told of
// them: under a second, or a pause that somebody typed in.
func (s *shop) look(e *antifraud.Evidence, grade int) {
	dwell, confirm := s.m.Pace()
	spread := 0.55
	switch grade {
	case 0:
		dwell, confirm, spread = 0.9, 150, 0.06
	case 1:
		dwell, confirm, spread = 3, 600, 0.2
	}
	looked, confirmed := ms(1000*dwell*math.Exp(spread*s.m.Norm())), ms(confirm*math.Exp(spread*s.m.Norm()))
	visible := true
	e.DwellMS, e.ConfirmMS, e.Visible = &looked, &confirmed, &visible
}

func ms(x float64) int64 { return int64(min(max(x, 1), 3_600_000)) }

func (s *shop) come(p Plan, entry int) farmlab.Visit {
	switch {
	case p[Link] == 1, p[Link] == 2 && s.m.Float() < 0.4:
		return s.m.Linked(entry)
	case p[Referrer] == 1 || p[Link] == 2:
		come := s.m.Comes(entry)
		if p[Link] == 0 {
			come.Via, come.Opened = "", false
		}
		return come
	}
	return s.visit
}

// prove gives a vote an inbox, or where passes carry profiles an account with a past.
func (s *shop) prove(act *Act, grade int) {
	bought := s.m.Float() < float64([]int{0, 1, 3}[grade])/3
	profile := s.m.Profile(!bought)
	switch {
	case profile != nil:
		act.Level, act.Evidence.Profile = "partner", profile
		if bought {
			s.spent += s.costs.AgedAccount
		}
	case bought:
		act.Level = "email"
		s.spent += s.costs.Inbox
	}
}
