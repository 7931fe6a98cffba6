package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// Somebody votes again and again from home for a day and a night, on one machine, and takes the
// time that people take, or shows none. A home for the old has one tablet for as many; a library, a room, and a
// feast that ends at dawn have one machine, too. All of these have their hours.
func TestWhole_OneMachineAroundTheClock(t *testing.T) {
	cheated, found := 0, 0
	for _, timed := range []bool{true, false} {
		for seed := uint64(1); seed <= 4; seed++ {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
			if !timed {
				for k := range a.Ballots {
					a.Ballots[k].Evidence.DwellMS, a.Ballots[k].Evidence.ConfirmMS = nil, nil
				}
			}
			vote := func(group string, farm bool, n int, entry string, from, hours, days int) {
				before := len(a.Ballots)
				a.add(group, farm, n, 0, 1, func(e *antifraud.Evidence) {
					e.Net, e.Block, e.ASN, e.NetKind = "home of "+group, "block of "+group, 1, antifraud.NetResidential
					e.Device, e.Agent = "machine of "+group, "agent of "+group
					if !timed {
						e.DwellMS, e.ConfirmMS = nil, nil
					}
				})
				for k := range a.Ballots[before:] {
					b := &a.Ballots[before+k]
					b.Entry = entry
					b.At = b.At.Truncate(24 * time.Hour).Add(time.Duration(24*a.r.IntN(days)+from)*time.Hour + time.Duration(a.r.Float64()*float64(hours)*float64(time.Hour)))
				}
			}
			for k := range 3 {
				vote(fmt.Sprint("cheater ", k, " "), true, 30+5*k, a.liked(3+k), 0, 24, 1)
			}
			vote("tablet of the old ", false, 30, a.liked(2), 9, 10, 3)
			vote("library ", false, 40, a.liked(4), 8, 12, 6)
			vote("feast ", false, 40, a.liked(5), 19, 10, 1)
			for group, o := range a.outcomes() {
				if strings.HasPrefix(group, "cheater") {
					cheated, found = cheated+o.voters, found+o.held+o.void
				} else if o.void > 0 || o.share(o.held) > 0.1 {
					t.Errorf("timed %v, seed %d: %s %+v", timed, seed, group, o)
				}
			}
		}
	}
	if float64(found) < 0.9*float64(cheated) {
		t.Errorf("%d of %d votes of one machine around the clock are found", found, cheated)
	}
}
