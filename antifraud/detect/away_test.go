package detect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// Somebody who clears the storage of a phone at home votes from its carrier in between: it is the
// same phone, entry and minute. Who has that phone and votes at other hours is another, as is
// whoever votes in those minutes with a phone that many have.
func TestWhole_OnePersonsPhoneBetweenHomeAndItsCarrier(t *testing.T) {
	for _, phone := range []string{"rare", "popular"} {
		for seed := uint64(1); seed <= 3; seed++ {
			w := farmlab.Make(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1500}, seed)
			r := rand.New(rand.NewPCG(seed, 13))
			like := w.Ballots[len(w.Ballots)/3]
			group := map[string]string{}
			ballots := append([]detect.Ballot(nil), w.Ballots...)
			vote := func(name string, n int, entry string, at time.Time, net string, kind antifraud.NetKind, dwell int64) {
				b := like
				b.ID, b.Voter, b.At, b.Entry = fmt.Sprint(name, "-", n), fmt.Sprint(name, n), at, entry
				b.Evidence = antifraud.Evidence{Net: net, Block: "block of " + net, NetKind: kind, Device: phone, Agent: like.Evidence.Agent, Referrer: antifraud.ReferrerDirect, DwellMS: &dwell}
				group[b.Voter] = name
				ballots = append(ballots, b)
			}
			at := like.At
			for n := range 40 {
				at = at.Add(time.Duration(30+r.IntN(20)) * time.Second)
				if n%8 == 4 {
					vote("carrier", n, like.Entry, at, fmt.Sprint("carrier's ", n), antifraud.NetMobile, 3000)
				} else {
					vote("home", n, like.Entry, at, "home", antifraud.NetResidential, 2000+r.Int64N(1500))
				}
			}
			for n := range 3 {
				vote("later", n, like.Entry, at.Add(time.Duration(20+7*n)*time.Hour), fmt.Sprint("carrier's ", 100+n), antifraud.NetMobile, 20000+r.Int64N(20000))
			}
			if phone == "popular" {
				for n := range 400 {
					entry := w.Ballots[r.IntN(len(w.Ballots))].Entry
					vote("owners", n, entry, w.Ballots[r.IntN(len(w.Ballots))].At, fmt.Sprint("owner's ", n), antifraud.NetMobile, 8000+r.Int64N(40000))
				}
			}
			got := outcomes(func(v string) string { return group[v] }, whole(ballots).Findings)
			if o := got["home"]; o.share(o.void+o.held) < 0.9 {
				t.Errorf("%s, seed %d: at home %+v", phone, seed, o)
			}
			switch o := got["carrier"]; {
			case phone == "rare" && (o.held != o.voters || o.void > 0):
				t.Errorf("%s, seed %d: by the carrier %+v", phone, seed, o)
			case got["later"].void+got["later"].held > 0 || got["owners"].void+got["owners"].held > 4:
				t.Errorf("%s, seed %d: others with that phone %+v, %+v", phone, seed, got["later"], got["owners"])
			}
		}
	}
}
