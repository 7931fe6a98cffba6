package contest

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// running is full with two schools, so that one may leave.
var running = strings.Replace(full, "entries:\n  - {id: a-1", "  - {id: b, name: B, students: 20}\nentries:\n  - {id: a-1", 1)

func TestCheckChange(t *testing.T) {
	old := mustParse(t, running)
	opens, closes := old.Phases.Voting.Opens, old.Phases.Voting.Closes
	for _, c := range []struct {
		from, to string
		path     string // of the fault while open, "" when it may change
		closed   string // the same once closed
	}{
		{"id: full", "id: other", "id", "id"},
		{"Le pire CV", "Le meilleur CV", "", ""},
		{"brand: Tremplin", "brand: Autre", "", ""},
		{"#0B7A75", "#ff0000", "", ""},
		{"locale: en", "locale: fr", "locale", "locale"},
		{"America/Havana", "Europe/Paris", "timezone", "timezone"},
		{"2026-11-02T09:00:00+01:00", "2026-11-03T09:00:00+01:00", "phases.entries", "phases.entries"},
		{"  entries: {opens: 2026-11-02T09:00:00+01:00, closes: 2026-11-16T18:00:00+01:00}\n", "", "phases.entries", "phases.entries"},
		{"20:00:00.250+01:00", "19:00:00.250+00:00", "", ""}, // the same instant
		{"20:00:00.250+01:00", "20:00:00.251+01:00", "phases.voting.opens", "phases.voting.opens"},
		{"closes: 2026-12-14", "closes: 2026-12-15", "", "phases.voting.closes"},
		{"closes: 2026-12-14", "closes: 2026-12-13", "", "phases.voting.closes"},
		{"max: 3", "max: 4", "rules.ballots.max", "rules.ballots.max"},
		{"per: day", "per: hour", "rules.ballots.per", "rules.ballots.per"},
		{"per_entry: 2", "per_entry: 1", "rules.per_entry", "rules.per_entry"},
		{"undo: 90m", "undo: 91m", "rules.undo", "rules.undo"},
		{"identity: partner", "identity: email", "identity", "identity"},
		{"0123456789abcdef", "fedcba9876543210", "", ""},
		{"show_fans: false", "show_fans: true", "", ""},
		{"by: per_student", "by: total", "scoring.schools.by", "scoring.schools.by"},
		{"per: 100,", "per: 101,", "scoring.schools.per", "scoring.schools.per"},
		{"best_entries: 2", "best_entries: 3", "scoring.schools.best_entries", "scoring.schools.best_entries"},
		{"ties: earliest", "ties: shared", "scoring.ties", "scoring.ties"},
		{"visibility: after_ballot", "visibility: live", "results.visibility", "results.visibility"},
		{"visibility: after_ballot", "visibility: after_close", "", ""},
		{"freeze: 2h", "freeze: 1h", "results.freeze", "results.freeze"},
		{"freeze: 2h", "freeze: 3h", "", ""},
		{"only: true", "only: false", "", ""},
		{"policy: strict", "policy: observe", "", ""},
		{"policy: strict", "policy: {name: mine, weights: {unproven: 3}, thresholds: {hold: 2}}", "", ""},
		{"boxes: 8", "boxes: 9", "boxes", "boxes"},
		{"contact: \"c@", "contact: \"d@", "", ""},
		{"fr: École A", "fr: École AA", "", ""},
		{"city: Lyon", "city: Paris", "", ""},
		{"students: 10", "students: 11", "schools[0].students", "schools[0].students"},
		{"EDU.a.example", "b.example", "schools[0].email_domains", "schools[0].email_domains"},
		{"  - {id: b, name: B, students: 20}\n", "", "schools", "schools"},
		{"  - {id: b, name: B, students: 20}\n", "  - {id: b, name: B, students: 20}\n  - {id: c, name: C, students: 20}\n", "", "schools[2]"},
		{", hidden: true", "", "", ""},
		{"title: Two", "title: Two, hidden: true", "", ""},
		{"title: Two", "title: Three", "entries[1].title", "entries[1].title"},
		{"id: a-2, school: a", "id: a-2, school: b", "entries[1].school", "entries[1].school"},
		{"[Zoé]", "[Zoé, Max]", "entries[0].authors", "entries[0].authors"},
		{"AAAAAAAAAA1", "AAAAAAAAAA2", "entries[0].video", "entries[0].video"},
		{"id: a-2", "id: a-3", "entries", "entries"},
		{"entries:\n  - ", "entries:\n  - {id: b-1, school: b, title: New}\n  - ", "", "entries[0]"},
	} {
		if !strings.Contains(running, c.from) {
			t.Fatalf("no %q", c.from)
		}
		changed := mustParse(t, strings.Replace(running, c.from, c.to, 1))
		checkOne(t, c.to+" before it opens", CheckChange(old, changed, opens.Add(-1)), only(c.path, "id"))
		checkOne(t, c.to+" as it opens", CheckChange(old, changed, opens), c.path)
		checkOne(t, c.to+" before it closes", CheckChange(old, changed, closes.Add(-36*time.Hour)), c.path)
		checkOne(t, c.to+" as it closes", CheckChange(old, changed, closes), c.closed)
	}
}

func only(path, which string) string {
	if path == which {
		return path
	}
	return ""
}

func checkOne(t *testing.T, name string, err error, path string) {
	t.Helper()
	if path == "" {
		if err != nil {
			t.Errorf("%s: expected no fault, got %v", name, err)
		}
		return
	}
	var faults Faults
	if !errors.Is(err, ErrFixedWhileOpen) || !errors.As(err, &faults) || !has(faults, path, 0, "") {
		t.Errorf("%s: expected a fault of %s, got %v", name, path, err)
	}
}

func TestCheckChange_IdentityMayBeRaised(t *testing.T) {
	old, raised := mustParse(t, base), mustParse(t, base+"identity: email\n")
	checkOne(t, "raised", CheckChange(old, raised, old.Phases.Voting.Opens), "")
	checkOne(t, "raised too late", CheckChange(old, raised, old.Phases.Voting.Closes), "identity")
	checkOne(t, "lowered", CheckChange(raised, old, old.Phases.Voting.Opens), "identity")
}

func TestCheckChange_ACloseMovesOnlyToAnInstantStillToCome(t *testing.T) {
	old := mustParse(t, base)
	moved := mustParse(t, strings.Replace(base, "2026-12-14T20:00:00+01:00", "2026-12-01T12:00:00Z", 1))
	close := moved.Phases.Voting.Closes
	checkOne(t, "ten seconds ahead", CheckChange(old, moved, close.Add(-closeMargin)), "")
	checkOne(t, "less than ten", CheckChange(old, moved, close.Add(-closeMargin+1)), "phases.voting.closes")
	checkOne(t, "in the past", CheckChange(old, moved, close.Add(time.Hour)), "phases.voting.closes")
	checkOne(t, "a closed vote does not reopen", CheckChange(moved, old, close), "phases.voting.closes")
	checkOne(t, "the last instant before", CheckChange(moved, old, close.Add(-1)), "")
}
