package detect

import (
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
)

func TestGuard_StopsBeyondItsSharesOfAnHour(t *testing.T) {
	at := time.Date(2026, 11, 17, 12, 59, 0, 0, time.UTC)
	for _, row := range []struct {
		name                          string
		entry, rest                   int // ballots of the hour: the entry's, and the others'
		lacking, elsewhere, nextHours int
		want                          Scope
	}{
		{"five of a hundred are not beyond it", 100, 900, 5, 0, 0, ""},
		{"six of a hundred are", 100, 900, 6, 0, 0, ScopeEntry},
		{"six of 120 are five percent", 120, 900, 6, 0, 0, ""},
		{"of few, five may be held", 5, 0, 5, 0, 0, ""},
		{"and no more", 6, 0, 6, 0, 0, ScopeEntry},
		{"the contest's share, over entries", 500, 500, 11, 10, 0, ScopeContest},
		{"is not reached", 500, 500, 10, 10, 0, ""},
		{"another hour does not count", 100, 900, 5, 0, 50, ""},
	} {
		var g Guard
		for range row.entry {
			g.Cast("a", at)
		}
		for range row.rest {
			g.Cast("b", at)
		}
		for range row.nextHours {
			g.Cast("a", at.Add(time.Minute))
		}
		g.Lack("a", at.Add(-30*time.Minute), row.lacking)
		g.Lack("b", at, row.elsewhere)
		g.Lack("a", at.Add(time.Minute), row.nextHours)
		scope, stops := g.Stops("a", at)
		if scope != row.want || stops != (row.want != "") {
			t.Errorf("%s: %q %v", row.name, scope, stops)
		}
	}
	var none Guard
	if _, stops := none.Stops("a", at); stops {
		t.Error("a guard that has seen nothing stops")
	}
}

func TestFinding_Lacks(t *testing.T) {
	one, two := []antifraud.Family{antifraud.FamilyDevice}, []antifraud.Family{antifraud.FamilyDevice, antifraud.FamilyTempo}
	for _, row := range []struct {
		f    Finding
		want bool
	}{{Finding{Standing: Held, Families: one}, true}, {Finding{Standing: Held, Families: two}, false}, {Finding{Standing: Void, Families: two}, false}, {Finding{Standing: Counted}, false}} {
		if row.f.Lacks() != row.want {
			t.Errorf("%+v", row.f)
		}
	}
}
