package attack

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/farmlab"
)

func market(seed uint64) *farmlab.Market {
	return farmlab.OpenMarket(farmlab.Mix{Entries: 8, Schools: 6, Days: 5, Ballots: 1, Voters: 300, Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 60}}}, seed)
}

// judged is a ground on which a rule decides at once.
type judged struct {
	Capped
	rule func(Act) Standing
}

func (j *judged) Cast(_ context.Context, acts []Act) ([]Answer, error) {
	told := make([]Answer, len(acts))
	for i, act := range acts {
		told[i].Standing = Counted
		if act.Farm {
			told[i].Standing = j.rule(act)
		}
		j.fates[act.ID] = Fate{Standing: told[i].Standing, Cast: act.At, Since: act.At.Add(time.Minute)}
	}
	return told, nil
}

func played(t *testing.T, plan Plan, rule func(Act) Standing) Outcome {
	t.Helper()
	out, err := Campaign{Market: market(3), Costs: BuiltinCosts(), Plan: plan, Rounds: 5, Votes: 120}.Play(t.Context(), &judged{*NewCapped(0), rule})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A rule that one thing gives away teaches the farm to change that thing first.
func TestCampaign_LearnsWhatGivesItAway(t *testing.T) {
	for tell, rule := range map[Tell]func(Act) Standing{
		Dwell: func(a Act) Standing {
			if *a.Evidence.DwellMS < 1600 {
				return Void
			}
			return Counted
		},
		Addresses: func(a Act) Standing {
			if a.Evidence.NetKind == "hosting" {
				return Void
			}
			return Counted
		},
		Link: func(a Act) Standing {
			if a.Evidence.Via == "" {
				return Held
			}
			return Counted
		},
	} {
		plan := Plan{Addresses: 1} // the next grade is homes
		out := played(t, plan, rule)
		if first := out.Rounds[1].Changed; len(first) != changes || first[0] != tell.String() {
			t.Errorf("%v: the farm changed %v first", tell, first)
		}
		if out.Rounds[4].Surviving < 0.6 || out.Rounds[0].Surviving > 0.4 {
			t.Errorf("%v: surviving %.2f in round 1, %.2f in round 5", tell, out.Rounds[0].Surviving, out.Rounds[4].Surviving)
		}
	}
}

// Decoys that stand while every vote that is paid for is void are no success: what a
// farm goes by then is the order of tells.
func TestCampaign_LearnsNothingFromDecoys(t *testing.T) {
	m := market(3)
	paid, _ := m.Entry(m.Modest())
	out := played(t, Plan{}, func(a Act) Standing {
		if a.Entry == paid {
			return Void
		}
		return Counted
	})
	if out.Rounds[0].Decoys == 0 {
		t.Fatal("there are no decoys")
	}
	if got := strings.Join(out.Rounds[1].Changed, " "); got != "addresses devices" {
		t.Errorf("the farm changed %s", got)
	}
}

func TestCampaign_FiguresAddUp(t *testing.T) {
	out := played(t, Plan{}, func(Act) Standing { return Void })
	if out.Recall != 1 {
		t.Errorf("all is void, recall %v", out.Recall)
	}
	for i, r := range out.Rounds {
		if r.Void != r.Votes || r.Votes != 120 && r.Decoys == 0 || r.Counted != 0 || r.Price != nil || r.Spent <= 0 {
			t.Errorf("round %d: %+v", i+1, r)
		}
		if r.DetectSeconds == nil || *r.DetectSeconds < 0 {
			t.Errorf("round %d was void after %v", i+1, r.DetectSeconds)
		}
		if i > 0 && len(r.Changed) != changes {
			t.Errorf("round %d changed %v", i+1, r.Changed)
		}
	}
	kept := played(t, Plan{}, func(Act) Standing { return Counted })
	for i, r := range kept.Rounds {
		if len(r.Changed) != 0 || r.Price == nil || math.Abs(*r.Price*float64(r.Counted)-r.Spent) > 1e-9 {
			t.Errorf("a farm that is content: round %d: %+v", i+1, r)
		}
	}
	if h := kept.Honest; h.Ballots < 300 || h.Held+h.Void+h.Rejected != 0 {
		t.Errorf("the crowd: %+v", h)
	}
}

func TestCampaign_IsTheSameForASeed(t *testing.T) {
	rule := func(a Act) Standing {
		if len(a.ID)%2 == 0 && a.Evidence.NetKind == "hosting" {
			return Void
		}
		return Counted
	}
	one, two := played(t, Plan{}, rule), played(t, Plan{}, rule)
	for i := range one.Rounds {
		if one.Rounds[i].Spent != two.Rounds[i].Spent || one.Rounds[i].Surviving != two.Rounds[i].Surviving {
			t.Errorf("round %d: %+v and %+v", i+1, one.Rounds[i], two.Rounds[i])
		}
	}
}

// holding holds what a rule holds, and releases whoever proves an address.
type holding struct{ judged }

func (h *holding) Prove(_ context.Context, ids []string) error {
	for _, id := range ids {
		fate := h.fates[id]
		fate.Standing = Counted
		h.fates[id] = fate
	}
	return nil
}

// A farm that deals in inboxes answers what is held, and pays for each; one that does
// not learns to, as nothing else helps.
func TestCampaign_AnswersHolds(t *testing.T) {
	play := func(plan Plan, stubborn bool) Outcome {
		g := &holding{judged{*NewCapped(0), func(Act) Standing { return Held }}}
		out, err := Campaign{Market: market(3), Costs: BuiltinCosts(), Plan: plan, Rounds: 3, Votes: 120, Stubborn: stubborn}.Play(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	without, with := play(Plan{}, true), play(Plan{Accounts: 1}, true)
	for r := range without.Rounds {
		a, b := without.Rounds[r], with.Rounds[r]
		if a.Held != a.Votes || a.Proved != 0 {
			t.Errorf("round %d: without inboxes %+v", r+1, a)
		}
		if b.Counted != b.Votes || b.Proved != b.Votes || b.Surviving != 1 {
			t.Errorf("round %d: with inboxes %+v", r+1, b)
		}
		if inboxes := b.Spent - a.Spent; math.Abs(inboxes-0.03*float64(b.Votes)) > 0.5 { // decoys take none, dice differ
			t.Errorf("round %d: inboxes for %d votes cost %.2f", r+1, b.Votes, inboxes)
		}
	}
	if first := play(Plan{}, false).Rounds[1].Changed; first[0] != Accounts.String() {
		t.Errorf("a farm that is held changed %v first", first)
	}
}

// Under the cap a farm pays for as many addresses as it takes, and nothing for trying
// what no cap sees once all of its votes count.
func TestCampaign_UnderCapPaysForTheCapAlone(t *testing.T) {
	out, err := Campaign{Market: market(3), Costs: BuiltinCosts(), Rounds: 3, Votes: 120}.UnderCap().Play(t.Context(), NewCapped(DailyCap))
	if err != nil {
		t.Fatal(err)
	}
	for r, round := range out.Rounds[1:] {
		if want := 12 * 0.12; math.Abs(round.Spent-want) > 0.13 || round.Surviving < 1 {
			t.Errorf("round %d: %d votes on %d survive at %.2f, want %.2f", r+2, round.Counted, round.Votes, round.Spent, want)
		}
	}
}

func TestCapped_TakesTenADayOfAnAddress(t *testing.T) {
	day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var acts []Act
	for i := range 25 {
		act := Act{}
		act.ID, act.At, act.Evidence.Net = strings.Repeat("x", i+1), day.Add(time.Duration(i)*time.Minute), "n"
		if i >= 12 {
			act.At = act.At.Add(24 * time.Hour)
		}
		acts = append(acts, act)
	}
	told, err := NewCapped(10).Cast(t.Context(), acts)
	if err != nil {
		t.Fatal(err)
	}
	counted := 0
	for _, a := range told {
		if a.Standing == Counted {
			counted++
		}
	}
	if counted != 20 || told[10].Standing != Rejected || told[12].Standing != Counted {
		t.Errorf("%d of 25 on two days are counted: %v", counted, told)
	}
}

func TestReport_TimesTheCap(t *testing.T) {
	price := func(x float64) *float64 { return &x }
	r := Report{Ours: Outcome{Rounds: []Round{{Price: price(3)}, {Price: price(8)}}}, Capped: Outcome{Rounds: []Round{{Price: price(0.5)}, {Price: price(0.25)}}}}
	if x, endless := r.Times(); x != 32 || endless {
		t.Errorf("in the last rounds %v", x)
	}
	if x, endless := r.LeastTimes(); x != 12 || endless {
		t.Errorf("in the cheapest %v", x)
	}
	r.Ours.Rounds[1].Price = nil
	if _, endless := r.Times(); !endless {
		t.Error("no vote counts, and the price has an end")
	}
	var text strings.Builder
	if err := r.Table(&text); err != nil || !strings.Contains(text.String(), "endlessly many times") {
		t.Errorf("%v: %s", err, text.String())
	}
}

func TestParseCosts(t *testing.T) {
	whole := string(CostsText())
	if got := BuiltinCosts(); got.Hosting != 0.12 || got.PersonVote != 0.10 {
		t.Errorf("built in: %+v", got)
	}
	for name, c := range map[string]struct{ text, fault string }{
		"one is missing": {strings.Replace(whole, "inbox: 0.03", "", 1), "inbox is missing"},
		"unknown":        {whole + "\nboat: 3\n", "boat"},
		"negative":       {strings.Replace(whole, "inbox: 0.03", "inbox: -1", 1), "inbox: expected a price"},
		"not a number":   {strings.Replace(whole, "inbox: 0.03", "inbox: .nan", 1), "inbox: expected a price"},
		"no table":       {"[]", "costs"},
		"two documents":  {whole + "\n---\ninbox: 1\n", "one document"},
		"nothing":        {"", "device is missing"},
	} {
		if _, err := ParseCosts([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q in it", name, err, c.fault)
		}
	}
}

func FuzzParseCosts(f *testing.F) {
	f.Add(CostsText())
	f.Add([]byte("device: 1e309"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCosts(text)
		if err != nil {
			return
		}
		for _, price := range []float64{c.Hosting, c.Residential, c.Mobile, c.Device, c.Inbox, c.AgedAccount, c.Challenge, c.PersonVote} {
			if !(price >= 0 && price <= maxPrice) {
				t.Errorf("a price of %v was taken", price)
			}
		}
	})
}

// broken is a ground that fails.
type broken struct{ *Capped }

var errBroken = errors.New("no ground")

func (broken) Rest(context.Context, time.Time) error { return errBroken }

func TestCampaign_SaysWhatFailed(t *testing.T) {
	_, err := Campaign{Market: market(1), Costs: BuiltinCosts(), Rounds: 2, Votes: 10}.Play(t.Context(), broken{NewCapped(10)})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "round 1") {
		t.Errorf("%v", err)
	}
}

func TestCampaign_ChangesSoManyTellsInAll(t *testing.T) {
	for _, tells := range []int{1, 2, 0} {
		c := Campaign{Market: market(1), Costs: BuiltinCosts(), Rounds: 5, Votes: 120, Tells: tells}
		out, err := c.Play(t.Context(), &seer{*NewCapped(0), 1, true})
		if err != nil {
			t.Fatal(err)
		}
		changed := map[string]int{}
		for _, r := range out.Rounds {
			for _, tell := range r.Changed {
				changed[tell]++
			}
		}
		if tells > 0 && len(changed) != tells || tells == 0 && len(changed) <= 2 {
			t.Errorf("%d tells: it changed %v", tells, changed)
		}
		for tell, grades := range changed {
			if tells == 1 && grades < 2 {
				t.Errorf("%s went up %d grades", tell, grades)
			}
		}
	}
}
