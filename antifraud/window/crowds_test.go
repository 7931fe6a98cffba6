package window_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/contest"
)

// vote is an attempt that a group of people, or of robots, makes.
type vote struct {
	group, voter, entry string
	attempt             antifraud.Attempt
}

// town makes votes of a contest that goes on already.
type town struct {
	r     *rand.Rand
	start time.Time
	votes []vote
}

func newTown(seed uint64) *town {
	return &town{r: rand.New(rand.NewPCG(seed, 5)), start: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}
}

func (tn *town) within(span time.Duration) time.Time {
	return tn.start.Add(time.Duration(tn.r.Int64N(int64(span))))
}

// person is somebody with a phone of their own: a third have one of three popular
// models, the others one of four hundred; dwells are log-normal.
func (tn *town) person(at time.Time) antifraud.Attempt {
	model := tn.r.IntN(3)
	if tn.r.Float64() > 1.0/3 {
		model = 3 + int(400*math.Pow(tn.r.Float64(), 2))
	}
	dwell, confirm := int64(9000*math.Exp(0.8*tn.r.NormFloat64())), int64(900*math.Exp(0.5*tn.r.NormFloat64()))
	visible := true
	return antifraud.Attempt{
		At: at, Level: "device", Issued: at.Add(-time.Duration(dwell) * time.Millisecond), NetKind: antifraud.NetUnknown,
		Address:   netip.AddrFrom4([4]byte{byte(20 + tn.r.IntN(60)), byte(tn.r.IntN(200)), byte(tn.r.IntN(250)), byte(tn.r.IntN(250))}),
		UserAgent: fmt.Sprintf("Mozilla/5.0 (phone %d)", model),
		Client:    antifraud.Client{Device: fmt.Sprintf("model-%d", model), DwellMS: &dwell, ConfirmMS: &confirm, Visible: &visible, Referrer: antifraud.ReferrerSite},
	}
}

func (tn *town) add(group, entry string, a antifraud.Attempt) {
	tn.votes = append(tn.votes, vote{group, fmt.Sprintf("%s-%d", group, len(tn.votes)), entry, a})
}

// background are a day's voters, some through a VPN and some in a data centre.
func (tn *town) background(n int, span time.Duration) {
	for range n {
		a := tn.person(tn.within(span))
		switch x := tn.r.Float64(); {
		case x < 0.02:
			a.NetKind = antifraud.NetVPN
		case x < 0.03:
			a.NetKind = antifraud.NetHosting
		}
		tn.add("background", fmt.Sprintf("e-%d", int(15*math.Pow(tn.r.Float64(), 1.5))), a)
	}
}

// play screens all votes in the order of time, and counts what is accepted or
// would solve its challenge. It gives actions by group.
func (tn *town) play(t testing.TB, policy *antifraud.Policy) map[string]map[antifraud.Action]int {
	t.Helper()
	slices.SortStableFunc(tn.votes, func(a, b vote) int { return a.attempt.At.Compare(b.attempt.At) })
	windows, key := window.New(), antifraud.NewEvidenceKey([]byte{1})
	actions := map[string]map[antifraud.Action]int{}
	for i := range tn.votes {
		v := &tn.votes[i]
		e := key.Evidence(v.attempt)
		s := window.Of(window.Cast{Voter: v.voter, Entry: v.entry, Via: v.attempt.Client.Via, Own: "code of " + v.voter}, &v.attempt, &e)
		counts := windows.Contest("c", v.attempt.At).Counts(s)
		verdict := policy.Screen(v.attempt, counts[:]...)
		if actions[v.group] == nil {
			actions[v.group] = map[antifraud.Action]int{}
		}
		actions[v.group][verdict.Would]++
		if verdict.Action == antifraud.Accept || verdict.Action == antifraud.AskChallenge || verdict.Action == antifraud.Hold {
			windows.Saw("c", s)
		}
		again, err := policy.Weigh(verdict.Signals...)
		if err != nil || math.Float64bits(again.Score) != math.Float64bits(verdict.Score) || again.Action != verdict.Action || again.Would != verdict.Would || !slices.Equal(again.Reasons, verdict.Reasons) {
			t.Fatalf("%v weighed again: %+v, was %+v (%v)", verdict.Signals, again, verdict, err)
		}
	}
	return actions
}

func standard() *antifraud.Policy {
	p := antifraud.PolicyOf(contest.Policy{Name: "standard", Base: contest.PolicyStandard})
	return &p
}

// crowds are honest groups that share something.
var crowds = map[string]func(*town){
	"campus": func(tn *town) {
		for range 1500 {
			a := tn.person(tn.within(time.Hour))
			a.Address = netip.MustParseAddr("198.51.100.7")
			tn.add("campus", "e-3", a)
		}
	},
	"campus that is known, with laptops of its own": func(tn *town) {
		for range 1500 {
			a := tn.person(tn.within(time.Hour))
			a.Address, a.NetKind = netip.MustParseAddr("198.51.100.7"), antifraud.NetCampus
			if tn.r.Float64() < 0.4 {
				a.Client.Device, a.UserAgent = "school laptop", "Mozilla/5.0 (laptop)"
			}
			tn.add("campus", "e-3", a)
		}
	},
	"campus with laptops of its own": func(tn *town) {
		for range 1500 {
			a := tn.person(tn.within(time.Hour))
			a.Address = netip.MustParseAddr("198.51.100.7")
			if tn.r.Float64() < 0.4 {
				a.Client.Device, a.UserAgent = "school laptop", "Mozilla/5.0 (laptop)"
			}
			tn.add("campus", "e-3", a)
		}
	},
	"viral": func(tn *town) {
		for range 2000 {
			a := tn.person(tn.within(20 * time.Minute))
			a.Client.Via, a.Client.Referrer = "abcdefgh1234", antifraud.ReferrerShare
			tn.add("viral", "e-5", a)
		}
	},
	"viral, without device hashes": func(tn *town) {
		for range 2000 {
			a := tn.person(tn.within(20 * time.Minute))
			a.Client.Via, a.Client.Device = "abcdefgh1234", ""
			tn.add("viral", "e-5", a)
		}
	},
	"computer room": func(tn *town) {
		for range 30 {
			a := tn.person(tn.within(time.Hour))
			a.Address, a.Client.Device, a.UserAgent = netip.MustParseAddr("203.0.113.9"), "the room's machine", "Mozilla/5.0 (machine)"
			a.Client.Via = "abcdefgh1234"
			tn.add("room", "e-7", a)
		}
	},
	"carrier": func(tn *town) {
		for range 600 {
			a := tn.person(tn.within(30 * time.Minute))
			a.Address, a.NetKind = netip.MustParseAddr("192.0.2.80"), antifraud.NetMobile
			tn.add("carrier", fmt.Sprintf("e-%d", tn.r.IntN(6)), a)
		}
	},
	"class that votes again the next day": func(tn *town) {
		for range 30 {
			a := tn.person(tn.within(10 * time.Minute))
			a.Issued = tn.start.Add(-24 * time.Hour)
			a.Address = netip.MustParseAddr("198.51.100.7")
			tn.add("class", "e-2", a)
		}
	},
	"everybody in the data centre of a proxy that is not trusted": func(tn *town) {
		for i := range tn.votes {
			a := &tn.votes[i].attempt
			a.Address, a.NetKind = netip.MustParseAddr("203.0.113.200"), antifraud.NetHosting
		}
	},
}

func TestScreen_HonestCrowdsAreNeitherHeldNorAsked(t *testing.T) {
	for name, crowd := range crowds {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				tn := newTown(seed)
				tn.background(900, 3*time.Hour)
				tn.start = tn.start.Add(time.Hour)
				crowd(tn)
				for group, actions := range tn.play(t, standard()) {
					all := actions[antifraud.Accept] + actions[antifraud.AskChallenge]
					if actions[antifraud.Hold] > 0 || actions[antifraud.Reject] > 0 || float64(actions[antifraud.AskChallenge]) > 0.01*float64(all) {
						t.Errorf("seed %d: %s: %v", seed, group, actions)
					}
				}
			}
		})
	}
}

// A contest that has just begun has no strangers yet to judge by.
func TestScreen_TheFirstVotersAreACrowdToo(t *testing.T) {
	for _, name := range []string{"campus", "viral", "computer room", "campus with laptops of its own"} {
		tn := newTown(9)
		crowds[name](tn)
		for group, actions := range tn.play(t, standard()) {
			if actions[antifraud.Hold] > 0 || actions[antifraud.AskChallenge] > 0 {
				t.Errorf("%s: %v", group, actions)
			}
		}
	}
}

// farm are votes of few machines: their devices, their dwell, the school's link.
func (tn *town) farm(n, devices int, kind antifraud.NetKind, over time.Duration) {
	for range n {
		a := tn.person(tn.within(over))
		dwell, confirm := int64(1500+tn.r.IntN(20)), int64(300+tn.r.IntN(10))
		a.Client.DwellMS, a.Client.ConfirmMS, a.NetKind = &dwell, &confirm, kind
		a.Client.Device = fmt.Sprintf("farm-%d", tn.r.IntN(devices))
		a.Address = netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + tn.r.IntN(12))})
		a.Client.Via, a.Client.Referrer = "abcdefgh1234", antifraud.ReferrerShare
		tn.add("farm", "e-4", a)
	}
}

func TestScreen_ABurstIsAskedOrHeld(t *testing.T) {
	for _, row := range []struct {
		name       string
		kind       antifraud.NetKind
		held, done float64 // at least so much of it is held; held or asked
	}{
		{"from a data centre", antifraud.NetHosting, 0.75, 0.85},
		{"from networks that no list knows", antifraud.NetUnknown, 0, 0.75},
	} {
		t.Run(row.name, func(t *testing.T) {
			for seed := range uint64(3) {
				tn := newTown(seed)
				tn.background(900, 3*time.Hour)
				tn.start = tn.start.Add(time.Hour)
				tn.farm(200, 5, row.kind, 20*time.Minute)
				actions := tn.play(t, standard())
				held, asked := float64(actions["farm"][antifraud.Hold])/200, float64(actions["farm"][antifraud.AskChallenge])/200
				t.Logf("seed %d: %.3f held, %.3f asked, background %v", seed, held, asked, actions["background"])
				if held < row.held || held+asked < row.done {
					t.Errorf("seed %d: %.3f held, %.3f asked", seed, held, asked)
				}
				if b := actions["background"]; b[antifraud.Hold] > 0 || float64(b[antifraud.AskChallenge]) > 9 {
					t.Errorf("seed %d: background %v", seed, b)
				}
			}
		})
	}
}

// What a policy that only observes would do is what the same numbers do.
func TestScreen_ObserveSaysWhatStandardDoes(t *testing.T) {
	observe := antifraud.PolicyOf(contest.Policy{Name: "observe", Base: contest.PolicyObserve})
	made := func() *town {
		tn := newTown(4)
		tn.background(300, time.Hour)
		tn.farm(100, 5, antifraud.NetHosting, 20*time.Minute)
		return tn
	}
	does, says := made().play(t, standard()), made().play(t, &observe)
	for group := range does {
		for action, n := range does[group] {
			if says[group][action] != n {
				t.Errorf("%s: %s: does %d, says %d", group, action, n, says[group][action])
			}
		}
	}
}
