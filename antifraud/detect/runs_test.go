package detect_test

import (
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// small is a contest of some six thousand ballots with three crowds and four farms.
func small(seed uint64) *farmlab.Workload { return beside(2200, seed) }

// beside are the same crowds and farms beside so many other voters.
func beside(voters int, seed uint64) *farmlab.Workload {
	return farmlab.Make(farmlab.Mix{
		Entries: 9, Schools: 7, Days: 9, Ballots: 3, Voters: voters,
		Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 400}, {Kind: "viral", Voters: 500}, {Kind: "family", Voters: 100}},
		Farms:  []farmlab.Cohort{{Kind: "burst", Voters: 150}, {Kind: "proxies", Voters: 150}, {Kind: "link", Voters: 120}, {Kind: "lone", Voters: 30}},
	}, seed)
}

func whole(ballots []detect.Ballot) detect.Report {
	d := detect.New(detect.Options{})
	d.Add(ballots...)
	return d.Whole()
}

// written is all that a report says, as text; findings by ballot.
func written(t *testing.T, r detect.Report) string {
	t.Helper()
	slices.SortFunc(r.Findings, func(a, b detect.Finding) int { return cmp.Compare(a.Ballot, b.Ballot) })
	type open struct {
		detect.Finding
		Families, Parts any
	}
	var all []any
	for _, f := range r.Findings {
		all = append(all, open{f, f.Families, f.Parts})
	}
	for _, c := range r.Clusters {
		all = append(all, c, c.Signature)
	}
	text, err := json.Marshal(append(all, r.Share))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhole_OrderOfBallotsAndProcessorsDoNotMatter(t *testing.T) {
	w := small(1)
	first := whole(w.Ballots)
	if len(first.Clusters) < 3 || len(first.Findings) != len(w.Ballots) {
		t.Fatalf("%d clusters, %d findings of %d ballots", len(first.Clusters), len(first.Findings), len(w.Ballots))
	}
	want := written(t, first)
	shuffled := slices.Clone(w.Ballots)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if reflect.DeepEqual(shuffled[:50], w.Ballots[:50]) {
		t.Fatal("nothing was shuffled")
	}
	if written(t, whole(shuffled)) != want {
		t.Error("another order of the ballots gives other findings")
	}
	processors := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(processors)
	for _, n := range []int{1, 4} {
		runtime.GOMAXPROCS(n)
		if written(t, whole(w.Ballots)) != want {
			t.Errorf("on %d processors it finds something else", n)
		}
	}
}

// told is what a listener knows who heard every run.
type told map[string]detect.Finding

// hear takes what a run says; it is a fault to say again what is known.
func (known told) hear(t *testing.T, r detect.Report) {
	t.Helper()
	once := map[string]bool{}
	for _, f := range r.Findings {
		if once[f.Ballot] {
			t.Fatalf("ballot %s is told twice in one run", f.Ballot)
		}
		once[f.Ballot] = true
		was, heard := known[f.Ballot]
		if !heard {
			was.Standing = detect.Counted
		}
		if was.Standing == f.Standing && was.Cluster == f.Cluster && was.Score == f.Score && slices.Equal(was.Families, f.Families) {
			t.Fatalf("told again: %+v, was %+v", f, was)
		}
		known[f.Ballot] = f
	}
}

// differ are the ballots whose standing was told as another than a look at all finds.
func (known told) differ(r detect.Report) (n int) {
	for _, f := range r.Findings {
		standing := detect.Counted
		if is, heard := known[f.Ballot]; heard {
			standing = is.Standing
		}
		if standing != f.Standing {
			n++
		}
	}
	return n
}

func TestRun_EndsWhereALookAtAllDoes(t *testing.T) {
	w := beside(700, 2)
	d, known := detect.New(detect.Options{}), told{}
	for from := 0; from < len(w.Ballots); from += 200 {
		d.Add(w.Ballots[from:min(from+200, len(w.Ballots))]...)
		known.hear(t, d.Run())
	}
	if again := d.Run(); len(again.Findings) > 0 {
		t.Errorf("%d findings, and nothing is new", len(again.Findings))
	}
	if n := known.differ(whole(w.Ballots)); n > 0 {
		t.Errorf("%d of %d ballots stand otherwise after all runs than looked at whole", n, len(w.Ballots))
	}
}

func TestRun_AFarmKeepsItsName(t *testing.T) {
	w := small(4)
	d := detect.New(detect.Options{})
	standing := told{}
	names := map[string]string{} // of a farm, by its true group
	for from := 0; from < len(w.Ballots); from += 400 {
		d.Add(w.Ballots[from:min(from+400, len(w.Ballots))]...)
		for _, f := range d.Run().Findings {
			standing[f.Ballot] = f
		}
		in := map[string]map[string]int{}
		for _, f := range standing {
			if label := w.Labels[f.Voter]; label.Farm && f.Cluster != "" {
				if in[label.Group] == nil {
					in[label.Group] = map[string]int{}
				}
				in[label.Group][f.Cluster]++
			}
		}
		for group, clusters := range in {
			name, most, all := "", 0, 0
			for cluster, n := range clusters {
				all += n
				if n > most {
					name, most = cluster, n
				}
			}
			if all < 40 {
				continue
			}
			if was := names[group]; was != "" && was != name {
				t.Errorf("after %d ballots %s is called %s, was %s", from, group, name, was)
			}
			names[group] = name
		}
	}
	if len(names) < 3 {
		t.Errorf("few farms were seen: %v", names)
	}
}

func TestWhole_ShareIsThatOfTheFarms(t *testing.T) {
	for seed := range uint64(3) {
		w := small(10 + seed)
		farms := 0
		for _, label := range w.Labels {
			if label.Farm {
				farms++
			}
		}
		if is, want := whole(w.Ballots).Share, float64(farms)/float64(len(w.Labels)); math.Abs(is-want) > 0.02 {
			t.Errorf("seed %d: a share of %.3f, and it is %.3f", seed, is, want)
		}
	}
}
