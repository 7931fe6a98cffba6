package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// random judges contests of any kind, each drawn by its seed: one row of each, what is
// found of each kind of farm and of crowd by what evidence there is, and the goals of
// all together. Some have so little evidence that no goal is set for what is found: it
// is told. The honest must not lose by any.
func (t *table) random(first uint64, contests int) {
	var runs []farmlab.Run
	kinds := newKinds()
	fmt.Fprintf(t.out, "farmlab random, seeds %d to %d\tvoters, entries\tshown\tfarm: void\tor held\thonest: void ballots\theld\tcampus\tviral\tfan club\troom\ttau\twinner\toff\n", first, first+uint64(contests)-1)
	for seed := first; seed < first+uint64(contests); seed++ {
		mix := farmlab.Random(seed)
		run := farmlab.Judge(farmlab.Make(mix, seed))
		f := run.Figures()
		runs = append(runs, run)
		kinds.add(mix, run, f)
		lost := func(group string) string {
			g, ok := f.Groups[group]
			if !ok {
				return "-"
			}
			return share(g.VoidHeld)
		}
		void, found := "-", "-"
		if len(mix.Farms) > 0 {
			void, found = share(f.Void.Recall), share(f.VoidHeld.Recall)
		}
		winner := "right"
		if !f.Result.Winner {
			winner = "WRONG"
		}
		fmt.Fprintf(t.out, "  %d\t%d, %d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%.3f\t%s\t%.3f\n", seed, len(run.Labels), mix.Entries, shown(mix.Members),
			void, found, voided(run), share(f.Result.HonestHeld), lost("campus"), lost("viral"), lost("fanclub"), lost("computer-room"),
			f.Result.Tau, winner, f.ECE)
	}
	t.end()
	kinds.print(t)
	f := farmlab.Pool(runs...)
	t.head(fmt.Sprintf("all of them: F1 %.3f, farm ballots counted %.3f", f.VoidHeld.F1, f.Result.FarmCounted))
	t.add((farmlab.Goals{}).Check(f)...)
	t.end()
}

// voided counts the honest ballots that are void.
func voided(run farmlab.Run) (n int) {
	void := map[string]bool{}
	for _, f := range run.Findings {
		void[f.Ballot] = f.Standing == detect.Void
	}
	for _, b := range run.Ballots {
		if void[b.ID] && !run.Labels[b.Voter].Farm {
			n++
		}
	}
	return n
}

// share is in per cent; what is hardly any is not written as none.
func share(x float64) string {
	if x > 0 && x < 0.001 {
		return fmt.Sprintf("%.2g %%", 100*x)
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}

// shown is what of the evidence a contest has.
func shown(m farmlab.Members) string {
	var parts []string
	for _, part := range []struct {
		name string
		is   bool
	}{
		{"profiles", m.Profiles > 0}, {"e-mail", m.Email > 0}, {"no device", m.NoDevice}, {"no agent", m.NoAgent}, {"no dwell", m.NoDwell}, {"no link", m.NoVia}, {"nets unknown", m.UnknownNets > 0.5},
	} {
		if part.is {
			parts = append(parts, part.name)
		}
	}
	if parts == nil {
		return "open"
	}
	return strings.Join(parts, ", ")
}

// The columns of kinds: what passes show. An open contest has devices and no profiles.
var columns = []string{"device", "device, profile", "neither", "profile"}

func column(m farmlab.Members) int {
	at := 0
	if m.NoDevice {
		at = 2
	}
	if m.Profiles > 0 {
		at++
		if m.NoDevice {
			at = 3
		}
	}
	return at
}

// counts are voters of a kind, and what they were called.
type counts struct{ voters, void, found float64 }

func (c counts) String() string {
	if c.voters == 0 {
		return "-"
	}
	return fmt.Sprintf("%s, %s of %.0f", share(c.void/c.voters), share(c.found/c.voters), c.voters)
}

// kinds counts by kind of farm or crowd and by column.
type kinds struct{ of map[string][4]counts }

func newKinds() *kinds { return &kinds{of: map[string][4]counts{}} }

// ownLink are the voters of any farm who came by the link of a school: a farm has no
// other.
const ownLink = "farms by the school's own link"

func (k *kinds) add(mix farmlab.Mix, run farmlab.Run, f farmlab.Figures) {
	at := column(mix.Members)
	put := func(name string, c counts) {
		row := k.of[name]
		row[at].voters, row[at].void, row[at].found = row[at].voters+c.voters, row[at].void+c.void, row[at].found+c.found
		k.of[name] = row
	}
	for name, g := range f.Groups {
		n := float64(g.Voters)
		put(name, counts{n, n * g.Void, n * g.VoidHeld})
	}
	linked := farmlab.Run{Workload: &farmlab.Workload{Labels: map[string]farmlab.Label{}}, Findings: run.Findings}
	for _, b := range run.Ballots {
		if label := run.Labels[b.Voter]; label.Farm && b.Evidence.Via != "" {
			linked.Ballots = append(linked.Ballots, b)
			linked.Labels[b.Voter] = farmlab.Label{Farm: true, Group: ownLink}
		}
	}
	if g, ok := linked.Figures().Groups[ownLink]; ok {
		n := float64(g.Voters)
		put(ownLink, counts{n, n * g.Void, n * g.VoidHeld})
	}
}

func (k *kinds) print(t *table) {
	fmt.Fprintf(t.out, "void, void or held, of voters\t%s\n", strings.Join(columns, "\t"))
	for _, name := range slices.Concat(farmlab.Farms, []string{ownLink, "background"}, farmlab.Crowds) {
		row, ok := k.of[name]
		if !ok {
			continue
		}
		fmt.Fprintf(t.out, "  %s", name)
		for _, c := range row {
			fmt.Fprintf(t.out, "\t%v", c)
		}
		fmt.Fprintln(t.out)
	}
	t.end()
}
