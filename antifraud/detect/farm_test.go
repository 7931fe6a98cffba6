package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// outcome is what became of a group of voters.
type outcome struct{ voters, void, held int }

func (o outcome) share(n int) float64 { return float64(n) / float64(max(1, o.voters)) }

// outcomes are by group, of voters: void when any ballot is.
func outcomes(group func(voter string) string, findings []detect.Finding) map[string]outcome {
	worst := map[string]detect.Standing{}
	rank := []detect.Standing{detect.Counted, detect.Held, detect.Void}
	for _, f := range findings {
		was, seen := worst[f.Voter]
		if !seen || slices.Index(rank, f.Standing) > slices.Index(rank, was) {
			worst[f.Voter] = f.Standing
		}
	}
	all := map[string]outcome{}
	for voter, standing := range worst {
		o := all[group(voter)]
		o.voters++
		switch standing {
		case detect.Void:
			o.void++
		case detect.Held:
			o.held++
		}
		all[group(voter)] = o
	}
	return all
}

// A wave is made void among a thousand honest voters; the next is met at the door,
// and of five thousand others of the same town, school and phones nobody, though some
// show two or three things that are common, and more so in the farm.
func TestSignature_MeetsTheNextWaveAndNobodyElse(t *testing.T) {
	for _, row := range []struct {
		kind      string
		void, met float64
	}{{"burst", 0.95, 0.95}, {"link", 0.9, 0.95}, {"proxies", 0.75, 0.9}} { // who came through a home of their own is held, not void
		for seed := uint64(1); seed <= 2; seed++ {
			kind := row.kind
			w := farmlab.Make(farmlab.Mix{
				Entries: 6, Schools: 5, Days: 6, Ballots: 100, Voters: 5200,
				Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 500}, {Kind: "carrier", Voters: 300}},
				Farms:  []farmlab.Cohort{{Kind: kind, Voters: 500}},
			}, seed)
			r := rand.New(rand.NewPCG(seed, 7))
			wave, seen := map[string]bool{}, map[string]bool{} // voter -> is of the first contest
			farm, honest := 0, 0
			for _, at := range r.Perm(len(w.Ballots)) {
				voter := w.Ballots[at].Voter
				if seen[voter] {
					continue
				}
				seen[voter] = true
				if w.Labels[voter].Farm {
					wave[voter], farm = farm < 200, farm+1
				} else {
					wave[voter], honest = honest < 1000, honest+1
				}
			}
			var first, next []detect.Ballot
			for _, b := range w.Ballots {
				if wave[b.Voter] {
					first = append(first, b)
				} else {
					next = append(next, b)
				}
			}
			report := whole(first)
			got := outcomes(func(v string) string { return w.Labels[v].Group }, report.Findings)
			if o := got[kind]; o.share(o.void) < row.void || o.share(o.void+o.held) < 0.95 {
				t.Errorf("%s, seed %d: of the farm %+v", kind, seed, o)
			}
			for group, o := range got {
				if group != kind && o.void > 0 {
					t.Errorf("%s, seed %d: of honest %s %+v", kind, seed, group, o)
				}
			}
			var signatures []antifraud.Signature
			for _, c := range report.Clusters {
				if c.Signature != nil {
					signatures = append(signatures, *c.Signature)
				}
			}
			met, of := meets(w, signatures, next)
			t.Logf("%s, seed %d: %d signatures meet %d of %d ballots of the next wave, and %d of %d honest ones", kind, seed, len(signatures), met[true], of[true], met[false], of[false])
			if of[true] < 250 || of[false] < 5000 {
				t.Fatalf("too few to tell: %v", of)
			}
			if float64(met[true]) < row.met*float64(of[true]) || met[false] > 0 {
				t.Errorf("%s, seed %d: met %v of %v", kind, seed, met, of)
			}
			if none, _ := meets(w, nil, next); none[true] > 0 {
				t.Error("no signature meets somebody")
			}
		}
	}
}

// A farm of which half looks as everybody does has looks that honest voters have: its
// ballots are void, and the door is not told.
func TestSignature_IsNotGivenWhereMembersDoNotBearIt(t *testing.T) {
	given, void := 0, 0
	for seed := uint64(1); seed <= 4; seed++ {
		w := farmlab.Make(farmlab.Mix{Entries: 6, Schools: 5, Days: 6, Ballots: 100, Voters: 1500, Farms: []farmlab.Cohort{{Kind: "camouflage", Voters: 200}}}, seed)
		for _, c := range whole(w.Ballots).Clusters {
			void += c.Void
			if s := c.Signature; s != nil {
				given++
				if met, of := meets(w, []antifraud.Signature{*s}, w.Ballots); met[false] > 0 || 2*met[true] < of[true] {
					t.Errorf("seed %d: met %v of %v", seed, met, of)
				}
			}
		}
	}
	if void < 200 || given > 1 {
		t.Errorf("%d ballots are void, %d signatures given", void, given)
	}
}

// meets counts ballots that bear a signature, by whether they are a farm's.
func meets(w *farmlab.Workload, signatures []antifraud.Signature, ballots []detect.Ballot) (met, of map[bool]int) {
	met, of = map[bool]int{}, map[bool]int{}
	door := antifraud.NewSignatures(signatures)
	for i := range ballots {
		b := &ballots[i]
		farm := w.Labels[b.Voter].Farm
		of[farm]++
		if _, known := door.Match(b.Entry, &b.Evidence, b.At); known {
			met[farm]++
		}
	}
	return met, of
}

// disguised are a quiet contest's ballots, of which 200 voters were made a farm for
// one entry: what members does to their evidence is all that tells them from others.
func disguised(seed uint64, profiles float64, members ...func(r *rand.Rand, e *antifraud.Evidence)) (ballots []detect.Ballot, farm map[string]bool) {
	w := farmlab.Make(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1300, Members: farmlab.Members{Profiles: profiles}}, seed)
	r := rand.New(rand.NewPCG(seed, 11))
	votes := map[string]int{}
	for _, b := range w.Ballots {
		votes[b.Entry]++
	}
	target := slices.MinFunc(w.Ballots, func(a, b detect.Ballot) int { return votes[a.Entry] - votes[b.Entry] })
	farm = map[string]bool{}
	for _, at := range r.Perm(len(w.Ballots))[:200] {
		b := &w.Ballots[at]
		farm[b.Voter] = true
		b.Entry, b.School = target.Entry, target.School
		for _, change := range members {
			change(r, &b.Evidence)
		}
	}
	return w.Ballots, farm
}

func rented(r *rand.Rand, e *antifraud.Evidence) {
	n := r.IntN(12)
	e.NetKind, e.Net, e.Block = antifraud.NetHosting, fmt.Sprint("rented", n), fmt.Sprint("rack", n/6)
}

func quick(r *rand.Rand, e *antifraud.Evidence) {
	dwell := 900 + r.Int64N(200)
	e.DwellMS = &dwell
}

// timed presses the second button as a program does, too.
func timed(r *rand.Rand, e *antifraud.Evidence) {
	confirm := 140 + r.Int64N(20)
	e.ConfirmMS = &confirm
}

// hurried is as quick, on average, and as people are: no two for the same time.
func hurried(r *rand.Rand, e *antifraud.Evidence) {
	dwell := int64(1000 * math.Exp(0.6*r.NormFloat64()))
	e.DwellMS = &dwell
}

// owned gives everybody a phone of their own: a model that strangers have would be
// a second thing in common.
func owned(r *rand.Rand, e *antifraud.Evidence) { e.Device = fmt.Sprint("own", r.Int64()) }

func linked(_ *rand.Rand, e *antifraud.Evidence) {
	e.Via, e.Referrer = "one-link", antifraud.ReferrerShare
}

func minted(r *rand.Rand, e *antifraud.Evidence) {
	n := func(most int64) *int64 { x := r.Int64N(most); return &x }
	no, digits, following := false, 0.4, 600+r.Int64N(900)
	e.Profile = &antifraud.EvidenceProfile{Followers: n(12), Following: &following, Posts: n(2), AgeDays: n(9), HasPicture: &no, HasBio: &no, BioLength: n(1), NameDigits: &digits}
}

func racked(r *rand.Rand, e *antifraud.Evidence) {
	n := r.IntN(20)
	e.Device, e.Agent = fmt.Sprint("rack", n), fmt.Sprint("agent", n/7)
}

// Whose only things in common are a reading time and a link, and who confirm as people do,
// are void or held: a person's pace and a person's link are two things that some people
// have.
func TestWhole_APaceAndAWayAreNoLess(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		ballots, farm := disguised(seed, 0, quick, owned, linked)
		got := outcomes(func(v string) string { return fmt.Sprint(farm[v]) }, whole(ballots).Findings)
		if o := got["true"]; o.share(o.void+o.held) < 0.95 {
			t.Errorf("seed %d: farm %+v", seed, o)
		}
		if o := got["false"]; o.void > 0 || o.share(o.held) > 0.02 {
			t.Errorf("seed %d: honest %+v", seed, o)
		}
	}
}

func TestWhole_OneFamilyVoidsNobody(t *testing.T) {
	type tell = func(*rand.Rand, *antifraud.Evidence)
	for _, row := range []struct {
		name     string
		profiles float64
		members  []tell
		void     float64 // at least so much of it; 0: none
	}{
		{"nothing", 0, nil, 0},
		{"only hosting", 0, []tell{rented}, 0},
		{"hosting by one link", 0, []tell{rented, linked}, 0},
		{"only quick", 0, []tell{quick, owned}, 0},
		{"hurried by one link", 0, []tell{hurried, owned, linked}, 0}, // as a community told to vote now
		{"in one rhythm by one link", 0, []tell{quick, timed, owned, linked}, 0.75},
		{"only one link", 0, []tell{linked}, 0},
		{"only accounts", 0.9, []tell{minted}, 0},
		{"accounts by one link", 0.9, []tell{minted, linked}, 0},
		{"quick, with bad accounts", 0.9, []tell{quick, owned, minted}, 0},
		{"only devices", 0, []tell{racked}, 0},
		{"devices by one link", 0, []tell{racked, linked}, 0},
		{"hosting and devices", 0, []tell{rented, racked, linked}, 0.9},
		{"devices and quick", 0, []tell{racked, quick, linked}, 0.9},
		{"devices and bad accounts", 0.9, []tell{racked, minted, linked}, 0.9},
	} {
		for seed := uint64(1); seed <= 2; seed++ {
			ballots, farm := disguised(seed, row.profiles, row.members...)
			got := outcomes(func(v string) string { return fmt.Sprint(farm[v]) }, whole(ballots).Findings)
			t.Logf("%s: farm %+v, honest %+v", row.name, got["true"], got["false"])
			if o := got["true"]; o.share(o.void) < row.void || row.void == 0 && o.void > 0 {
				t.Errorf("%s, seed %d: farm %+v", row.name, seed, o)
			}
			if o := got["false"]; o.void > 0 || o.share(o.held) > 0.02 {
				t.Errorf("%s, seed %d: honest %+v", row.name, seed, o)
			}
		}
	}
}

// What a farm has in common is what it has at all: dealt anew among all ballots, it
// is nobody's.
func TestWhole_EvidenceDealtAnewIsNobodysFarm(t *testing.T) {
	ballots, farm := disguised(1, 0, rented, quick, racked, linked)
	dealt := slices.Clone(ballots)
	r := rand.New(rand.NewPCG(5, 5))
	for _, deal := range []func(a, b *antifraud.Evidence){
		func(a, b *antifraud.Evidence) { a.Device, b.Device = b.Device, a.Device },
		func(a, b *antifraud.Evidence) { a.Agent, b.Agent = b.Agent, a.Agent },
		func(a, b *antifraud.Evidence) {
			a.Net, b.Net, a.Block, b.Block, a.NetKind, b.NetKind = b.Net, a.Net, b.Block, a.Block, b.NetKind, a.NetKind
		},
		func(a, b *antifraud.Evidence) { a.DwellMS, b.DwellMS = b.DwellMS, a.DwellMS },
		func(a, b *antifraud.Evidence) {
			a.Via, b.Via, a.Referrer, b.Referrer = b.Via, a.Via, b.Referrer, a.Referrer
		},
	} {
		r.Shuffle(len(dealt), func(i, j int) { deal(&dealt[i].Evidence, &dealt[j].Evidence) })
	}
	r.Shuffle(len(dealt), func(i, j int) { dealt[i].Entry, dealt[j].Entry = dealt[j].Entry, dealt[i].Entry })
	is := func(v string) string { return fmt.Sprint(farm[v]) }
	if o := outcomes(is, whole(ballots).Findings)["true"]; o.void < 190 {
		t.Fatalf("the farm itself: %+v", o)
	}
	for group, o := range outcomes(is, whole(dealt).Findings) {
		if o.void > 0 || o.share(o.held) > 0.02 {
			t.Errorf("dealt anew, farm %s: %+v", group, o)
		}
	}
	// And labels dealt anew: recall is the share of all that is void.
	r = rand.New(rand.NewPCG(6, 6))
	drawn := map[string]bool{}
	for _, at := range r.Perm(len(ballots))[:200] {
		drawn[ballots[at].Voter] = true
	}
	o := outcomes(func(v string) string { return fmt.Sprint(drawn[v]) }, whole(ballots).Findings)
	if hit, miss := o["true"].share(o["true"].void), o["false"].share(o["false"].void); hit > miss+0.1 || hit < miss-0.1 {
		t.Errorf("of voters drawn by lot %.2f are void, of others %.2f", hit, miss)
	}
}

func TestWhole_CrowdsAreCounted(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		w := farmlab.Make(farmlab.Mix{
			Entries: 8, Schools: 6, Days: 8, Ballots: 100, Voters: 1500,
			Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 900}, {Kind: "computer-room", Voters: 30}, {Kind: "computer-room", Voters: 25}, {Kind: "viral", Voters: 600}, {Kind: "bus", Voters: 50}},
			Farms:  []farmlab.Cohort{{Kind: "false-flag", Voters: 200}},
		}, seed)
		got := outcomes(func(v string) string { return w.Labels[v].Group }, whole(w.Ballots).Findings)
		if o := got["false-flag"]; o.share(o.void+o.held) < 0.5 {
			t.Errorf("seed %d: nobody is looked for: %+v", seed, o)
		}
		for group, o := range got {
			if group != "false-flag" && (o.void > 0 || o.share(o.held) > 0.02) {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// A campus behind one address at the pace and by the link of everybody, in an hour
// that is as busy as a farm's.
func TestWhole_ACampusWithOneAddressIsCounted(t *testing.T) {
	w := farmlab.Make(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1500}, 3)
	start := w.Ballots[len(w.Ballots)/2].At
	campus := map[string]bool{}
	for n := range w.Ballots {
		if b := &w.Ballots[n]; n%4 == 0 {
			campus[b.Voter] = true
			b.Entry, b.School, b.At = w.Ballots[0].Entry, w.Ballots[0].School, start.Add(time.Duration(n)*time.Second)
			b.Evidence.Net, b.Evidence.Block, b.Evidence.Via = "school", "schools", "school-link"
			b.Evidence.NetKind = []antifraud.NetKind{antifraud.NetCampus, antifraud.NetResidential}[n/4%2] // tables may not know
		}
	}
	got := outcomes(func(v string) string { return fmt.Sprint(campus[v]) }, whole(w.Ballots).Findings)
	for group, o := range got {
		if o.void > 0 || o.held > 0 || o.voters < 300 {
			t.Errorf("campus %s: %+v", group, o)
		}
	}
}
