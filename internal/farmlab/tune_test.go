package farmlab

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
)

func TestTune(t *testing.T) {
	names := strings.Fields(os.Getenv("TUNE"))
	if len(names) == 0 {
		t.Skip()
	}
	var seed uint64 = 1
	fmt.Sscan(os.Getenv("SEED"), &seed)
	for _, n := range names {
		var w *Workload
		var err error
		if p, ok := Named(n); ok {
			w = Make(p.Mix, seed)
		} else if n == "random" {
			w = Make(Random(seed), seed)
		} else if w, err = Read("/work/shared/antifraud/workloads/" + n); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		r := Judge(w)
		took := time.Since(start)
		f := r.Figures()
		if os.Getenv("WHO") != "" {
			for _, x := range r.Findings {
				if l := w.Labels[x.Voter]; !l.Farm && x.Standing == "void" {
					fmt.Printf("   %s %s %.4f %v %v\n", l.Group, x.Entry, x.Score, x.Families, x.Parts)
				}
			}
		}
		var bad []string
		var keys []string
		for g := range f.Groups {
			keys = append(keys, g)
		}
		sort.Strings(keys)
		for _, g := range keys {
			y := f.Groups[g]
			farm := y.Farm
			if farm && (y.VoidHeld < .93 || y.Counted > .03 && os.Getenv("CNT") != "") {
				bad = append(bad, fmt.Sprintf("%s %.2f/%.2f(%d) c%.3f", g, y.Void, y.VoidHeld, y.Voters, y.Counted))
			}
			if !farm && (y.Void > 0 || y.VoidHeld > .01) {
				bad = append(bad, fmt.Sprintf("%s! %.3f/%.3f(%d)", g, y.Void, y.VoidHeld, y.Voters))
			}
		}
		fmt.Printf("%-13s %6.1fs P %.3f F1 %.3f cnt %.3f hv %.4f hh %.4f tau %.3f %v ece %.4f | %s\n", n, took.Seconds(), f.Void.Precision, f.VoidHeld.F1, f.Result.FarmCounted, f.Result.HonestVoid, f.Result.HonestHeld, f.Result.Tau, f.Result.Winner, f.ECE, strings.Join(bad, "; "))
	}
}
