package account

import (
	"encoding/csv"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/joute/joute/internal/ndjson"
)

// judged is a verdict on an account of which it is known what it is.
type judged struct {
	Verdict
	fake bool
}

// research reads the labelled accounts, where they are at hand.
func research(t *testing.T) []judged {
	t.Helper()
	const dir = "../../../shared/antifraud/accounts/"
	f, err := os.Open(dir + "labels.csv")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the research accounts are not here") // people's data: no part of the repository
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	fake := map[string]bool{}
	for _, row := range rows[1:] {
		fake[row[0]] = row[1] == "1"
	}
	var all []judged
	err = ndjson.Read(dir+"profiles.ndjson", func(_ int, raw []byte) error {
		line, err := Parse(raw)
		if err != nil {
			return err
		}
		label, known := fake[line.ID]
		if !known {
			return errors.New("there is no label for it")
		}
		all = append(all, judged{line.Profile.Score(), label})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// auc is the chance that a fake account scores above a real one, half for ties.
func auc(all []judged) float64 {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b judged) int {
		switch {
		case a.LogOdds < b.LogOdds:
			return -1
		case a.LogOdds > b.LogOdds:
			return 1
		}
		return 0
	})
	var wins, real, fakes float64
	for i := 0; i < len(sorted); {
		var r, f float64
		for at := sorted[i].LogOdds; i < len(sorted) && sorted[i].LogOdds == at; i++ {
			if sorted[i].fake {
				f++
			} else {
				r++
			}
		}
		wins += f * (real + r/2)
		real, fakes = real+r, fakes+f
	}
	return wins / (real * fakes)
}

// calibration is the expected calibration error in ten bins of equal width, and
// the mean square error, of scores at a base.
func calibration(all []judged, base float64) (ece, brier float64) {
	var said, was [10]float64
	for _, j := range all {
		score, is := j.At(base), 0.
		if j.fake {
			is = 1
		}
		bin := min(int(score*10), 9)
		said[bin] += score
		was[bin] += is
		brier += (score - is) * (score - is) / float64(len(all))
	}
	for i := range said {
		ece += math.Abs(said[i]-was[i]) / float64(len(all))
	}
	return ece, brier
}

// above is the share of the fake, or of the real, with a score from cut up.
func above(all []judged, fake bool, base, cut float64) float64 {
	n, hit := 0., 0.
	for _, j := range all {
		if j.fake == fake {
			n++
			if j.At(base) >= cut {
				hit++
			}
		}
	}
	return hit / n
}

// TestScore_ResearchAccounts prints what the scorecard does on accounts that it was
// not fitted to: go test ./antifraud/account -run Research -v
func TestScore_ResearchAccounts(t *testing.T) {
	all := research(t)
	fakes := 0
	for _, j := range all {
		if j.fake {
			fakes++
		}
	}
	share := float64(fakes) / float64(len(all))
	area := auc(all)
	t.Logf("%d accounts, %.0f %% fake: AUC %.3f", len(all), 100*share, area)
	for _, base := range []float64{BaseRate, share} {
		ece, brier := calibration(all, base)
		t.Logf("base rate %.2f: score >= 0.5 for %.1f %% of the fake, %.1f %% of the real; calibration error %.3f, Brier %.3f",
			base, 100*above(all, true, base, .5), 100*above(all, false, base, .5), ece, brier)
	}
	told := map[string][2]int{}
	for _, j := range all {
		for _, reason := range j.Reasons {
			n := told[reason]
			if j.fake {
				n[0]++
			} else {
				n[1]++
			}
			told[reason] = n
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(told)) {
		t.Logf("%-15s told of %3d fake and %3d real", reason, told[reason][0], told[reason][1])
	}
	if area < .9 {
		t.Errorf("AUC %.3f, expected at least 0.9", area)
	}
	if wrong := above(all, false, BaseRate, .5); wrong > .05 {
		t.Errorf("%.1f %% of the real are thought fake, expected at most 5 %%", 100*wrong)
	}

	// The placebo: labels dealt out anew are nothing that a score could know.
	seed := rand.New(rand.NewPCG(1, 2))
	seed.Shuffle(len(all), func(i, j int) { all[i].fake, all[j].fake = all[j].fake, all[i].fake })
	if area := auc(all); math.Abs(area-.5) > .1 {
		t.Errorf("AUC %.3f with labels dealt out anew", area)
	}
}

func TestAUC_TiesAreHalf(t *testing.T) {
	row := func(logOdds float64, fake bool) judged { return judged{Verdict{LogOdds: logOdds}, fake} }
	for _, tc := range []struct {
		all  []judged
		want float64
	}{
		{[]judged{row(1, true), row(0, false)}, 1},
		{[]judged{row(0, true), row(1, false)}, 0},
		{[]judged{row(1, true), row(1, false)}, .5},
		{[]judged{row(2, true), row(1, false), row(1, true), row(0, false)}, .875},
	} {
		if got := auc(tc.all); got != tc.want {
			t.Errorf("%v: %g, want %g", tc.all, got, tc.want)
		}
	}
}
