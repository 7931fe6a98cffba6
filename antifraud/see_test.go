package antifraud_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
)

func ms(n int64) *int64 { return &n }

func no() *bool { shown := false; return &shown }

// strangers are counts of a contest that goes on, of which nothing is shared.
var strangers = antifraud.Counts{All: 1000, OfEntry: 200}

// counted is strangers with something in common.
func counted(change func(*antifraud.Counts)) []antifraud.Counts {
	c := strangers
	change(&c)
	return []antifraud.Counts{c}
}

func TestSee_EachSignalByItsOwn(t *testing.T) {
	now := time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC)
	device := antifraud.Attempt{At: now, Client: antifraud.Client{Device: "d", Via: "code"}}
	for _, row := range []struct {
		name    string
		attempt antifraud.Attempt
		counts  []antifraud.Counts
		seen    string // signals, joined
	}{
		{"nothing", antifraud.Attempt{At: now}, nil, ""},
		{"proofs", antifraud.Attempt{Level: "email", Present: true, School: true}, nil, "email present school-domain"},
		{"hosting", antifraud.Attempt{NetKind: antifraud.NetHosting}, nil, "net-hosting"},
		{"vpn", antifraud.Attempt{NetKind: antifraud.NetVPN}, nil, "net-vpn"},
		{"tor", antifraud.Attempt{NetKind: antifraud.NetTor}, nil, "net-tor"},
		{"mobile", antifraud.Attempt{NetKind: antifraud.NetMobile}, nil, "net-mobile"},
		{"campus", antifraud.Attempt{NetKind: antifraud.NetCampus}, nil, "net-campus"},
		{"at home", antifraud.Attempt{NetKind: antifraud.NetResidential}, nil, ""},
		{"hosting, where nearly all are", antifraud.Attempt{NetKind: antifraud.NetHosting}, counted(func(c *antifraud.Counts) { c.OfKind = 990 }), ""},
		{"hosting, where most are", antifraud.Attempt{NetKind: antifraud.NetHosting}, counted(func(c *antifraud.Counts) { c.OfKind = 714 }), "net-hosting=0.5"},
		{"an entry whose voters come from data centres", antifraud.Attempt{NetKind: antifraud.NetHosting},
			counted(func(c *antifraud.Counts) { c.OfKind, c.KindOnEntry = 62, 50 }), "net-hosting net-window"},
		{"a site's server", antifraud.Attempt{UserAgent: "python-requests/2.32"}, nil, ""},
		{"a browser without a window", antifraud.Attempt{UserAgent: "Mozilla/5.0 HeadlessChrome/130"}, nil, "driven"},
		{"a phone", antifraud.Attempt{UserAgent: "Mozilla/5.0 (iPhone)"}, nil, ""},
		{"a hidden page", antifraud.Attempt{Client: antifraud.Client{Visible: no()}}, nil, "hidden"},
		{"dwell at the least", antifraud.Attempt{Client: antifraud.Client{DwellMS: ms(500), ConfirmMS: ms(80)}}, nil, ""},
		{"faster than people", antifraud.Attempt{Client: antifraud.Client{DwellMS: ms(499), ConfirmMS: ms(79)}}, nil, "dwell-fast confirm-fast"},
		{"a partner's server that says 0 of all", antifraud.Attempt{Client: antifraud.Client{DwellMS: ms(0)}},
			counted(func(c *antifraud.Counts) { c.Fast, c.DwellSame, c.DwellNear = 1000, 200, 200 }), ""},
		{"a device that strangers have too", device, counted(func(c *antifraud.Counts) { c.DeviceOnEntry, c.OfDevice = 40, 200 }), ""},
		{"a device for one entry", device, counted(func(c *antifraud.Counts) { c.DeviceOnEntry, c.OfDevice = 40, 40 }), "device-window=1.5"},
		{"four with one device", device, counted(func(c *antifraud.Counts) { c.DeviceOnEntry, c.OfDevice = 4, 4 }), ""},
		{"a device for one entry, and no strangers", device, []antifraud.Counts{{All: 200, OfEntry: 200, DeviceOnEntry: 40, OfDevice: 40}}, ""},
		{"a device by one code", device, counted(func(c *antifraud.Counts) { c.DeviceByVia, c.OfVia, c.OfDevice = 20, 30, 25 }), "device-window=1.5"},
		{"a device in one block", device, counted(func(c *antifraud.Counts) { c.DeviceInBlock, c.OfBlock, c.OfDevice = 20, 30, 21 }), "block-window=0.9"},
		{"… of the campus", antifraud.Attempt{NetKind: antifraud.NetCampus, Client: device.Client},
			counted(func(c *antifraud.Counts) { c.DeviceInBlock, c.OfBlock, c.OfDevice = 20, 30, 21 }), "net-campus"},
		{"an agent for one entry", antifraud.Attempt{}, counted(func(c *antifraud.Counts) { c.AgentOnEntry, c.OfAgent = 40, 40 }), "agent-window=0.8"},
		{"the larger window's", device, append(counted(func(*antifraud.Counts) {}), counted(func(c *antifraud.Counts) { c.DeviceOnEntry, c.OfDevice = 40, 40 })...), "device-window=1.5"},
		{"the same dwell", antifraud.Attempt{Client: antifraud.Client{DwellMS: ms(1500)}}, counted(func(c *antifraud.Counts) { c.DwellSame, c.DwellNear = 30, 40 }), "dwell-same=1.5"},
		{"dwells of a crowd", antifraud.Attempt{Client: antifraud.Client{DwellMS: ms(8000)}}, counted(func(c *antifraud.Counts) { c.DwellSame, c.DwellNear = 6, 300 }), ""},
		{"the same delay", antifraud.Attempt{Client: antifraud.Client{ConfirmMS: ms(700)}}, counted(func(c *antifraud.Counts) { c.ConfirmSame, c.ConfirmNear = 60, 70 }), "confirm-same"},
		{"hoarded", antifraud.Attempt{At: now, Issued: now.Add(-time.Hour)}, counted(func(c *antifraud.Counts) { c.OfMinute, c.OldPasses = 50, 60 }), "old-passes=1.2"},
		{"a pass of now", antifraud.Attempt{At: now, Issued: now.Add(-time.Minute)}, counted(func(c *antifraud.Counts) { c.OfMinute, c.OldPasses = 50, 60 }), ""},
		{"voters who come back", antifraud.Attempt{At: now, Issued: now.Add(-24 * time.Hour)}, counted(func(c *antifraud.Counts) { c.OfMinute, c.OldPasses = 6, 600 }), ""},
		{"a fan of a hundred", antifraud.Attempt{Client: antifraud.Client{Via: "code"}}, counted(func(c *antifraud.Counts) { c.OfVia = 100 }), "share-shape=0.35"},
		{"a cascade", antifraud.Attempt{Client: antifraud.Client{Via: "code"}}, counted(func(c *antifraud.Counts) { c.OfVia, c.Onward = 100, 3 }), ""},
		{"a fake account", antifraud.Attempt{Level: "partner", Account: 3.456}, nil, "partner account=3"},
		{"a good account", antifraud.Attempt{Level: "partner", Account: -1.234}, nil, "partner account=-1.23"},
		{"churn", antifraud.Attempt{Level: "partner", Churned: true}, nil, "partner churn"},
		{"a known farm", antifraud.Attempt{KnownFarm: true}, nil, "known-farm"},
	} {
		policy := antifraud.PolicyOf(builtIn(contest.PolicyStandard))
		v := policy.Screen(row.attempt, row.counts...)
		if got := strings.Join(v.Signals, " "); got != row.seen {
			t.Errorf("%s: saw %q, want %q", row.name, got, row.seen)
		}
		again, err := policy.Weigh(v.Signals...)
		if err != nil || math.Float64bits(again.Score) != math.Float64bits(v.Score) || again.Action != v.Action || !slices.Equal(again.Signals, v.Signals) {
			t.Errorf("%s: weighed again %+v, %v; was %+v", row.name, again, err, v)
		}
	}
}

// A farm that is known is rejected, unless a person is proven; all else together is
// held at most.
func TestScreen_OnlyKnownFarmsAreRejected(t *testing.T) {
	policy := antifraud.PolicyOf(builtIn(contest.PolicyStandard))
	for _, row := range []struct {
		attempt antifraud.Attempt
		want    antifraud.Action
		reasons []string
	}{
		{antifraud.Attempt{KnownFarm: true}, antifraud.Reject, []string{"known-farm"}},
		{antifraud.Attempt{KnownFarm: true, Level: "email"}, antifraud.Hold, []string{"known-farm"}},
		{antifraud.Attempt{KnownFarm: true, Present: true}, antifraud.Accept, nil},
		{antifraud.Attempt{KnownFarm: true, School: true}, antifraud.Accept, nil},
		{antifraud.Attempt{KnownFarm: true, Level: "email", NetKind: antifraud.NetHosting, UserAgent: "Headless"}, antifraud.Hold, []string{"known-farm"}},
		{antifraud.Attempt{KnownFarm: true, Level: "email", School: true, NetKind: antifraud.NetHosting}, antifraud.Accept, nil},
		{antifraud.Attempt{KnownFarm: true, Level: "partner"}, antifraud.Reject, []string{"known-farm"}},
		{antifraud.Attempt{KnownFarm: true, Level: "partner", Account: -9}, antifraud.Reject, []string{"known-farm"}},
	} {
		if v := policy.Screen(row.attempt); v.Action != row.want || !slices.Equal(v.Reasons, row.reasons) {
			t.Errorf("%+v: %+v", row.attempt, v)
		}
	}
	all := make([]string, 0, len(contest.Signals))
	for _, signal := range contest.Signals {
		if signal != contest.SignalKnownFarm && policy.Weights[signal] > 0 {
			all = append(all, string(signal))
		}
	}
	v, err := policy.Weigh(all...)
	if err != nil || v.Action != antifraud.Hold || v.Score < policy.Thresholds.Reject {
		t.Errorf("everything but a known farm: %+v, %v", v, err)
	}
}

// No family of the built-in policies rejects alone, and one thing shared is not asked.
func TestPolicyOf_WhatOneSignalDoes(t *testing.T) {
	policy := antifraud.PolicyOf(builtIn(contest.PolicyStandard))
	for _, signal := range contest.Signals {
		most := policy.Weights[signal] * signal.Strongest()
		if asked := most >= policy.Thresholds.Challenge; asked != (signal == contest.SignalKnownFarm) {
			t.Errorf("%s alone reaches %v", signal, most)
		}
	}
}

func TestWeigh_AnotherPolicyOverTheSameSignals(t *testing.T) {
	standard, strict := antifraud.PolicyOf(builtIn(contest.PolicyStandard)), antifraud.PolicyOf(builtIn(contest.PolicyStrict))
	v := standard.Screen(antifraud.Attempt{NetKind: antifraud.NetHosting})
	if v.Action != antifraud.Accept {
		t.Fatalf("%+v", v)
	}
	if other, err := strict.Weigh(v.Signals...); err != nil || other.Action != antifraud.AskChallenge || other.Policy != strict.Version {
		t.Errorf("%+v, %v", other, err)
	}
	if v, err := standard.Weigh("of-a-later-version=2", "net-hosting"); err != nil || v.Score != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, bad := range []string{"net-hosting=", "net-hosting=x", "net-hosting=NaN", "net-hosting=1e9"} {
		if _, err := standard.Weigh(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzWeigh(f *testing.F) {
	f.Add("net-hosting")
	f.Add("device-window=1.5")
	f.Add("=,=")
	policy := antifraud.PolicyOf(builtIn(contest.PolicyStandard))
	f.Fuzz(func(t *testing.T, text string) {
		v, err := policy.Weigh(text)
		if err != nil {
			return
		}
		again, err := policy.Weigh(v.Signals...)
		if err != nil || math.Float64bits(again.Score) != math.Float64bits(v.Score) || math.Abs(v.Score) > contest.MaxWeight {
			t.Errorf("%q: %+v, then %+v, %v", text, v, again, err)
		}
	})
}

// Half-octaves are those of the logarithm, at and around every place where one ends.
func TestNear_IsTheLogarithm(t *testing.T) {
	for half := range 80 {
		ends := int64(math.Exp2(float64(half) / 2))
		for ms := max(ends-3, 0); ms <= ends+3; ms++ {
			want := math.Floor(2 * math.Log2(float64(ms)+1))
			if got := antifraud.Near(ms); float64(got) != want {
				t.Errorf("%d ms are in half-octave %d, want %v", ms, got, want)
			}
		}
	}
	if antifraud.WidthNear(-1) <= 0 || antifraud.WidthNear(math.MaxInt64) <= 0 {
		t.Error("what is no span has no width")
	}
	if w := antifraud.WidthNear(1500); math.Abs(w-599.8) > 0.1 { // from 1,448.2 to 2,048
		t.Errorf("the half-octave of 1,500 ms is %v wide", w)
	}
}
