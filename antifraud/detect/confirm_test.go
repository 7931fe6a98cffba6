package detect

import (
	"fmt"
	"math"
	"testing"

	"github.com/joute/joute/antifraud"
)

// What a voter's device and address say is taken back by what they say of each other
// with the members who have them, and that of a block whose address no member has whole.
func TestConfirm_TakesBackWhatFewMembersSayOfEachOther(t *testing.T) {
	var ballots []Ballot
	add := func(voter string, e antifraud.Evidence) {
		ballots = append(ballots, vote(voter, "e", float64(len(ballots)), e))
	}
	for n := range 60 {
		add(fmt.Sprint("h", n), antifraud.Evidence{Device: fmt.Sprint("own", n), Net: fmt.Sprint("home", n), Block: "town"})
	}
	for n := range 4 {
		add(fmt.Sprint("f-pool", n), antifraud.Evidence{Device: "phone", Net: "exit", Block: "street"})
	}
	add("f-pair1", antifraud.Evidence{Device: "pair", Net: "kitchen", Block: "lane"})
	add("f-pair2", antifraud.Evidence{Device: "pair", Net: "kitchen", Block: "lane"})
	add("f-beside", antifraud.Evidence{Device: "apart", Net: "next-door", Block: "street"})
	h := handOf(ballots)
	busiest := [2]int32{unseen - 1, unseen - 1}
	for _, row := range []struct {
		voter       string
		device, net float64 // share that is left
	}{
		{"f-pool0", 3.0 / 4, 3.0 / 4}, {"f-pair1", 1.0 / 2, 1.0 / 2}, {"f-beside", 0, 0},
	} {
		v := int32(-1)
		for i := range ballots {
			if ballots[i].Voter == row.voter {
				v = int32(i)
			}
		}
		h.set(v, 0.99)
		out := terms{atDevice: 4, atNet: 2, atHour: 9} // at a place where looks count whole
		is := h.confirm(v, out, busiest, false)
		taken := 4*(1-row.device) + 2*(1-row.net)
		if want := logistic(math.Log(99) - taken); !near(is.w, want) || !near(is.by[byNetwork], 2*row.net) {
			t.Errorf("%s: %v and %v by network, want %v and %v", row.voter, is.w, is.by[byNetwork], want, 2*row.net)
		}
		out = terms{atDevice: -1, atNet: -1}
		if is := h.confirm(v, out, busiest, false); is.w != h.w[v] {
			t.Errorf("%s: what speaks for a voter was touched", row.voter)
		}
		h.set(v, 1)
	}
}

// One machine is in one place: its model says nothing against somebody elsewhere, nor
// against who votes there at hours when it does not.
func TestConfirm_OneMachineIsInOnePlace(t *testing.T) {
	var ballots []Ballot
	for n := range 60 {
		ballots = append(ballots, vote(fmt.Sprint("h", n), "e", float64(len(ballots)), antifraud.Evidence{Device: fmt.Sprint("own", n), Net: fmt.Sprint("home", n)}))
	}
	for n := range 9 {
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e", float64(len(ballots)), antifraud.Evidence{Device: "one", Net: "flat"}))
	}
	ballots = append(ballots, vote("f-elsewhere", "e", float64(len(ballots)), antifraud.Evidence{Device: "one", Net: "bus"}))
	h := handOf(ballots)
	busiest := [2]int32{h.c.t.net.of[60], unseen - 1}
	out := terms{atDevice: 4}
	if here := h.confirm(60, out, busiest, true); here.by[byDevice] <= clearly {
		t.Errorf("at the flat: %v", here.by[byDevice])
	}
	if elsewhere := h.confirm(69, out, busiest, true); elsewhere.by[byDevice] != 0 {
		t.Errorf("on the bus: %v", elsewhere.by[byDevice])
	}
	for hour, speaks := range map[float64]bool{atOtherHours: true, atOtherHours - 0.1: false} {
		if at := h.confirm(60, terms{atDevice: 4, atHour: hour}, busiest, true); at.by[byDevice] > clearly != speaks {
			t.Errorf("there, at hours of %v: %v", hour, at.by[byDevice])
		}
	}
	if many := h.confirm(60, terms{atDevice: 4, atHour: -2}, busiest, false); many.by[byDevice] <= clearly {
		t.Errorf("one of many machines: %v", many.by[byDevice])
	}
}
