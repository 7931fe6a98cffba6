package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// added is a contest of the laboratory that others join.
type added struct {
	*farmlab.Workload
	r      *rand.Rand
	people []antifraud.Evidence // by voter
	users  map[string]int       // voters of a device
	at     map[string]int       // voters at an address
}

func joined(mix farmlab.Mix, seed uint64) *added {
	a := &added{Workload: farmlab.Make(mix, seed), r: rand.New(rand.NewPCG(seed, 11))}
	a.meet()
	return a
}

// meet looks at who votes, as others will be like them.
func (a *added) meet() {
	a.people, a.users, a.at = nil, map[string]int{}, map[string]int{}
	met := map[string]bool{}
	for _, b := range a.Ballots {
		if !met[b.Voter] {
			met[b.Voter] = true
			a.users[b.Evidence.Device]++
			a.at[b.Evidence.Net]++
			a.people = append(a.people, b.Evidence)
		}
	}
}

// person is what evidence shows of somebody as they are in this contest: a phone as people
// have, at an address as they have.
func (a *added) person(voter string) antifraud.Evidence {
	e, phone, pace := a.one(), a.one(), a.one()
	e.Device, e.Agent, e.DwellMS = phone.Device, phone.Agent, pace.DwellMS
	if a.users[e.Device] < 2 {
		e.Device = "device of " + voter
	}
	if a.at[e.Net] < 8 { // of a household
		e.Net, e.Block = "home of "+voter, "block of "+voter
	}
	return e
}

func (a *added) one() antifraud.Evidence {
	return a.people[a.r.IntN(len(a.people))]
}

// add lets n vote for an entry within minutes; each begins as a person.
func (a *added) add(group string, farm bool, n, entry int, minutes float64, change func(e *antifraud.Evidence)) {
	first := a.Ballots[0].At.Add(30 * time.Hour)
	for k := range n {
		voter := fmt.Sprint(group, k)
		e := a.person(voter)
		change(&e)
		a.Labels[voter] = farmlab.Label{Farm: farm, Group: group}
		of := a.Ballots[0]
		of.ID, of.Voter, of.Entry, of.School, of.Evidence = "b"+voter, voter, fmt.Sprint("entry ", entry), "a school", e
		of.At = first.Add(time.Duration(minutes * a.r.Float64() * float64(time.Minute)))
		a.Ballots = append(a.Ballots, of)
	}
}

// paced is a reading time with that median.
func (a *added) paced(ms, sigma float64) *int64 {
	x := int64(ms * math.Exp(sigma*a.r.NormFloat64()))
	return &x
}

func (a *added) outcomes() map[string]outcome {
	var ballots []detect.Ballot
	ballots = append(ballots, a.Ballots...)
	return outcomes(func(v string) string { return a.Labels[v].Group }, whole(ballots).Findings)
}

// pace is the median of the contest's reading times, in milliseconds, about.
func (a *added) pace() float64 {
	sum, n := 0.0, 0.0
	for _, b := range a.Ballots {
		if x := b.Evidence.DwellMS; x != nil && *x > 0 {
			sum, n = sum+math.Log(float64(*x)), n+1
		}
	}
	return math.Exp(sum / n)
}

// A school behind a security service votes from addresses of a data centre; a class of it
// has machines of one model, and another has no time. None of this is two things.
func TestWhole_ASchoolBehindASecurityService(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		a := joined(farmlab.Mix{Entries: 20, Schools: 20, Days: 8, Ballots: 5, Voters: 2500}, seed)
		pace := a.pace()
		behind := func(exits int, haste float64, device string) func(e *antifraud.Evidence) {
			return func(e *antifraud.Evidence) {
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("exit", a.r.IntN(exits)), "exits", 1, antifraud.NetHosting
				e.DwellMS, e.ConfirmMS = a.paced(haste*pace, 0.7), nil
				if device != "" {
					e.Device, e.Agent = device, "agent of "+device
				}
			}
		}
		a.add("school", false, 200, 1, 90, behind(2, 0.6, ""))
		a.add("room", false, 30, 1, 60, behind(1, 0.8, "the school's"))
		for group, o := range a.outcomes() {
			if o.void > 0 || o.share(o.held) > 0.01 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// People who go through a VPN to be private have browsers that look new at each site: that
// nobody else has their device and that their addresses are rented is one thing. It is held at the most.
func TestWhole_AClubOnOneVPN(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
		a.add("club", false, 100, 1, 8*1440, func(e *antifraud.Evidence) {
			net := a.r.IntN(6)
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("exit", net), fmt.Sprint("exits", net/2), 1, antifraud.NetVPN
			e.Device, e.Agent = fmt.Sprint("drawn ", a.r.Uint64()), fmt.Sprint("private browser ", a.r.IntN(3))
		})
		for group, o := range a.outcomes() {
			if o.void > 0 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// An office votes from two addresses of a data centre, on machines of three models, for what it
// likes, and half of it for the entry that a farm is paid for, through homes or at addresses of a
// data centre, too. What it has is nowhere in the farm: it is held at the most.
func TestWhole_AnOfficeBesideAFarm(t *testing.T) {
	for seed, row := range []struct{ forIt, forOthers, rented int }{
		{125, 25, 0}, {125, 25, 0}, {125, 25, 0}, {125, 25, 0}, {125, 25, 8}, {125, 25, 8}, {80, 25, 12}, {80, 25, 12}, {36, 7, 12}, {36, 7, 12},
	} {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, uint64(seed+1))
		pace := a.pace()
		at := func(e *antifraud.Evidence) {
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("proxy of the office ", a.r.IntN(2)), "the office's", 1, antifraud.NetHosting
			e.Device = fmt.Sprint("image ", a.r.IntN(3))
			e.Agent = "agent of " + e.Device
		}
		a.add("office", false, row.forIt, 3, 8*1440, at)
		for entry := range 5 {
			a.add(fmt.Sprint("office for ", entry, " "), false, row.forOthers, 4+entry, 8*1440, at)
		}
		a.add("farm", true, 350, 3, 8*1440, func(e *antifraud.Evidence) {
			home := a.r.IntN(50)
			e.Net, e.Block, e.NetKind = fmt.Sprint("home ", home), fmt.Sprint("block of ", home), antifraud.NetResidential
			e.Device = fmt.Sprint("rack", a.r.IntN(20))
			if row.rented > 0 {
				exit := a.r.IntN(row.rented)
				e.Net, e.Block, e.NetKind = fmt.Sprint("rented ", exit), fmt.Sprint("block of ", exit/5), antifraud.NetHosting
				e.Device = fmt.Sprint("rack", a.r.IntN(12))
			}
			e.Agent = "agent of " + e.Device
			e.DwellMS = a.paced(0.6*pace, 0.5)
		})
		for group, o := range a.outcomes() {
			if group == "farm" && (o.share(o.void+o.held) < 0.95 || o.share(o.void) < 0.5) || group != "farm" && o.void > 0 {
				t.Errorf("%+v: %s %+v", row, group, o)
			}
		}
	}
}

// Families on one computer at home come by the link of the entry that a farm is paid for, too, and
// some of them have no time. The farm has neither their computer nor their address: they are held at the most.
func TestWhole_FamiliesBesideAFarm(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
		pace := a.pace()
		came := func(e *antifraud.Evidence) {
			e.Via, e.Referrer = "the school's", antifraud.ReferrerShare
		}
		for family := range 40 {
			n := 2 + a.r.IntN(4)
			a.add(fmt.Sprint("family ", family, " "), false, n, 3, 5, func(e *antifraud.Evidence) {
				came(e)
				e.Device, e.Agent = fmt.Sprint("computer ", family), a.people[family].Agent
				e.Net, e.Block, e.NetKind = fmt.Sprint("home ", family), fmt.Sprint("street of ", family), antifraud.NetResidential
				e.DwellMS = a.paced(0.8*pace, 0.6)
			})
			evening := time.Duration(a.r.IntN(8*24)) * time.Hour
			for k := len(a.Ballots) - n; k < len(a.Ballots); k++ {
				a.Ballots[k].At = a.Ballots[k].At.Add(evening)
			}
		}
		a.add("farm", true, 350, 3, 8*1440, func(e *antifraud.Evidence) {
			if came(e); a.r.Float64() < 0.4 {
				e.Via, e.Referrer = "", antifraud.ReferrerDirect
			}
			home := a.r.IntN(50)
			e.Net, e.Block, e.NetKind = fmt.Sprint("proxy ", home), fmt.Sprint("block of ", home), antifraud.NetResidential
			e.Device = fmt.Sprint("rack", a.r.IntN(20))
			e.Agent = "agent of " + e.Device
			e.DwellMS = a.paced(0.6*pace, 0.5)
		})
		for group, o := range a.outcomes() {
			if group == "farm" && (o.share(o.void+o.held) < 0.95 || o.share(o.void) < 0.5) || group != "farm" && o.void > 0 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// A region gives each pupil the same computer, and they vote at home; a farm comes for the same entry,
// by the same link. It deals its devices out over its votes, and none of these is the pupils'.
func TestWhole_PupilsWithOneModelBesideAFarm(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
		pace := a.pace()
		came := func(e *antifraud.Evidence) {
			if e.Via, e.Referrer = "", antifraud.ReferrerDirect; a.r.Float64() < 0.6 {
				e.Via, e.Referrer = "the school's", antifraud.ReferrerShare
			}
		}
		a.add("pupils", false, 200, 3, 8*1440, func(e *antifraud.Evidence) {
			came(e)
			e.Device, e.Agent = "the region's", "agent of the region's"
			home := a.r.Uint64()
			e.Net, e.Block, e.NetKind = fmt.Sprint("home ", home), fmt.Sprint("block ", home), antifraud.NetResidential
		})
		a.add("farm", true, 350, 3, 8*1440, func(e *antifraud.Evidence) {
			came(e)
			home := a.r.IntN(50)
			e.Net, e.Block, e.NetKind = fmt.Sprint("proxy ", home), fmt.Sprint("block of ", home), antifraud.NetResidential
			e.Device = fmt.Sprint("rack", a.r.IntN(20))
			e.Agent = "agent of " + e.Device
			e.DwellMS = a.paced(0.6*pace, 0.5)
		})
		for group, o := range a.outcomes() {
			if group == "farm" {
				if o.share(o.void+o.held) < 0.95 {
					t.Errorf("seed %d: farm %+v", seed, o)
				}
			} else if o.void > 0 || o.share(o.held) > 0.05 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// A class whose school has machines of one model, all at one address of nobody's list, is
// somewhat quick. It is held at the most: that machines are alike and that people of one
// lesson are is one thing.
func TestWhole_AClassAtTheSchoolsOwnMachines(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 16, Schools: 16, Days: 8, Ballots: 5, Voters: 2500}, seed)
		pace := a.pace()
		a.add("class", false, 60, 3, 300, func(e *antifraud.Evidence) {
			e.Net, e.Block, e.ASN, e.NetKind = "school", "school's block", 1, antifraud.NetResidential
			e.Device, e.Agent = "the school's", "agent of the school's"
			e.DwellMS, e.ConfirmMS = a.paced(0.5*pace, 0.7), nil
		})
		for group, o := range a.outcomes() {
			if o.void > 0 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// A farm for whom most vote, at the hour at which they do, by the link by which they come:
// its place says nothing, and its looks all.
func TestWhole_AFarmWithinASpikeThatIsMostOfAContest(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		a := joined(farmlab.Mix{Entries: 8, Schools: 8, Days: 5, Ballots: 5, Voters: 1200}, seed)
		pace := a.pace()
		came := func(e *antifraud.Evidence) { e.Via, e.Referrer, e.ConfirmMS = "on TV", antifraud.ReferrerSocial, nil }
		a.add("spike", false, 3000, 2, 40, came)
		a.add("farm", true, 200, 2, 40, func(e *antifraud.Evidence) {
			came(e)
			net := a.r.IntN(15)
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("rented", net), fmt.Sprint("rented block", net/4), 1, antifraud.NetHosting
			e.Device = fmt.Sprint("rack", a.r.IntN(10))
			e.Agent = "agent of " + e.Device
			e.DwellMS = a.paced(0.3*pace, 0.3)
		})
		for group, o := range a.outcomes() {
			if group == "farm" {
				if o.share(o.void+o.held) < 0.95 {
					t.Errorf("seed %d: farm %+v", seed, o)
				}
			} else if o.void > 0 || o.share(o.held) > 0.01 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// Some devices and some addresses, each shared among members and not by people, are as
// much as plenty of one.
func TestWhole_SomeDevicesAndSomeHomes(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		a := joined(farmlab.Mix{Entries: 8, Schools: 8, Days: 5, Ballots: 1, Voters: 1200}, seed)
		came := func(e *antifraud.Evidence) { e.Via, e.Referrer, e.ConfirmMS = "on TV", antifraud.ReferrerSocial, nil }
		a.add("spike", false, 2500, 2, 60, came)
		a.add("farm", true, 300, 2, 60, func(e *antifraud.Evidence) {
			came(e)
			home := a.r.IntN(75)
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("proxy", home), fmt.Sprint("block of ", home), 1, antifraud.NetResidential
			e.Device = fmt.Sprint("rack", a.r.IntN(40))
		})
		for group, o := range a.outcomes() {
			if group == "farm" {
				if o.share(o.void+o.held) < 0.8 {
					t.Errorf("seed %d: farm %+v", seed, o)
				}
			} else if o.void > 0 || o.share(o.held) > 0.01 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// After a spike of people who vote once, whoever votes for several is in step with all
// others who do, and nobody's farm.
func TestWhole_ASpikeMakesNobodyElseInStep(t *testing.T) {
	for _, seed := range []uint64{2, 3, 4, 6} {
		a := joined(farmlab.Mix{Entries: 8, Schools: 8, Days: 5, Ballots: 5, Voters: 1200}, seed)
		a.add("spike", false, 3000, 2, 40, func(e *antifraud.Evidence) { e.Via, e.Referrer, e.ConfirmMS = "on TV", antifraud.ReferrerSocial, nil })
		for group, o := range a.outcomes() {
			if o.void > 0 || o.share(o.held) > 0.01 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}
