package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

// A pace is that twenty members and more open no page, where people have one open. Of fewer,
// or where half of the crowd has none either, no page says nothing against anybody.
func TestHand_Pageless(t *testing.T) {
	for _, row := range []struct {
		name                   string
		members, open          int // of a farm, and how many of them have a page open
		crowdPageless          int // of 300
		pageless, speaks, look bool
	}{
		{"a farm by calls", 40, 0, 9, true, true, true},
		{"half of it", 40, 20, 9, true, true, true},
		{"a tenth of it", 40, 36, 9, false, false, false},
		{"friends who run no scripts", 12, 0, 9, false, false, false},
		{"half of the crowd has no page either", 40, 30, 150, false, false, false},
		{"nobody has a page", 40, 0, 300, false, false, false},
	} {
		var ballots []Ballot
		for n := range 300 {
			e := antifraud.Evidence{Device: fmt.Sprint("d", n)}
			if n >= row.crowdPageless {
				e.DwellMS = ms(int64(4000 + 40*n))
			}
			ballots = append(ballots, vote(fmt.Sprint("h", n), "e", float64(n), e))
		}
		for n := range row.members {
			e := antifraud.Evidence{Device: fmt.Sprint("f", n)}
			if n < row.open {
				e.DwellMS = ms(int64(4000 + 300*n))
			}
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e", float64(300+n), e))
		}
		h := handOf(ballots)
		last := int32(len(ballots) - 1) // has no page in any row
		var out terms
		var unlearned [features]poolCount
		h.judge(last, &out, &unlearned, h.strangers())
		by := h.split(last, &out, [2]int32{unseen - 1, unseen - 1})
		if h.pageless() != row.pageless || out[atDwell] > 0 != row.speaks || by[byTempo] > 0 != row.look {
			t.Errorf("%s: pageless %v, the last vote says %v, by tempo %v", row.name, h.pageless(), out[atDwell], by[byTempo])
		}
	}
}
