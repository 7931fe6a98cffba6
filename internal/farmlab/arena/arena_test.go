package arena

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting/sweep"
)

const document = `id: small
title: Small
timezone: UTC
phases:
  voting: {opens: 2026-03-01T08:00:00Z, closes: 2026-03-02T08:00:00Z}
antifraud: {policy: %s, campuses: [{school: a, cidrs: [192.0.2.0/24]}]}
schools: [{id: a, name: A}, {id: b, name: B}]
entries: [{id: a-1, school: a, title: A1}, {id: b-1, school: b, title: B1}, {id: b-2, school: b, title: B2}]
`

func parsed(t *testing.T, policy string) *contest.Contest {
	t.Helper()
	c, err := contest.Parse(fmt.Appendf(nil, document, policy))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// telling finds whoever has the device "rack", and knows them by it and their block.
type telling struct{ ballots []detect.Ballot }

func (f *telling) Add(ballots ...detect.Ballot) { f.ballots = append(f.ballots, ballots...) }
func (f *telling) Whole() detect.Report         { return f.Run() }
func (f *telling) Run() (r detect.Report) {
	for _, b := range f.ballots {
		found := detect.Finding{Ballot: b.ID, Voter: b.Voter, Entry: b.Entry, At: b.At, Standing: detect.Counted}
		if b.Evidence.Device == "rack" {
			found.Standing, found.Score, found.Reasons = detect.Void, 1, []antifraud.Reason{antifraud.ReasonLockstep}
		}
		r.Findings = append(r.Findings, found)
	}
	r.Clusters = []detect.Cluster{{ID: "c1", Signature: &antifraud.Signature{
		ID: "c1", Entries: []string{"a-1"}, Since: f.ballots[0].At, Expires: f.ballots[0].At.Add(48 * time.Hour),
		Features: []antifraud.Feature{{Kind: "device", Value: "rack", LogOdds: 3}, {Kind: "block", Value: "k", LogOdds: 3}},
	}}}
	return r
}

func arena(t *testing.T, policy string) *Arena {
	return New(parsed(t, policy), Options{Finder: func() sweep.Finder { return &telling{} }})
}

func act(minute int, device, block string) attack.Act {
	a := attack.Act{Farm: device == "rack"}
	a.ID, a.Voter, a.Entry, a.Level = uuid.NewString(), uuid.NewString(), "a-1", "device"
	a.At = time.Date(2026, 3, 1, 9, minute, 0, 0, time.UTC)
	a.Evidence.Device, a.Evidence.Block = device, block
	return a
}

func standing(t *testing.T, a *Arena, acts ...attack.Act) (all []attack.Standing) {
	t.Helper()
	for _, one := range acts {
		known, err := a.Ask(t.Context(), []string{one.ID})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, known[one.ID].Standing)
	}
	return all
}

func cast(t *testing.T, a *Arena, acts ...attack.Act) []attack.Answer {
	t.Helper()
	told, err := a.Cast(t.Context(), acts)
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func TestArena_WhatIsVoidIsMetAtTheDoor(t *testing.T) {
	a := arena(t, "standard")
	farm, person := act(0, "rack", "k"), act(0, "phone", "k")
	if told := cast(t, a, farm, person); told[0].Standing != attack.Counted || told[1].Standing != attack.Counted {
		t.Fatalf("before anybody looked: %v", told)
	}
	again, neighbour, model := act(5, "rack", "k"), act(5, "phone", "k"), act(5, "rack", "elsewhere")
	told := cast(t, a, again, neighbour, model)
	if told[0].Standing != attack.Rejected || strings.Join(told[0].Reasons, "") != antifraud.ReasonKnownFarm {
		t.Errorf("the farm's next: %v", told[0])
	}
	if told[1].Standing != attack.Counted || told[2].Standing != attack.Counted {
		t.Errorf("who shares one thing with it: %v", told[1:])
	}
	if got := standing(t, a, farm, person); got[0] != attack.Void || got[1] != attack.Counted {
		t.Errorf("stand %v", got)
	}
	if known, _ := a.Ask(t.Context(), []string{again.ID}); len(known) != 0 {
		t.Error("a rejected ballot is in the box")
	}
	known, _ := a.Ask(t.Context(), []string{farm.ID})
	if took := known[farm.ID].Since.Sub(known[farm.ID].Cast); took <= 0 || took > time.Minute {
		t.Errorf("void after %v, and the detectors look every minute", took)
	}
}

// counting is asked as often as it is.
type counting struct {
	telling
	asked *int
}

func (f *counting) Run() detect.Report {
	*f.asked++
	return detect.Report{}
}

// A look costs as much for one ballot as for twenty: few wait for more, and no longer than
// a lull.
func TestArena_FewBallotsWaitForMore(t *testing.T) {
	for _, row := range []struct {
		name    string
		minutes []int // of its ballots
		looks   int
	}{
		{"three in one minute", []int{0, 0, 0}, 1},
		{"two, until nothing came for the rest of the lull", []int{0, 1}, 1},
		{"three by and by", []int{0, 2, 4}, 1},
		{"three, and two", []int{0, 0, 0, 5, 6}, 2},
	} {
		asked := 0
		a := New(parsed(t, "standard"), Options{Few: 3, Lull: 2 * time.Hour, Finder: func() sweep.Finder { return &counting{asked: &asked} }})
		var acts []attack.Act
		for _, minute := range row.minutes {
			acts = append(acts, act(minute, "phone", "k"))
		}
		cast(t, a, acts...)
		until := acts[len(acts)-1].At
		if err := a.pass(t.Context(), until.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if soon := asked; len(row.minutes)%3 != 0 && soon != row.looks-1 {
			t.Errorf("%s: %d looks within minutes", row.name, soon)
		}
		if err := a.pass(t.Context(), until.Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if asked != row.looks {
			t.Errorf("%s: %d looks, want %d", row.name, asked, row.looks)
		}
	}
}

func TestArena_ObserveChangesNothing(t *testing.T) {
	a := arena(t, "observe")
	farm := act(0, "rack", "k")
	cast(t, a, farm)
	if told := cast(t, a, act(5, "rack", "k")); told[0].Standing != attack.Counted {
		t.Errorf("the farm's next: %v", told)
	}
	if got := standing(t, a, farm); got[0] != attack.Counted {
		t.Errorf("stands %v", got)
	}
}

func TestArena_AProofAtTheDoor(t *testing.T) {
	a := arena(t, "standard")
	cast(t, a, act(0, "rack", "k"))
	mailed, seen := act(5, "rack", "k"), act(5, "rack", "k")
	mailed.Level, seen.Evidence.Present = "email", true
	told := cast(t, a, mailed, seen)
	if told[0].Standing != attack.Held || told[1].Standing != attack.Counted {
		t.Errorf("with an address, in the hall: %v", told)
	}
}

// What is held its voter releases by an address, for good, whatever is found later;
// what is void no address counts again, nor what only a person may release, nor whose voter
// had proven one before.
func TestArena_AProofAnswersAHold(t *testing.T) {
	a := arena(t, "standard")
	void, known, held, silent, mailed := act(0, "rack", "k"), act(0, "rack", "k"), act(0, "rack", "k"), act(0, "rack", "k"), act(0, "rack", "k")
	mailed.Level = "email"
	cast(t, a, void, known, held, silent, mailed) // nobody has looked yet
	for id, f := range map[string]attack.Fate{
		void.ID:   {Standing: attack.Void, Reasons: []antifraud.Reason{antifraud.ReasonLockstep}},
		known.ID:  {Standing: attack.Held, Reasons: []antifraud.Reason{antifraud.ReasonKnownFarm}},
		held.ID:   {Standing: attack.Held, Reasons: []antifraud.Reason{antifraud.ReasonLockstep}},
		silent.ID: {Standing: attack.Held, Reasons: []antifraud.Reason{antifraud.ReasonLockstep}},
		mailed.ID: {Standing: attack.Held, Reasons: []antifraud.Reason{antifraud.ReasonLockstep}},
	} {
		a.fates[id].Fate = f
	}
	if err := a.Prove(t.Context(), []string{void.ID, known.ID, held.ID, mailed.ID, uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	if got := standing(t, a, void, known, held, silent, mailed); got[0] != attack.Void || got[1] != attack.Held || got[2] != attack.Counted || got[3] != attack.Held || got[4] != attack.Held {
		t.Errorf("void, known at the door, held, held and silent, held and proven before: %v", got)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := standing(t, a, held, silent); got[0] != attack.Counted || got[1] != attack.Void {
		t.Errorf("after the last look the proven and the silent: %v", got)
	}
}

// doubting holds whoever has the device "rack", on no family at all.
type doubting struct{ telling }

func (f *doubting) Whole() detect.Report { return f.Run() }
func (f *doubting) Run() detect.Report {
	r := f.telling.Run()
	r.Clusters = nil
	for i := range r.Findings {
		if r.Findings[i].Standing == detect.Void {
			r.Findings[i].Standing = detect.Held
		}
	}
	return r
}

// What the guard keeps from being held counts, and is told: a person is asked.
func TestArena_TellsWhatAPersonIsAskedAbout(t *testing.T) {
	for n, asked := range map[int]bool{3: false, 9: true} {
		a := New(parsed(t, "standard"), Options{Finder: func() sweep.Finder { return &doubting{} }})
		var acts []attack.Act
		for range n {
			acts = append(acts, act(0, "rack", "k"))
		}
		cast(t, a, acts...)
		if err := a.Rest(t.Context(), acts[0].At.Add(5*time.Minute)); err != nil {
			t.Fatal(err)
		}
		known, err := a.Ask(t.Context(), []string{acts[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		if f := known[acts[0].ID]; f.Asked != asked || (f.Standing == attack.Counted) != asked {
			t.Errorf("one of %d: %+v", n, f)
		}
	}
}

func TestArena_ClosesAndNeverGoesBack(t *testing.T) {
	a := arena(t, "standard")
	cast(t, a, act(5, "phone", "k"))
	if _, err := a.Cast(t.Context(), []attack.Act{act(0, "phone", "k")}); !errors.Is(err, errBack) {
		t.Errorf("an act of the past: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := act(5, "phone", "k")
	late.At = late.At.Add(48 * time.Hour)
	if told := cast(t, a, late); told[0].Standing != attack.Refused {
		t.Errorf("after the close: %v", told)
	}
}

// A whole trial against the detectors as they are: a farm that comes again with the
// same tools meets the door, and nobody honest does.
func TestTrial_TheSameFarmAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds of detectors")
	}
	r, err := Trial{
		Profile: attack.Profiles[0], Costs: attack.BuiltinCosts(), Seed: 21, Rounds: 2, Votes: 200, Voters: 600, Stubborn: true, Options: Quick,
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Table(os.Stderr); err != nil {
		t.Fatal(err)
	}
	first, next := r.Ours.Rounds[0], r.Ours.Rounds[1]
	switch took := first.DetectSeconds; {
	case took == nil && first.Counted > 0, took != nil && *took > attack.MostDetect.Seconds():
		t.Errorf("void in time? %+v", first)
	case took == nil && first.Rejected == 0: // else it was void before its 50th ballot, and the rest rejected
		t.Errorf("nobody was rejected: %+v", first)
	}
	if float64(next.Rejected) < 0.95*float64(next.Votes) {
		t.Errorf("%d of the next %d were rejected", next.Rejected, next.Votes)
	}
	if h := r.Ours.Honest; h.Rejected != 0 || h.Void != 0 || h.Held > h.Ballots/100 {
		t.Errorf("the crowd: %+v", h)
	}
}

// gateSeeds are of this test alone: who tunes uses others.
var gateSeeds = []uint64{0x5eed_0011, 0x5eed_0012, 0x5eed_0013}

// Farms that change their two worst tells, each as far as it goes: of the last round a fifth
// survives at most, and nobody honest is void or rejected: every other of them with one seed,
// in the long form all by the median of three.
// Farms that change two more after each round do get through (docs/LABORATORY.md): the goal is
// not reached because farms learn nothing.
func TestTrial_TwoTellsInAll(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of detectors")
	}
	seeds, long := gateSeeds[:1], os.Getenv("JOUTE_FAULTS") == "long"
	if long {
		seeds = gateSeeds
	}
	for i, p := range attack.Profiles {
		if !long && i%2 == 1 {
			continue
		}
		var last []float64
		for _, seed := range seeds {
			r, err := Trial{Profile: p, Costs: attack.BuiltinCosts(), Seed: seed, Voters: 1000, Tells: attack.TwoInAll, Options: Quick}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last = append(last, r.Surviving())
			h := r.Ours.Honest
			t.Logf("%s, seed %x: %.2f survive in round 5; of %d honest ballots %d rejected, %d void, %d held", p.Name, seed, r.Surviving(), h.Ballots, h.Rejected, h.Void, h.Held)
			if h.Rejected > 0 || h.Void > 0 || h.Held > h.Ballots/100 {
				t.Errorf("%s, seed %x: the crowd: %+v", p.Name, seed, h)
			}
		}
		slices.Sort(last)
		if median := last[len(last)/2]; median > attack.MostSurviving {
			t.Errorf("%s: %.2f survive", p.Name, last)
		}
	}
}

func TestRehearsal_SaysWhatBecomesOfWhom(t *testing.T) {
	out, err := Rehearsal{Contest: parsed(t, "standard"), Seed: 3, Voters: 100, Finder: func() sweep.Finder { return &telling{} }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, school := range out.Schools {
		sum += school.Honest.Attempts + school.Farms.Attempts
	}
	all := out.All
	if sum != all.Honest.Attempts+all.Farms.Attempts || all.Honest.Attempts < 100 || all.Farms.Attempts < 50 {
		t.Errorf("schools have %d attempts, all %+v", sum, all)
	}
	for name, b := range out.Groups {
		if b.Counted+b.Held+b.Void+b.Rejected != b.Attempts {
			t.Errorf("%s: %+v", name, b)
		}
	}
	var text strings.Builder
	if err := out.Table(&text); err != nil || !strings.Contains(text.String(), "by school") || !strings.Contains(text.String(), "honest ballots") {
		t.Errorf("%v: %s", err, text.String())
	}
	alone := *parsed(t, "standard")
	alone.Entries = alone.Entries[:1]
	if _, err := (Rehearsal{Contest: &alone, Voters: 100}).Run(t.Context()); !errors.Is(err, ErrTooFew) {
		t.Errorf("one entry: %v", err)
	}
}
