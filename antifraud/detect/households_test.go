package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

// Who votes at one computer of a home at one sitting is a household, and who has it elsewhere, at another
// time, or where nobody lives is not.
func TestHand_Households(t *testing.T) {
	const minute, day = 60.0, 86_400.0
	type at struct {
		net    string
		second float64
	}
	evening := func(net string, votes int) (all []at) {
		for n := range votes {
			all = append(all, at{net, 10 * minute * float64(n)})
		}
		return all
	}
	join := func(parts ...[]at) (all []at) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, row := range []struct {
		name      string
		kind      antifraud.NetKind
		votes     []at // of members with one device
		strangers int  // with that device, each at a home of their own
		homes     int
	}{
		{"a family", antifraud.NetResidential, evening("home", 4), 0, 1},
		{"a couple", antifraud.NetResidential, evening("home", 2), 0, 1},
		{"one alone", antifraud.NetResidential, evening("home", 1), 0, 0},
		{"more than a family", antifraud.NetResidential, evening("home", mostFamily+1), 0, 0},
		{"on two days", antifraud.NetResidential, []at{{"home", 0}, {"home", minute}, {"home", day}}, 0, 0},
		{"where machines are rented", antifraud.NetHosting, evening("home", 4), 0, 0},
		{"at a school", antifraud.NetCampus, evening("home", 4), 0, 0},
		{"two homes with one model", antifraud.NetResidential, join(evening("home", 3), evening("another", 3)), 0, 2},
		{"a device that is dealt out", antifraud.NetResidential, join(evening("home", 3), evening("another", 3), evening("a third", 3)), 0, 0},
		{"three homes with a popular phone", antifraud.NetResidential, join(evening("home", 3), evening("another", 3), evening("a third", 3)), 20, 3},
		{"a device that half of the members elsewhere have", antifraud.NetResidential, join(evening("home", 3), []at{{"a", 0}, {"b", 0}, {"c", 0}}), 0, 0},
	} {
		ballots := readers(60)
		for n, a := range row.votes {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", a.second, antifraud.Evidence{Device: "m", Net: a.net, NetKind: row.kind}))
		}
		for n := range row.strangers {
			ballots = append(ballots, vote(fmt.Sprint("s", n), "e1", 0, antifraud.Evidence{Device: "m", Net: fmt.Sprint("own ", n)}))
		}
		h := handOf(ballots)
		if got := h.households(newIndex(h.c)); len(got) != row.homes {
			t.Errorf("%s: %d households, want %d", row.name, len(got), row.homes)
		}
	}
}

// A hand is left by families, and not by who is all of it, or reads as no people do.
func TestHand_LeaveFamilies(t *testing.T) {
	for _, row := range []struct {
		name   string
		homes  int
		dwell  int64
		leaves bool
	}{
		{"five homes at people's pace", 5, 10_000, true},
		{"five homes in a hurry", 5, 1_000, false},
		{"one home", 1, 10_000, false},
	} {
		ballots := readers(200)
		for n := range 4 * row.homes {
			home := fmt.Sprint("home ", n/4)
			dwell := row.dwell + int64(n)*200
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(60*n), antifraud.Evidence{Device: home, Net: home, NetKind: antifraud.NetResidential, DwellMS: &dwell}))
		}
		h := handOf(ballots)
		left := h.leaveFamilies(newIndex(h.c), make([]float64, h.c.n), 5)
		if left != row.leaves || left && (len(h.who) > 0 || len(h.kin) != 4*row.homes) || !left && len(h.who) != 4*row.homes {
			t.Errorf("%s: leaves %v, %d stay", row.name, left, len(h.who))
		}
	}
}
