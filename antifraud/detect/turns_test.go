package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
)

func read(r *rand.Rand) *int64 { return ms(int64(3000 + r.ExpFloat64()*9000)) }

// fans are a school's: through one address, within two hours, six phones among all of them.
func fans(r *rand.Rand, n int) (ballots []Ballot) {
	for v := range n {
		k := r.IntN(6)
		ballots = append(ballots, vote(fmt.Sprint("h", v), "e1", r.Float64()*7200, antifraud.Evidence{
			Device: fmt.Sprint("phone", k), Agent: fmt.Sprint("agent", k/2), Net: "school", Block: "schools", DwellMS: read(r),
		}))
	}
	return ballots
}

// everybodyElse votes for this and that from home, with those phones and others.
func everybodyElse(r *rand.Rand, n int) (ballots []Ballot) {
	for v := range n {
		k := r.IntN(12)
		e := antifraud.Evidence{Device: fmt.Sprint("phone", k), Agent: fmt.Sprint("agent", k/2), Net: fmt.Sprint("home", v), Block: fmt.Sprint("block", v%200), DwellMS: read(r)}
		if k > 6 {
			e.Device = fmt.Sprint("own", v)
		}
		ballots = append(ballots, vote(fmt.Sprint("o", v), fmt.Sprint("e", r.IntN(12)), r.Float64()*300_000, e))
	}
	return ballots
}

// sitting is one person's at the school, who votes n times with a phone.
func sitting(r *rand.Rand, n int, phone string) (ballots []Ballot) {
	at := 86_400.0
	for v := range n {
		ballots = append(ballots, vote(fmt.Sprint("f", v), "e1", at, antifraud.Evidence{
			Device: phone, Agent: "agent0", Net: "school", Block: "schools", DwellMS: read(r),
		}))
		at += 35 + 35*r.Float64()
	}
	return ballots
}

func TestCrowd_TurnsAreOnePersons(t *testing.T) {
	members := func(ballots []Ballot) (names []string) {
		l, table := tableOf(ballots...)
		for _, co := range newCrowd(table).turns() {
			for _, v := range co.members {
				names = append(names, l.voters.text(table.voter.log[v]))
			}
		}
		return names
	}
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		if got := members(fans(r, 4000)); len(got) > 0 {
			t.Errorf("seed %d: where many come some gaps are alike by chance, found %q", seed, got)
		}
		crowd := append(fans(r, 400), everybodyElse(r, 1000)...)
		if got := members(crowd); len(got) > 0 {
			t.Errorf("seed %d: of a school nobody takes turns, found %q", seed, got)
		}
		got := members(append(crowd, sitting(r, 30, "phone0")...))
		if len(got) < 25 {
			t.Errorf("seed %d: of one person's 30 votes found %d", seed, len(got))
		}
		for _, name := range got {
			if !strings.HasPrefix(name, "f") {
				t.Errorf("seed %d: %s takes no turns", seed, name)
			}
		}
		if got := members(append(crowd, sitting(r, 6, "phone0")...)); len(got) > 0 {
			t.Errorf("seed %d: five gaps are chance, found %q", seed, got)
		}
	}
}

// Who hides among the owners of a popular phone is held. The owners are counted.
func TestDetector_TurnsHoldOnePersonAmongMany(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 4))
		d := New(Options{})
		d.Add(slices.Concat(fans(r, 400), everybodyElse(r, 4000), sitting(r, 40, "phone0"))...)
		held := 0
		for _, f := range d.Whole().Findings {
			switch cheats := f.Voter[0] == 'f'; {
			case f.Standing == Void, f.Standing == Held && !cheats:
				t.Errorf("seed %d: %s is %s", seed, f.Voter, f.Standing)
			case f.Standing == Held:
				held++
			}
		}
		if held < 35 {
			t.Errorf("seed %d: of 40 votes %d are held", seed, held)
		}
	}
}

// Turns are what such a hand was chosen by, so one family is left, and nobody is void by it:
// not with a phone that is nobody else's either. That its voters were in hands that convinced
// nobody is no objection.
func TestHand_TurnsAreNoSecondFamily(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	hasty := sitting(r, 40, "own")
	for n := range hasty {
		hasty[n].Evidence.DwellMS = ms(1500 + r.Int64N(1000))
	}
	_, table := tableOf(slices.Concat(fans(r, 400), everybodyElse(r, 4000), hasty)...)
	for begun, want := range map[string]bool{turns: true, "entry": false} {
		c := newCrowd(table)
		found := c.turns()
		if len(found) != 1 {
			t.Fatalf("found %d", len(found))
		}
		co := found[0]
		co.name = begun
		x := newIndex(c)
		odds, renting := c.looks(x, false)
		f, ok := newHand(c).try(x, &co, odds, renting, make([]float64, c.n), slices.Repeat([]uint8{twoTrials}, c.n), 40)
		if ok != want || f.strong {
			t.Errorf("begun by %s: ok %v, strong %v", begun, ok, f.strong)
		}
		if ok && !(f.evidence.firm[byDevice] && f.evidence.firm[byTempo] && f.coherent()) {
			t.Error("nobody would be void anyway: the test shows nothing")
		}
	}
}
