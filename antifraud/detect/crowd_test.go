package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/joute/joute/antifraud"
)

// mixedCrowd is a crowd of n voters with anything seen of them, or not.
func mixedCrowd(n int, seed uint64) *crowd {
	r := rand.New(rand.NewPCG(seed, 1))
	text := func(kind string, values int) string {
		if r.IntN(5) == 0 {
			return ""
		}
		return fmt.Sprint(kind, r.IntN(values))
	}
	var ballots []Ballot
	for v := range n {
		for range 1 + r.IntN(4) {
			e := antifraud.Evidence{
				Device: text("d", n/2), Agent: text("a", 5), Net: text("n", n/2), Block: text("b", n/4), Via: text("v", 4),
				Referrer: antifraud.Referrer(text("r", 3)), NetKind: []antifraud.NetKind{antifraud.NetHosting, antifraud.NetCampus, antifraud.NetResidential, antifraud.NetUnknown}[r.IntN(4)],
			}
			if r.IntN(3) > 0 {
				e.DwellMS = ms(int64(r.IntN(60_000)))
			}
			if r.IntN(3) == 0 {
				e.Profile = &antifraud.EvidenceProfile{Followers: ms(int64(r.IntN(400))), Following: ms(int64(r.IntN(900)))}
			}
			ballots = append(ballots, vote(fmt.Sprint("v", v), fmt.Sprint("e", r.IntN(6)), r.Float64()*200_000, e))
		}
	}
	_, t := tableOf(ballots...)
	return newCrowd(t)
}

// sums are all numbers and lists of numbers of a struct, by name: what voters add up to.
func sums(of any, leaveOut ...string) map[string][]float64 {
	all := map[string][]float64{}
	addSums(all, reflect.ValueOf(of).Elem())
	for _, name := range leaveOut {
		delete(all, name)
	}
	return all
}

func addSums(all map[string][]float64, s reflect.Value) {
	for i := range s.NumField() {
		switch f := s.Field(i); {
		case s.Type().Field(i).Anonymous:
			addSums(all, f)
		case f.Kind() == reflect.Float64:
			all[s.Type().Field(i).Name] = []float64{f.Float()}
		case (f.Kind() == reflect.Slice || f.Kind() == reflect.Array) && f.Type().Elem().Kind() == reflect.Float64:
			for k := range f.Len() {
				all[s.Type().Field(i).Name] = append(all[s.Type().Field(i).Name], f.Index(k).Float())
			}
		}
	}
}

func nearTo(t *testing.T, got, want map[string][]float64) {
	t.Helper()
	for name, list := range want {
		for k, x := range list {
			if math.Abs(got[name][k]-x) > 1e-8*(1+math.Abs(x)) {
				t.Errorf("%s[%d]: %v, want %v", name, k, got[name][k], x)
			}
		}
	}
}

func zeroed(like map[string][]float64) map[string][]float64 {
	zero := map[string][]float64{}
	for name, list := range like {
		zero[name] = make([]float64, len(list))
	}
	return zero
}

func TestCrowd_WhoIsTakenWholeLeavesNothingBehind(t *testing.T) {
	c := mixedCrowd(60, 1)
	full := sums(c, "taken", "dwellCuts")
	if len(full) < 20 || full["mass"][0] != 60 {
		t.Fatalf("%d sums, of %v voters", len(full), full["mass"])
	}
	for v := range int32(60) {
		c.take(v, 0.3)
		c.take(v, 1)
	}
	nearTo(t, sums(c, "taken", "dwellCuts"), zeroed(full))
	for v := range int32(60) {
		c.take(v, 0.6)
	}
	half := map[string][]float64{}
	for name, list := range full {
		for _, x := range list {
			half[name] = append(half[name], 0.4*x)
		}
	}
	nearTo(t, sums(c, "taken", "dwellCuts"), half)
	for v := range int32(60) {
		c.take(v, 0)
	}
	nearTo(t, sums(c, "taken", "dwellCuts"), full)
}

func TestHand_ClearUndoesEverySet(t *testing.T) {
	c := mixedCrowd(60, 2)
	h := newHand(c)
	r := rand.New(rand.NewPCG(3, 3))
	empty := sums(h)
	for v := range int32(60) {
		h.who = append(h.who, v)
		h.set(v, r.Float64())
		h.set(v, r.Float64())
	}
	h.set(7, 1)
	if h.mass < 10 || h.w[7] != 1 {
		t.Fatalf("total %v", h.mass)
	}
	h.pools[atAgent].own = 0.1
	h.clear()
	nearTo(t, sums(h), empty)
	if len(h.who) > 0 || h.pools[atAgent].own != 0.7 {
		t.Errorf("%d candidates, a pool of %v", len(h.who), h.pools[atAgent].own)
	}
	// A hand of everybody is what the crowd is.
	for v := range int32(60) {
		h.who = append(h.who, v)
		h.set(v, 1)
	}
	crowd, hand := sums(c), sums(h)
	for _, name := range []string{"device", "agent", "net", "block", "via", "referrer", "dwell", "account", "entry", "hour", "inHour", "count", "rented", "known", "withDevice", "ownDevice", "withNet", "ownNet", "ownBlock", "asn", "withASN", "dwells", "dwellSum", "dwellSquares", "accountSum", "acts"} {
		nearTo(t, map[string][]float64{name: hand[name]}, map[string][]float64{name: crowd[name]})
	}
}

func TestCrowd_ReadingTimesAreBinnedByTheContestsOwn(t *testing.T) {
	var ballots []Ballot
	for v := range 240 {
		ballots = append(ballots, vote(fmt.Sprint("v", v), "e", float64(v), antifraud.Evidence{DwellMS: ms(int64(1000 + 100*v))}))
	}
	ballots = append(ballots, vote("blind", "e", 999, antifraud.Evidence{}))
	_, table := tableOf(ballots...)
	c := newCrowd(table)
	for b, n := range c.dwell {
		if n < 9 || n > 11 {
			t.Errorf("bin %d has %v of 240 voters, want ten", b, n)
		}
	}
	if c.dwellBin[240] != -1 || c.dwellBin[0] != 0 || c.dwellBin[239] != dwellBins-1 {
		t.Errorf("bins: unseen %d, quickest %d, slowest %d", c.dwellBin[240], c.dwellBin[0], c.dwellBin[239])
	}
}

func TestCrowd_LooksAreOneOnAverage(t *testing.T) {
	for seed := range uint64(4) {
		c := mixedCrowd(80, seed)
		c.take(3, 0.9)
		odds, _ := c.looks(newIndex(c), false)
		sum := 0.0
		for v, x := range odds {
			if !(x > 0) || math.IsInf(x, 0) {
				t.Fatalf("voter %d: odds %v", v, x)
			}
			sum += (1 - c.taken[v]) * x
		}
		if math.Abs(sum/c.mass-1) > 1e-9 {
			t.Errorf("seed %d: mean %v", seed, sum/c.mass)
		}
	}
}
