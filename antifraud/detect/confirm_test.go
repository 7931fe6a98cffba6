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
		is := h.confirm(v, out, busiest, false, &islands{})
		taken := 4*(1-row.device) + 2*(1-row.net)
		if want := logistic(math.Log(99) - taken); !near(is.w, want) || !near(is.by[byNetwork], 2*row.net) {
			t.Errorf("%s: %v and %v by network, want %v and %v", row.voter, is.w, is.by[byNetwork], want, 2*row.net)
		}
		out = terms{atDevice: -1, atNet: -1}
		if is := h.confirm(v, out, busiest, false, &islands{}); is.w != h.w[v] {
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
	if here := h.confirm(60, out, busiest, true, &islands{}); here.by[byDevice] <= clearly {
		t.Errorf("at the flat: %v", here.by[byDevice])
	}
	if elsewhere := h.confirm(69, out, busiest, true, &islands{}); elsewhere.by[byDevice] != 0 {
		t.Errorf("on the bus: %v", elsewhere.by[byDevice])
	}
	for hour, speaks := range map[float64]bool{atOtherHours: true, atOtherHours - 0.1: false} {
		if at := h.confirm(60, terms{atDevice: 4, atHour: hour}, busiest, true, &islands{}); at.by[byDevice] > clearly != speaks {
			t.Errorf("there, at hours of %v: %v", hour, at.by[byDevice])
		}
	}
	if many := h.confirm(60, terms{atDevice: 4, atHour: -2}, busiest, false, &islands{}); many.by[byDevice] <= clearly {
		t.Errorf("one of many machines: %v", many.by[byDevice])
	}
}

// A device that other members have at one address or two, and where most have such ones, is a
// household's or an office's: it tells of no farm, which is elsewhere.
func TestConfirm_AnIslandTellsOfNoFarm(t *testing.T) {
	var ballots []Ballot
	add := func(n int, voter string, device, net func(n int) string) {
		for k := range n {
			ballots = append(ballots, vote(fmt.Sprint(voter, k), "e", float64(len(ballots)), antifraud.Evidence{Device: device(k), Net: net(k)}))
		}
	}
	each := func(name string) func(int) string { return func(n int) string { return fmt.Sprint(name, n) } }
	one := func(name string) func(int) string { return func(int) string { return name } }
	of := func(name string, many, after int) func(int) string {
		return func(n int) string { return fmt.Sprint(name, n/after%many) }
	}
	add(200, "h", each("own"), each("home"))
	add(36, "f-rack", of("rack", 4, 1), of("exit", 9, 4))
	add(16, "f-few", of("few", 8, 2), of("exit", 9, 1))
	add(20, "f-office", of("image", 2, 2), of("proxy", 2, 1))
	add(3, "f-family", one("computer"), one("kitchen"))
	add(1, "f-phone", each("rack"), one("kitchen"))
	add(1, "f-alone", each("phone"), of("exit", 9, 1))
	add(2, "f-pair", one("pair"), of("exit", 9, 2))
	h := handOf(ballots)
	is := map[string]int32{}
	for v := range h.c.n {
		is[ballots[v].Voter] = int32(v)
	}
	own := h.islands()
	for _, row := range []struct {
		voter           string
		device, network bool // what still speaks
	}{
		{"f-rack0", true, true}, {"f-few0", true, true}, {"f-alone0", false, true}, // nobody else has that phone
		{"f-office0", false, false}, {"f-family0", false, false},
		{"f-phone0", true, false}, // a farm's device at a family's home
		{"f-pair0", true, true},   // a pair at an address of the farm's, by chance
	} {
		got := h.confirm(is[row.voter], terms{atDevice: 4, atNet: 2, atKind: 0.5, atHour: 9}, [2]int32{unseen - 1, unseen - 1}, false, own)
		if got.by[byDevice] > 0 != row.device || got.by[byNetwork] > 0 != row.network {
			t.Errorf("%s: device %v, network %v", row.voter, got.by[byDevice], got.by[byNetwork])
		}
	}
	if one := h.confirm(is["f-family0"], terms{atDevice: 4}, [2]int32{h.c.t.net.of[is["f-family0"]], unseen - 1}, true, own); one.by[byDevice] <= clearly {
		t.Errorf("of a hand of one machine, which is all there is of it: device %v", one.by[byDevice])
	}
	for v := range h.c.n {
		if ballots[v].Evidence.Net != "kitchen" {
			h.set(int32(v), 0)
		}
	}
	if own := h.islands(); len(own.addresses) > 0 {
		t.Error("a hand that is at one address is an island in it")
	}
}
