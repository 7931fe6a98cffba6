package contest

import "time"

const defaultPer = 1000

var defaultAntifraud = Antifraud{Policy: Policy{Name: string(PolicyStandard), Base: PolicyStandard}, Hold: 24 * time.Hour, PresenceUses: 1000}

func readPhases(v value) Phases {
	o := v.object()
	p := Phases{
		Entries: optional(o, "entries", nil, func(v value) *Window { w := readWindow(v); return &w }),
		Voting:  required(o, "voting", "{opens, closes}", readWindow),
	}
	if e := p.Entries; e != nil && !p.Voting.Opens.IsZero() && e.Closes.After(p.Voting.Opens) {
		entries, _ := o.get("entries")
		entries.fault("expected entries to close before voting opens, at %s, found %s", rfc3339(p.Voting.Opens), rfc3339(e.Closes))
	}
	o.end()
	return p
}

func readWindow(v value) Window {
	o := v.object()
	w := Window{
		Opens:  required(o, "opens", "an instant", instant),
		Closes: required(o, "closes", "an instant", instant),
	}
	if !w.Opens.IsZero() && !w.Closes.IsZero() && !w.Opens.Before(w.Closes) {
		closes, _ := o.get("closes")
		closes.expected("an instant after opens")
	}
	o.end()
	return w
}

func readRules(v value) Rules {
	o := v.object()
	r := Rules{
		Ballots: optional(o, "ballots", Ballots{1, PerContest}, readBallots),
		Undo:    optional(o, "undo", 0, duration(24*time.Hour)),
	}
	r.PerEntry = optional(o, "per_entry", r.Ballots.Max, integer(1, max(r.Ballots.Max, 1)))
	o.end()
	return r
}

func readBallots(v value) Ballots {
	o := v.object()
	b := Ballots{
		Max: optional(o, "max", 1, integer(1, 1_000_000)),
		Per: optional(o, "per", PerContest, choice(PerContest, PerDay, PerHour)),
	}
	o.end()
	return b
}

func readPartner(v value) Partner {
	o := v.object()
	p := Partner{Secret: optional(o, "secret", "", secret)}
	o.end()
	return p
}

func readScoring(v value) Scoring {
	o := v.object()
	s := Scoring{
		Schools: optional(o, "schools", SchoolScoring{By: ByTotal, Per: defaultPer}, func(v value) SchoolScoring {
			o := v.object()
			s := SchoolScoring{
				By:          optional(o, "by", ByTotal, choice(ByTotal, ByPerStudent)),
				Per:         optional(o, "per", defaultPer, integer(1, 1_000_000)),
				BestEntries: optional(o, "best_entries", 0, integer(1, 10_000)),
			}
			o.end()
			return s
		}),
		Ties: optional(o, "ties", TiesShared, choice(TiesShared, TiesEarliest)),
	}
	o.end()
	return s
}

func readResults(v value, voting Window) Results {
	o := v.object()
	r := Results{
		Visibility: optional(o, "visibility", VisibleLive, choice(visibilities...)),
		Freeze:     optional(o, "freeze", 0, duration(365*24*time.Hour)),
	}
	if length := voting.Closes.Sub(voting.Opens); length > 0 && r.Freeze >= length {
		freeze, _ := o.get("freeze")
		freeze.expected("less than the %s that voting is open", formatDuration(length))
	}
	o.end()
	return r
}

func readEmbed(v value) Embed {
	o := v.object()
	e := Embed{
		Origins: optional(o, "origins", nil, distinct(0, 100, "origins", origin)),
		Only:    optional(o, "only", false, boolean),
	}
	o.end()
	return e
}

func readCommunity(v value) *Community {
	o := v.object()
	c := &Community{
		Name:     required(o, "name", "a text", line(maxName)),
		OptIn:    required(o, "opt_in", "a text", text(maxOptIn)),
		Under15:  optional(o, "under_15", Under15Hide, choice(Under15Hide, Under15Parent)),
		ShowFans: optional(o, "show_fans", true, boolean),
	}
	o.end()
	return c
}

func readLinks(v value) Links {
	o := v.object()
	l := Links{
		Rules:   optional(o, "rules", "", link),
		Privacy: optional(o, "privacy", "", link),
		Contact: optional(o, "contact", "", contact),
	}
	o.end()
	return l
}
