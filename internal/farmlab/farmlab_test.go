package farmlab_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab"
)

type played struct {
	name string
	mix  farmlab.Mix
	*farmlab.Workload
}

// all are the presets and some random mixes, played once.
var all = sync.OnceValue(func() (every []played) {
	for _, p := range farmlab.Presets {
		p.Mix.Voters /= 4
		every = append(every, played{p.Name, p.Mix, farmlab.Make(p.Mix, 3)})
	}
	for seed := range uint64(6) {
		mix := farmlab.Random(seed)
		mix.Voters = min(mix.Voters, 3000)
		every = append(every, played{"random", mix, farmlab.Make(mix, seed)})
	}
	return every
})

func every(t *testing.T, check func(t *testing.T, mix farmlab.Mix, w *farmlab.Workload)) {
	for _, p := range all() {
		t.Run(p.name, func(t *testing.T) { check(t, p.mix, p.Workload) })
	}
}

func TestMake_KeepsTheRulesOfItsContest(t *testing.T) {
	every(t, func(t *testing.T, _ farmlab.Mix, w *farmlab.Workload) {
		c, err := contest.Parse(w.Contest)
		if err != nil {
			t.Fatal(err)
		}
		type turn struct {
			voter, entry string
			day          time.Time
		}
		turns, ids, voters := map[turn]int{}, map[string]bool{}, map[string]bool{}
		last := time.Time{}
		for _, b := range w.Ballots {
			entry, known := c.Entry(b.Entry)
			switch {
			case !known || entry.School != b.School:
				t.Fatalf("a ballot for entry %q of school %q", b.Entry, b.School)
			case !c.Phases.Voting.Contains(b.At):
				t.Fatalf("a ballot at %v, outside %v", b.At, c.Phases.Voting)
			case b.At.Before(last):
				t.Fatalf("a ballot at %v after one at %v", b.At, last)
			case ids[b.ID]:
				t.Fatalf("ballot %s twice", b.ID)
			}
			if _, ok := w.Labels[b.Voter]; !ok {
				t.Fatalf("voter %s has no label", b.Voter)
			}
			day := time.Time{}
			if c.Rules.Ballots.Per == contest.PerDay {
				day = b.At.Truncate(24 * time.Hour)
			}
			turns[turn{b.Voter, "", day}]++
			turns[turn{b.Voter, b.Entry, day}]++
			if turns[turn{b.Voter, "", day}] > c.Rules.Ballots.Max || turns[turn{b.Voter, b.Entry, day}] > c.Rules.PerEntry {
				t.Fatalf("voter %s has more ballots than the rules allow", b.Voter)
			}
			last, ids[b.ID], voters[b.Voter] = b.At, true, true
		}
		if len(voters) != len(w.Labels) {
			t.Errorf("%d labels of %d voters", len(w.Labels), len(voters))
		}
	})
}

func TestMake_HasWhoWasAskedFor(t *testing.T) {
	every(t, func(t *testing.T, mix farmlab.Mix, w *farmlab.Workload) {
		groups := map[string]int{}
		for _, label := range w.Labels {
			groups[label.Group]++
		}
		for _, c := range append(append([]farmlab.Cohort{{Kind: "background"}}, mix.Crowds...), mix.Farms...) {
			if groups[c.Kind] < 4 {
				t.Errorf("%d voters of group %s", groups[c.Kind], c.Kind)
			}
		}
		if len(groups) > 1+len(mix.Crowds)+len(mix.Farms) {
			t.Errorf("groups nobody asked for: %v", groups)
		}
		has := struct{ device, agent, dwell, via, referrer, profile int }{}
		for _, b := range w.Ballots {
			e := b.Evidence
			for _, member := range []struct {
				there bool
				count *int
			}{{e.Device != "", &has.device}, {e.Agent != "", &has.agent}, {e.DwellMS != nil, &has.dwell}, {e.Via != "", &has.via}, {e.Referrer != "", &has.referrer}, {e.Profile != nil, &has.profile}} {
				if member.there {
					*member.count++
				}
			}
		}
		m := mix.Members
		for _, member := range []struct {
			name   string
			absent bool
			count  int
		}{{"device", m.NoDevice, has.device}, {"agent", m.NoAgent, has.agent}, {"dwell_ms", m.NoDwell, has.dwell}, {"via", m.NoVia, has.via}, {"referrer", m.NoReferrer, has.referrer}, {"profile", m.Profiles == 0, has.profile}} {
			if member.absent != (member.count == 0) {
				t.Errorf("%s: in %d of %d ballots, absent %v", member.name, member.count, len(w.Ballots), member.absent)
			}
		}
	})
}

func TestMake_SameSeedSameWorkload(t *testing.T) {
	mix := farmlab.Random(11)
	mix.Voters = 800
	first, again := farmlab.Make(mix, 5), farmlab.Make(mix, 5)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed gives another workload")
	}
	if other := farmlab.Make(mix, 6); other.Ballots[0].ID == first.Ballots[0].ID {
		t.Error("another seed gives the same")
	}
}

// What makes crowds hard is what they share. If strangers shared nothing, any
// rule would do.
func TestMake_StrangersShare(t *testing.T) {
	for seed := range uint64(5) {
		w := farmlab.Make(farmlab.Presets[0].Mix, seed)
		by := map[string]map[string]bool{} // voters by device, of the background
		exits := map[string]map[string]bool{}
		voters := map[string]bool{}
		tunnels := map[string]bool{}
		for _, b := range w.Ballots {
			if w.Labels[b.Voter].Group != "background" {
				continue
			}
			voters[b.Voter] = true
			put(by, b.Evidence.Device, b.Voter)
			if b.Evidence.NetKind == antifraud.NetMobile {
				put(exits, b.Evidence.Net, b.Voter)
			}
			if b.Evidence.NetKind == antifraud.NetVPN || b.Evidence.NetKind == antifraud.NetHosting {
				tunnels[b.Voter] = true
			}
		}
		sharers, popular, busiest := map[string]bool{}, 0, 0
		for _, who := range by {
			popular = max(popular, len(who))
			if len(who) > 1 {
				for v := range who {
					sharers[v] = true
				}
			}
		}
		for _, who := range exits {
			busiest = max(busiest, len(who))
		}
		n := float64(len(voters))
		if share := float64(len(sharers)) / n; share < 0.25 || share > 0.6 {
			t.Errorf("seed %d: %.2f of the voters share a device with strangers, want a third to a half", seed, share)
		}
		if share := float64(popular) / n; share > 0.25 {
			t.Errorf("seed %d: %.2f have the same phone", seed, share)
		}
		if busiest < 30 {
			t.Errorf("seed %d: at most %d behind a carrier's address", seed, busiest)
		}
		if share := float64(len(tunnels)) / n; share < 0.01 || share > 0.07 {
			t.Errorf("seed %d: %.3f use a VPN, want 2 to 5 %%", seed, share)
		}
	}
}

// A class at identical machines and one person at one machine differ in whether
// visits overlap.
func TestMake_VisitsOverlapInComputerRoomsAlone(t *testing.T) {
	overlaps := func(group string, farms, crowds []farmlab.Cohort) (overlapping, all int) {
		w := farmlab.Make(farmlab.Mix{Entries: 6, Schools: 4, Days: 8, Ballots: 1, Voters: 300, Farms: farms, Crowds: crowds}, 9)
		var last *detect.Ballot
		for i, b := range w.Ballots {
			if w.Labels[b.Voter].Group != group {
				continue
			}
			if last != nil {
				all++
				if b.At.Add(-time.Duration(*b.Evidence.DwellMS) * time.Millisecond).Before(last.At) {
					overlapping++
				}
			}
			last = &w.Ballots[i]
		}
		return overlapping, all
	}
	if n, all := overlaps("lone-campus", []farmlab.Cohort{{Kind: "lone-campus", Voters: 60}}, nil); n > 0 || all != 59 {
		t.Errorf("%d of the %d visits of one person begin before the last one ended", n, all)
	}
	if n, all := overlaps("computer-room", nil, []farmlab.Cohort{{Kind: "computer-room", Voters: 30}}); n < all/4 {
		t.Errorf("%d of %d visits in a computer room overlap", n, all)
	}
}

// Links bring few each, and there are many: they are people's own.
func TestMake_PeopleHaveLinks(t *testing.T) {
	w := farmlab.Make(farmlab.Presets[0].Mix, 2)
	sizes := map[string]int{}
	for _, b := range w.Ballots {
		if w.Labels[b.Voter].Group == "background" && b.Evidence.Via != "" {
			sizes[b.Evidence.Via]++
		}
	}
	few := 0
	for _, n := range sizes {
		if n < 6 {
			few++
		}
	}
	if len(sizes) < 50 || few < len(sizes)/2 {
		t.Errorf("%d links brought somebody of the background, %d of them fewer than six", len(sizes), few)
	}
}

func TestPlacebo_CallsHonestVotersAFarm(t *testing.T) {
	w := farmlab.Make(farmlab.Presets[0].Mix, 1)
	labels := w.Placebo(0.1, 1)
	farm := 0
	for voter, label := range labels {
		if w.Labels[voter].Farm {
			t.Fatal("a farm's voter is in the placebo")
		}
		if label.Farm {
			farm++
		}
	}
	if share := float64(farm) / float64(len(labels)); share < 0.08 || share > 0.12 {
		t.Errorf("%.3f of the honest voters are labelled, want 0.1", share)
	}
}

func put(sets map[string]map[string]bool, key, voter string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][voter] = true
}
