package detect

import (
	"fmt"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
)

func TestIdentify_AFarmIsCalledWhatItsMembersWere(t *testing.T) {
	var ballots []Ballot
	for v := range 20 {
		ballots = append(ballots, vote(fmt.Sprint("v", v), "e", float64(v), antifraud.Evidence{}))
	}
	of := func(voters ...int32) (f farm) {
		for _, v := range voters {
			f.who, f.w = append(f.who, v), append(f.w, 0.95)
		}
		return f
	}
	d := New(Options{})
	d.Add(ballots...)
	table := d.log.tabulate(d.all())
	named := func(farms ...farm) (names []string) {
		for _, id := range d.identify(table, farms) {
			names = append(names, d.ids[id])
		}
		return names
	}
	first := named(of(2, 3, 4, 5, 6, 7), of(10, 11, 12))
	if first[0] == first[1] || first[0] == "" {
		t.Fatalf("two farms: %q", first)
	}
	for _, row := range []struct {
		name  string
		farms []farm
		want  []string // empty: a new name
	}{
		{"in another order", []farm{of(10, 11, 12), of(2, 3, 4, 5, 6, 7)}, []string{first[1], first[0]}},
		{"with an earlier member, and without its first", []farm{of(1, 3, 4, 5, 6, 7), of(11, 12, 13)}, first},
		{"the greater part keeps it, the rest is another", []farm{of(3, 4, 5, 6), of(1, 7), of(11, 12)}, []string{first[0], "", first[1]}},
		{"two that became one", []farm{of(3, 4, 5, 6, 11, 12)}, first[:1]},
		{"a new one", []farm{of(15, 16)}, []string{""}},
	} {
		got := named(row.farms...)
		for n, name := range got {
			if known := slices.Contains(first, name); name != row.want[n] && (row.want[n] != "" || known) {
				t.Errorf("%s: %q, want %q", row.name, got, row.want)
			}
		}
	}
	// Who is believed of nobody's names nothing.
	doubtful := of(17, 18)
	doubtful.w = []float64{0.2, 0.4}
	if name := named(doubtful)[0]; slices.Contains(first, name) || d.cluster[17] != unseen {
		t.Errorf("a farm of nobody is called %q, its voters are %d", name, d.cluster[17])
	}
}
