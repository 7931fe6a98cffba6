package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

func TestTable_SeatsAreWhereNearlyAllWithADeviceAre(t *testing.T) {
	for _, row := range []struct {
		nets string // an address a letter, by voter; -: none
		seat string
	}{
		{"aaaaa", "a"}, {"a", "a"}, {"aaaab", ""}, {"baaaaaaaaaaaaaaaaaaa", "a"}, {"ab", ""}, {"----", ""}, {"aaa---", ""}, {"abababab", ""},
	} {
		ballots := []Ballot{vote("first", "e1", 0, antifraud.Evidence{Device: "another", Net: "somewhere"})}
		for n, net := range row.nets {
			e := antifraud.Evidence{Device: "m"}
			if net != '-' {
				e.Net = string(net)
			}
			ballots = append(ballots, vote(fmt.Sprint("v", n), "e1", float64(n), e))
		}
		l, table := tableOf(ballots...)
		got := ""
		if k := table.seats()[table.device.of[1]]; k != unseen {
			got = l.nets.text(table.net.log[k])
		}
		if got != row.seat {
			t.Errorf("%q: %q, want %q", row.nets, got, row.seat)
		}
	}
}

// A machine that stands at one address is one farm's, whoever's vote of it is on another day: but not by
// another browser, for another entry, from elsewhere, or where most of its votes are not the farm's.
func TestCrowd_JoinRest(t *testing.T) {
	const day = 86_400.0
	for _, row := range []struct {
		name, entry, net, agent string
		rest                    int
		joins                   bool
	}{
		{"on another day", "e1", "home", "a", 3, true},
		{"by another browser", "e1", "home", "b", 3, false},
		{"for another entry", "e2", "home", "a", 3, false},
		{"elsewhere", "e1", "not home", "a", 1, false},
		{"most of them", "e1", "home", "a", 10, false},
	} {
		ballots := readers(60)
		for n := range 9 {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{Device: "m", Net: "home", Agent: "a"}))
		}
		for n := range row.rest {
			ballots = append(ballots, vote(fmt.Sprint("rest", n), row.entry, day, antifraud.Evidence{Device: "m", Net: row.net, Agent: row.agent}))
		}
		h := handOf(ballots)
		f := farm{who: h.who, w: make([]float64, len(h.who)), evidence: evidence{machine: 1, seated: true}}
		for n := range f.w {
			f.w[n] = 1
		}
		h.c.away(newIndex(h.c), []farm{f})
		joined := 0
		for _, v := range h.c.t.voterOf[len(ballots)-row.rest:] {
			if h.c.taken[v] > 0.5 {
				joined++
			}
		}
		if joined != 0 && joined != row.rest || joined > 0 != row.joins {
			t.Errorf("%s: %d of %d join", row.name, joined, row.rest)
		}
	}
}

func TestTempo_AwakeIsOnePersonThroughDayAndNight(t *testing.T) {
	const hour, day = 3600.0, 86_400.0
	for _, row := range []struct {
		name string
		at   []float64 // hours
		says bool
	}{
		{"around the clock", []float64{1, 4, 7, 10, 13, 16, 19, 22}, true},
		{"when the crowd votes", []float64{8, 10, 12, 14, 16, 18, 20, 21}, false},
		{"all later than the crowd", []float64{17, 19, 21, 23, 25, 27, 29, 30}, false},
		{"one night's sitting", []float64{2, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7}, false},
		{"two", []float64{1, 4, 7}, false},
		{"a roomful", []float64{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}, false},
	} {
		var ballots []Ballot
		for n := range 1000 { // from eight to ten in the evening, for ten days
			ballots = append(ballots, vote(fmt.Sprint("h", n), "e1", float64(n%10)*day+(8+14*float64(n*7%100)/100)*hour, antifraud.Evidence{}))
		}
		for n, at := range row.at {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", day+at*hour, antifraud.Evidence{Device: "m", Net: "home"}))
		}
		if said := handOf(ballots).awake(); said >= 1 != row.says {
			t.Errorf("%s: %v", row.name, said)
		}
	}
}
