package detect_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// sound says what no report may break, whatever was cast.
func sound(t *testing.T, report detect.Report, ballots int) {
	t.Helper()
	clusters, seen := map[string]*detect.Cluster{}, map[string]bool{}
	void, held := map[string]int{}, map[string]int{}
	for i := range report.Clusters {
		c := &report.Clusters[i]
		if clusters[c.ID] != nil || c.ID == "" || c.To.Before(c.From) || c.Voters < 1 {
			t.Errorf("cluster %+v", c)
		}
		clusters[c.ID] = c
		if s := c.Signature; s != nil && (c.Void == 0 || len(s.Features) == 0) {
			t.Errorf("a signature without ground: %+v", c)
		} else if s != nil {
			for _, f := range s.Features {
				if f.Value == "" || math.IsNaN(f.LogOdds) || math.IsInf(f.LogOdds, 0) {
					t.Errorf("feature %+v", f)
				}
			}
		}
	}
	if !(report.Share >= 0 && report.Share <= 1) || len(report.Findings) > ballots {
		t.Errorf("a share of %v, %d findings", report.Share, len(report.Findings))
	}
	for _, f := range report.Findings {
		if seen[f.Ballot] {
			t.Errorf("ballot %s twice", f.Ballot)
		}
		seen[f.Ballot] = true
		if !(f.Score >= 0 && f.Score <= 1) {
			t.Errorf("score %v", f.Score)
		}
		for _, p := range f.Parts {
			if math.IsNaN(p.LogOdds) || math.Abs(p.LogOdds) > 20 {
				t.Errorf("part %+v", p)
			}
		}
		switch f.Standing {
		case detect.Counted:
			if f.Score >= 0.5 || f.Cluster != "" || f.Reasons != nil {
				t.Errorf("%+v", f)
			}
			continue
		case detect.Void:
			void[f.Cluster]++
			if f.Score < 0.9 || !twoFamilies(f.Families) {
				t.Errorf("void at %v on %v", f.Score, f.Families)
			}
		case detect.Held:
			held[f.Cluster]++
			if f.Score < 0.5 {
				t.Errorf("held at %v", f.Score)
			}
		}
		if clusters[f.Cluster] == nil || len(f.Reasons) == 0 {
			t.Errorf("%s in cluster %q for %v", f.Standing, f.Cluster, f.Reasons)
		}
	}
	for id, c := range clusters {
		if len(report.Findings) == ballots && (c.Void != void[id] || c.Held != held[id]) {
			t.Errorf("cluster %+v has %d void, %d held findings", c, void[id], held[id])
		}
	}
}

// twoFamilies tells whether they may void: two, one of them neither account nor tempo.
func twoFamilies(families []antifraud.Family) bool {
	for _, f := range families {
		if f != antifraud.FamilyAccount && f != antifraud.FamilyTempo {
			return len(families) >= 2
		}
	}
	return false
}

func number(n int64) *int64 { return &n }

func TestDetector_OfHardlyAnythingFindsNothing(t *testing.T) {
	at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	same := func(n int, e antifraud.Evidence) (ballots []detect.Ballot) {
		for i := range n {
			ballots = append(ballots, detect.Ballot{ID: fmt.Sprint("b", i), At: at, Voter: fmt.Sprint("v", i), Entry: "e", Level: "device", Evidence: e})
		}
		return ballots
	}
	everything := antifraud.Evidence{
		Net: "n", Block: "k", NetKind: antifraud.NetHosting, Device: "d", Agent: "a", Via: "l", Referrer: "site", DwellMS: number(700),
		Profile: &antifraud.EvidenceProfile{Followers: number(0), Following: number(2000), Posts: number(0)},
	}
	oneVoter := same(300, everything)
	for i := range oneVoter {
		oneVoter[i].Voter, oneVoter[i].Entry = "v", fmt.Sprint("e", i%40)
	}
	centuries := same(40, antifraud.Evidence{Net: "n"})
	for i := range centuries {
		centuries[i].At = time.Date(2000+5*i, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	nan, huge := math.NaN(), math.Inf(1)
	for _, row := range []struct {
		name    string
		ballots []detect.Ballot
	}{
		{"none", nil},
		{"one", same(1, everything)},
		{"one that shows nothing", same(1, antifraud.Evidence{})},
		{"500 that are equal", same(500, everything)},
		{"500 that show nothing", same(500, antifraud.Evidence{})},
		{"one voter's 300", oneVoter},
		{"over two centuries", centuries},
		{"absurd numbers", same(50, antifraud.Evidence{
			DwellMS: number(math.MinInt64), ConfirmMS: number(math.MaxInt64), ASN: math.MaxUint32, NetKind: "moon", Referrer: "nowhere",
			Profile: &antifraud.EvidenceProfile{Followers: number(math.MinInt64), Following: number(math.MaxInt64), Posts: number(-1), AgeDays: number(math.MaxInt64), BioLength: number(-9), NameDigits: &nan},
		})},
		{"more absurd numbers", same(50, antifraud.Evidence{DwellMS: number(math.MaxInt64), Profile: &antifraud.EvidenceProfile{Followers: number(math.MaxInt64), NameDigits: &huge}})},
	} {
		d := detect.New(detect.Options{})
		d.Add(row.ballots...)
		for _, report := range []detect.Report{d.Run(), d.Run(), d.Whole()} {
			sound(t, report, len(row.ballots))
			if len(report.Clusters) > 0 || report.Share > 0.01 {
				t.Errorf("%s: %d clusters, a share of %v", row.name, len(report.Clusters), report.Share)
			}
		}
		if n := len(d.Whole().Findings); n != len(row.ballots) {
			t.Errorf("%s: %d findings of %d", row.name, n, len(row.ballots))
		}
	}
}

// One ballot with a wrong clock, and one with wild numbers, change nothing for others.
func TestDetector_AWildBallotChangesNothingForOthers(t *testing.T) {
	w := small(6)
	clean := map[string]detect.Standing{}
	for _, f := range whole(w.Ballots).Findings {
		clean[f.Ballot] = f.Standing
	}
	wild := []detect.Ballot{
		{ID: "early", At: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Voter: "wild-1", Entry: w.Ballots[0].Entry, Level: "device"},
		{ID: "odd", At: w.Ballots[9].At, Voter: "wild-2", Entry: w.Ballots[0].Entry, Evidence: antifraud.Evidence{DwellMS: number(math.MaxInt64), NetKind: "moon"}},
	}
	differ := 0
	for _, f := range whole(append(wild, w.Ballots...)).Findings {
		if was, known := clean[f.Ballot]; known && was != f.Standing || !known && f.Standing != detect.Counted {
			differ++
		}
	}
	if differ > len(w.Ballots)/200 {
		t.Errorf("%d of %d ballots stand otherwise", differ, len(w.Ballots))
	}
}

func TestDetector_ReportsAreSound(t *testing.T) {
	for seed := uint64(20); seed < 23; seed++ {
		mix := farmlab.Random(seed)
		mix.Voters = min(mix.Voters, 2000)
		w := farmlab.Make(mix, seed)
		d := detect.New(detect.Options{})
		d.Add(w.Ballots...)
		sound(t, d.Whole(), len(w.Ballots))
	}
}

// invented are ballots out of a few bytes: how many values each thing has, and a farm.
func invented(raw []byte) (ballots []detect.Ballot) {
	var head [12]byte
	copy(head[:], raw)
	r := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(head[4:]), uint64(len(raw))))
	values := func(n byte) int { return 1 + int(n)%64 }
	text := func(kind string, n byte) string {
		if x := r.IntN(values(n) + 1); x > 0 {
			return fmt.Sprint(kind, x)
		}
		return ""
	}
	at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	for i := range 8 * (1 + int(head[0])%60) {
		b := detect.Ballot{
			ID: fmt.Sprint("b", i), At: at.Add(time.Duration(r.IntN(1+int(head[1])*40_000)) * time.Millisecond),
			Voter: fmt.Sprint("v", r.IntN(1+i)), Entry: fmt.Sprint("e", r.IntN(values(head[2]))), Level: []string{"device", "email", ""}[r.IntN(3)],
			Evidence: antifraud.Evidence{
				Device: text("d", head[3]), Agent: text("a", head[4]), Net: text("n", head[5]), Block: text("k", head[6]), Via: text("l", head[7]),
				NetKind: []antifraud.NetKind{antifraud.NetHosting, antifraud.NetVPN, antifraud.NetCampus, antifraud.NetResidential, antifraud.NetUnknown, ""}[r.IntN(6)],
				Present: r.IntN(50) == 0, Referrer: antifraud.Referrer(text("r", head[8])),
			},
		}
		if r.IntN(3) > 0 {
			b.Evidence.DwellMS = number(int64(r.IntN(1 + int(head[9])*200)))
		}
		if r.IntN(256) < int(head[10]) {
			b.Evidence.Profile = &antifraud.EvidenceProfile{Followers: number(r.Int64N(900)), Following: number(r.Int64N(900))}
		}
		if r.IntN(600) < int(head[11]) { // a farm
			b.Voter, b.Entry = fmt.Sprint("f", i), "e0"
			b.Evidence.Device, b.Evidence.Net, b.Evidence.NetKind, b.Evidence.DwellMS = fmt.Sprint("rack", i%9), fmt.Sprint("rented", i%5), antifraud.NetHosting, number(700)
		}
		ballots = append(ballots, b)
	}
	return ballots
}

func FuzzDetector(f *testing.F) {
	for n := range 24 {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		raw := make([]byte, 12)
		for i := range raw {
			raw[i] = byte(r.IntN(256))
		}
		f.Add(raw)
	}
	f.Add([]byte{59, 200, 4, 63, 9, 63, 63, 20, 3, 255, 0, 255}) // a farm of one in three
	f.Fuzz(func(t *testing.T, raw []byte) {
		ballots := invented(raw)
		d := detect.New(detect.Options{})
		half := len(ballots) / 2
		d.Add(ballots[:half]...)
		sound(t, d.Run(), half)
		d.Add(ballots[half:]...)
		sound(t, d.Run(), len(ballots))
		sound(t, d.Whole(), len(ballots))
	})
}
