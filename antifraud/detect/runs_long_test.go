//go:build !race

package detect_test

import (
	"testing"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// Beyond some ten thousand ballots a run looks at a part. The race detector has
// other tests for what runs at once: here it would take minutes.
func TestRun_StaysNearALookAtAllWhenTheContestIsLong(t *testing.T) {
	w := farmlab.Make(farmlab.Mix{
		Entries: 12, Schools: 9, Days: 14, Ballots: 100, Voters: 11_700, Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 600}},
		Farms: []farmlab.Cohort{{Kind: "burst", Voters: 200}, {Kind: "proxies", Voters: 200}, {Kind: "drip", Voters: 200}},
	}, 3)
	d, known := detect.New(detect.Options{}), told{}
	before := len(w.Ballots) - 800
	d.Add(w.Ballots[:before]...)
	known.hear(t, d.Run())
	for from := before; from < len(w.Ballots); from += 400 {
		d.Add(w.Ballots[from : from+400]...)
		if cost := d.Costs(); cost > len(w.Ballots)*9/10 {
			t.Errorf("a run looks at %d of %d ballots", cost, len(w.Ballots))
		}
		known.hear(t, d.Run())
	}
	n := known.differ(whole(w.Ballots))
	t.Logf("%d of %d ballots stand otherwise after all runs than looked at whole", n, len(w.Ballots))
	if n > len(w.Ballots)/200 {
		t.Errorf("%d of %d", n, len(w.Ballots))
	}
}
