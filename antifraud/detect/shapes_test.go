package detect_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// shapes make of a contest one that is hardly any: each member of evidence may be all there
// is, and so may an entry or a minute.
var shapes = []struct {
	name  string
	shape func(r *rand.Rand, b *detect.Ballot)
}{
	{"as it is", func(*rand.Rand, *detect.Ballot) {}},
	{"one entry", func(_ *rand.Rand, b *detect.Ballot) { b.Entry = "e" }},
	{"all in a minute", func(r *rand.Rand, b *detect.Ballot) {
		b.At = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(60_000)) * time.Millisecond)
	}},
	{"nothing but addresses", func(_ *rand.Rand, b *detect.Ballot) {
		b.Evidence = antifraud.Evidence{Net: b.Evidence.Net, Block: b.Evidence.Block, NetKind: b.Evidence.NetKind}
	}},
	{"nothing but devices", func(_ *rand.Rand, b *detect.Ballot) { b.Evidence = antifraud.Evidence{Device: b.Evidence.Device} }},
	{"nothing but reading times", func(_ *rand.Rand, b *detect.Ballot) { b.Evidence = antifraud.Evidence{DwellMS: b.Evidence.DwellMS} }},
	{"half sends no reading time", func(r *rand.Rand, b *detect.Ballot) {
		if r.IntN(2) == 0 {
			b.Evidence.DwellMS = nil
		}
	}},
	{"one entry, in a minute, nothing but addresses", func(r *rand.Rand, b *detect.Ballot) {
		b.Entry, b.Evidence = "e", antifraud.Evidence{Net: b.Evidence.Net}
		b.At = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(60_000)) * time.Millisecond)
	}},
}

// Crowds without a farm lose nobody by the shape of their contest, nor by how few they are.
func TestDetector_NobodyIsVoidByTheShapeOfAContest(t *testing.T) {
	crowds := farmlab.Make(farmlab.Mix{
		Entries: 9, Schools: 7, Days: 31, Ballots: 3, Voters: 1200, Members: farmlab.Members{Profiles: 0.5},
		Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 500}, {Kind: "radio", Voters: 300}, {Kind: "computer-room", Voters: 28}, {Kind: "fanclub", Voters: 60}, {Kind: "family", Voters: 150}},
	}, 4)
	for _, s := range shapes {
		for _, n := range []int{20, 200, len(crowds.Ballots)} {
			r := rand.New(rand.NewPCG(uint64(n), 9))
			var ballots []detect.Ballot
			for _, at := range r.Perm(len(crowds.Ballots))[:n] {
				b := crowds.Ballots[at]
				s.shape(r, &b)
				ballots = append(ballots, b)
			}
			d := detect.New(detect.Options{})
			d.Add(ballots...)
			for _, report := range []detect.Report{d.Run(), d.Whole()} {
				sound(t, report, n)
				void, held := 0, 0
				for _, f := range report.Findings {
					switch f.Standing {
					case detect.Void:
						void++
					case detect.Held:
						held++
					}
				}
				if void > 0 || held > n/100 {
					t.Errorf("%s, %d ballots: %d void, %d held", s.name, n, void, held)
				}
			}
		}
	}
}

// A farm beside them is found where anything shows it, and its shape makes nobody else void.
func TestDetector_AFarmIsFoundInAnyShapeThatShowsIt(t *testing.T) {
	w := small(5)
	found := map[string]bool{"as it is": true, "one entry": true, "all in a minute": true, "half sends no reading time": true}
	for _, s := range shapes {
		r := rand.New(rand.NewPCG(2, 9))
		var ballots []detect.Ballot
		for _, b := range w.Ballots {
			s.shape(r, &b)
			ballots = append(ballots, b)
		}
		report := whole(ballots)
		sound(t, report, len(ballots))
		got := outcomes(func(v string) string { return fmt.Sprint(w.Labels[v].Farm) }, report.Findings)
		farm, honest := got["true"], got["false"]
		t.Logf("%s: farm %+v, honest %+v", s.name, farm, honest)
		if honest.void > 0 || honest.share(honest.held) > 0.02 {
			t.Errorf("%s: honest %+v", s.name, honest)
		}
		if found[s.name] && farm.share(farm.void+farm.held) < 0.9 {
			t.Errorf("%s: farm %+v", s.name, farm)
		}
	}
}

// A nation of 300,000 voters takes a minute and loses no honest one; twice as many voters take
// about twice as long. Only at length: it takes both processors, while others wait.
func TestDetector_ANation(t *testing.T) {
	if os.Getenv("JOUTE_FAULTS") != "long" {
		t.Skip("minutes: JOUTE_FAULTS=long")
	}
	took := map[int]time.Duration{}
	for _, voters := range []int{150_000, 300_000} {
		w := farmlab.Make(farmlab.Mix{
			Entries: 1000, Schools: 300, Days: 30, Ballots: 3, Voters: voters,
			Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 1500}, {Kind: "viral", Voters: 4000}, {Kind: "radio", Voters: 3000}, {Kind: "computer-room", Voters: 30}},
			Farms:  []farmlab.Cohort{{Kind: "burst", Voters: 400}, {Kind: "drip", Voters: 300}, {Kind: "hoard", Voters: 300}, {Kind: "link", Voters: 300}},
		}, 8)
		start := time.Now()
		report := whole(w.Ballots)
		took[voters] = time.Since(start)
		sound(t, report, len(w.Ballots))
		got := outcomes(func(v string) string { return fmt.Sprint(w.Labels[v].Farm) }, report.Findings)
		t.Logf("%d ballots in %v: %+v", len(w.Ballots), took[voters], got)
		if o := got["false"]; o.void > 0 || o.share(o.held) > 0.01 {
			t.Errorf("honest %+v", o)
		}
		if o := got["true"]; o.share(o.void+o.held) < 0.8 {
			t.Errorf("farms %+v", o)
		}
	}
	if took[300_000] > 3*took[150_000] { // a busy machine takes some of it
		t.Errorf("twice as many take %v, and half %v", took[300_000], took[150_000])
	}
}
