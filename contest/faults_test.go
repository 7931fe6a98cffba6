package contest

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const base = `id: demo
title: {fr: Le pire CV, en: The worst CV}
phases:
  voting: {opens: 2026-11-16T20:00:00+01:00, closes: 2026-12-14T20:00:00+01:00}
schools:
  - {id: a, name: A, students: 100}
  - {id: b, name: B, students: 200}
entries:
  - {id: a-1, school: a, title: One}
  - {id: b-1, school: b, title: Two}
`

// edit is base with one thing replaced, or with more at its end, from line 11 on.
func edit(t *testing.T, old, new string) string {
	t.Helper()
	if old == "" {
		return base + new
	}
	if !strings.Contains(base, old) {
		t.Fatalf("base has no %q", old)
	}
	return strings.Replace(base, old, new, 1)
}

func TestParse_EachFaultNamesItsPlace(t *testing.T) {
	for _, c := range []struct {
		old, new string
		path     string
		line     int
		message  string // a part of it
	}{
		{"id: demo\n", "", "id", 1, "found nothing"},
		{"id: demo", "id: Demo", "id", 1, `found "Demo"`},
		{"id: demo", "id: 2027", "id", 1, "found the number 2027"},
		{"id: demo", `id: "2027"`, "id", 1, "not only digits"},
		{"id: demo", "id: v1", "id", 1, "not v1"},
		{"id: demo", "id: -demo", "id", 1, "expected an id"},
		{"id: demo", "id: " + strings.Repeat("d", 65), "id", 1, "at most 64"},
		{"id: demo", "id: [demo]", "id", 1, "found a list"},
		{"id: demo", "id:", "id", 1, "found nothing"},
		{"id: demo", "id: demo\nid: demo", "id", 2, "found again"},
		{"fr: Le pire CV", "fr: Un, fr: Le pire CV", "title.fr", 2, "found again"},
		{"fr: Le pire CV", "fr: Un, FR: Le pire CV", "title.FR", 2, "found again"},
		{"fr: Le pire CV", "klingonais: Le pire CV", "title.klingonais", 2, "language code"},
		{"fr: Le pire CV", `fr: ""`, "title.fr", 2, "empty"},
		{"fr: Le pire CV", `fr: "  "`, "title.fr", 2, "empty"},
		{"fr: Le pire CV", `fr: "a\u202Eb"`, "title.fr", 2, "U+202E"},
		{"fr: Le pire CV", `fr: "a\u2067b"`, "title.fr", 2, "U+2067"},
		{"fr: Le pire CV", `fr: "a\u0000b"`, "title.fr", 2, "U+0000"},
		{"fr: Le pire CV", `fr: "a\tb"`, "title.fr", 2, "U+0009"},
		{"fr: Le pire CV", `fr: "a\u2028b"`, "title.fr", 2, "U+2028"},
		{"fr: Le pire CV", "fr: " + strings.Repeat("é", 201), "title.fr", 2, "at most 200 characters, found 201"},
		{"{fr: Le pire CV, en: The worst CV}", "{}", "title", 2, "languages"},
		{"{fr: Le pire CV, en: The worst CV}", "2027", "title", 2, "in quotes"},
		{"{fr: Le pire CV, en: The worst CV}", "[a]", "title", 2, "found a list"},
		{"2026-11-16T20:00:00+01:00", "2026-11-16T20:00:00", "phases.voting.opens", 4, "with its offset"},
		{"2026-11-16T20:00:00+01:00", "2026-11-16", "phases.voting.opens", 4, "an instant"},
		{"2026-11-16T20:00:00+01:00", "2026-11-16T25:00:00Z", "phases.voting.opens", 4, "an instant"},
		{"2026-11-16T20:00:00+01:00", "1926-11-16T20:00:00Z", "phases.voting.opens", 4, "2000 to 2199"},
		{"2026-11-16T20:00:00+01:00", "2026-11-16T20:00:00.0001Z", "phases.voting.opens", 4, "whole milliseconds"},
		{"2026-12-14T20:00:00+01:00", "2026-11-16T19:00:00Z", "phases.voting.closes", 4, "after opens"},
		{"  voting:", "  entries: {opens: 2026-11-01T00:00:00Z, closes: 2026-11-16T19:00:01Z}\n  voting:", "phases.entries", 4, "before voting opens"},
		{"  voting:", "  votes:", "phases.voting", 4, "found nothing"},
		{"  voting:", "  votin:", "phases.votin", 4, "did you mean voting?"},
		{"students: 200", "students: 0", "schools[1].students", 7, "whole number"},
		{"students: 200", "students: 1.5", "schools[1].students", 7, "whole number"},
		{"students: 200", `students: "200"`, "schools[1].students", 7, "whole number"},
		{"students: 200", "student: 200", "schools[1].student", 7, "did you mean students?"},
		{"students: 200", "mascot: owl", "schools[1].mascot", 7, "expected one of id, name, city"},
		{"{id: b, name", "{id: a, name", "schools[1].id", 7, "of its own"},
		{"name: B, ", "", "schools[1].name", 7, "found nothing"},
		{"students: 200", "email_domains: [edu..example]", "schools[1].email_domains[0]", 7, "a domain"},
		{"students: 200", "email_domains: [localhost]", "schools[1].email_domains[0]", 7, "a domain"},
		{"students: 200", "email_domains: [a.example, A.example]", "schools[1].email_domains[1]", 7, "only once"},
		{"students: 200", "colour: 'url(https://x)'", "schools[1].colour", 7, "a CSS colour"},
		{"school: b", "school: c", "entries[1].school", 10, `found "c"`},
		{"id: b-1", "id: a-1", "entries[1].id", 10, "of its own"},
		{", title: Two", "", "entries[1].title", 10, "found nothing"},
		{"title: Two", "title: Two, video: 'https://evil.example/watch?v=AAAAAAAAAA1'", "entries[1].video", 10, "YouTube"},
		{"title: Two", "title: Two, hidden: yes", "entries[1].hidden", 10, "true or false"},
		{"title: Two", "title: Two, authors: [Zoé, 7]", "entries[1].authors[1]", 10, "in quotes"},
		{"title: Two", "title: Two, authors: Zoé", "entries[1].authors", 10, "a list of authors"},
		{"schools:\n", "schools: []\nrest:\n", "schools", 5, "1 to 512 schools, found 0"},
		{"", "accent: red;}", "accent", 11, "a CSS colour"},
		{"", "accent: '#12345'", "accent", 11, "a CSS colour"},
		{"", "locale: français", "locale", 11, "language code"},
		{"", "timezone: Europe/Pariss", "timezone", 11, "time zone"},
		{"", "timezone: Local", "timezone", 11, "time zone"},
		{"", "timezone: ../../etc/passwd", "timezone", 11, "time zone"},
		{"", "timezone: ''", "timezone", 11, "time zone"},
		{"", "format: duel", "format", 11, "teams"},
		{"", "rules: {ballots: {max: 0}}", "rules.ballots.max", 11, "1 to 1000000"},
		{"", "rules: {ballots: {per: week}}", "rules.ballots.per", 11, "contest or day or hour"},
		{"", "rules: {ballots: {max: 3}, per_entry: 4}", "rules.per_entry", 11, "1 to 3"},
		{"", "rules: {undo: 25h}", "rules.undo", 11, "at most 24h"},
		{"", "rules: {undo: -1s}", "rules.undo", 11, "a duration"},
		{"", "rules: {undo: 10}", "rules.undo", 11, "a duration"},
		{"", "rules: {undo: 1d}", "rules.undo", 11, "a duration"},
		{"", "rules: {undo: 1ms}", "rules.undo", 11, "whole seconds"},
		{"", "rules: []", "rules", 11, "an object"},
		{"", "identity: friend", "identity", 11, "device or email or partner"},
		{"", "partner: {secret: short}", "partner.secret", 11, "found 5"},
		{"", "scoring: {schools: {by: size}}", "scoring.schools.by", 11, "total or per_student"},
		{"", "scoring: {schools: {best_entries: 0}}", "scoring.schools.best_entries", 11, "whole number"},
		{"", "scoring: {ties: coin}", "scoring.ties", 11, "shared or earliest"},
		{"students: 200}", "city: X}\nscoring:\n  schools: {by: per_student}\n", "schools[1].students", 7, "per_student"},
		{"", "results: {visibility: never}", "results.visibility", 11, "live or after_ballot"},
		{"", "results: {freeze: 672h}", "results.freeze", 11, "less than the 672h"},
		{"", "embed: {origins: ['https://a.example/x']}", "embed.origins[0]", 11, "without a path"},
		{"", "embed: {origins: ['https://*.example']}", "embed.origins[0]", 11, "an origin"},
		{"", "embed: {origins: ['http://a.example']}", "embed.origins[0]", 11, "only on loopback"},
		{"", "embed: {origins: ['https://a.example', 'https://A.example:443']}", "embed.origins[1]", 11, "only once"},
		{"", "embed: {only: 1}", "embed.only", 11, "true or false"},
		{"", "community: {opt_in: Oui}", "community.name", 11, "found nothing"},
		{"", "community: {name: T, opt_in: Oui, under_15: show}", "community.under_15", 11, "hide or parent"},
		{"", "antifraud: {policy: lax}", "antifraud.policy", 11, "observe or standard or strict"},
		{"", "antifraud: {policy: 3}", "antifraud.policy", 11, "or a policy document"},
		{"", "antifraud: {policy: {weights: {}}}", "antifraud.policy.name", 11, "found nothing"},
		{"", "antifraud: {policy: {name: strict}}", "antifraud.policy.name", 11, "a built-in policy"},
		{"", "antifraud: {policy: {name: Mine}}", "antifraud.policy.name", 11, "expected an id"},
		{"", "antifraud: {policy: {name: mine, base: lax}}", "antifraud.policy.base", 11, "observe or standard or strict"},
		{"", "antifraud: {policy: {name: mine, weights: 1}}", "antifraud.policy.weights", 11, "an object"},
		{"", "antifraud: {policy: {name: mine, weights: {unprooven: 1}}}", "antifraud.policy.weights.unprooven", 11, "did you mean unproven?"},
		{"", "antifraud: {policy: {name: mine, weights: {likes: 1}}}", "antifraud.policy.weights.likes", 11, "expected one of base, unproven"},
		{"", "antifraud: {policy: {name: mine, weights: {unproven: 10.5}}}", "antifraud.policy.weights.unproven", 11, "a number from -10 to 10"},
		{"", "antifraud: {policy: {name: mine, weights: {unproven: .nan}}}", "antifraud.policy.weights.unproven", 11, "a number from"},
		{"", "antifraud: {policy: {name: mine, weights: {unproven: '3'}}}", "antifraud.policy.weights.unproven", 11, "a number from"},
		{"", "antifraud: {policy: {name: mine, thresholds: {hold: high}}}", "antifraud.policy.thresholds.hold", 11, "a number from -100 to 100"},
		{"", "antifraud: {policy: {name: mine, thresholds: {hold: 3, reject: 2}}}", "antifraud.policy.thresholds.reject", 11, "expected at least 3, hold"},
		{"", "antifraud: {policy: {name: mine, thresholds: {challenge: 5}}}", "antifraud.policy.thresholds.challenge", 11, "expected at most 4, hold of standard"},
		{"", "antifraud: {policy: {name: mine, base: strict, thresholds: {challenge: 4, reject: 9}}}", "antifraud.policy.thresholds.challenge", 11, "expected at most 3, hold of strict"},
		{"", "antifraud: {hold: 673h}", "antifraud.hold", 11, "at most 672h"},
		{"", "antifraud: {hold: 30d}", "antifraud.hold", 11, "a duration in whole seconds"},
		{"", "antifraud: {policy: {name: mine, thresholds: {ban: 3}}}", "antifraud.policy.thresholds.ban", 11, "expected one of challenge, hold, reject"},
		{"", "antifraud: {campuses: [{school: z, cidrs: [192.0.2.0/24]}]}", "antifraud.campuses[0].school", 11, "a school"},
		{"", "antifraud: {campuses: [{school: a, cidrs: [192.0.2.1/24]}]}", "antifraud.campuses[0].cidrs[0]", 11, "192.0.2.0/24"},
		{"", "antifraud: {campuses: [{school: a, cidrs: [0.0.0.0/0]}]}", "antifraud.campuses[0].cidrs[0]", 11, "no wider"},
		{"", "antifraud: {campuses: [{school: a, cidrs: [192.0.2.1]}]}", "antifraud.campuses[0].cidrs[0]", 11, "a network"},
		{"", "antifraud: {canaries: [ada]}", "antifraud.canaries[0]", 11, "26 of 0-9 a-v"},
		{"", "antifraud: {canaries: [0123456789abcdefghijklmnop, 0123456789abcdefghijklmnop]}", "antifraud.canaries[1]", 11, "only once"},
		{"", "antifraud: {campuses: [{school: a}]}", "antifraud.campuses[0].cidrs", 11, "found nothing"},
		{"", "antifraud: {presence_uses: 0}", "antifraud.presence_uses", 11, "whole number"},
		{"", "boxes: 65", "boxes", 11, "1 to 64"},
		{"", "links: {rules: 'javascript:alert(1)'}", "links.rules", 11, "https"},
		{"", "links: {rules: 'http://a.example/'}", "links.rules", 11, "https"},
		{"", "links: {privacy: 'https://u:p@a.example/'}", "links.privacy", 11, "https"},
		{"", "links: {contact: 'a@b@c'}", "links.contact", 11, "e-mail"},
		{"", "links: {contact: '\"a b\"@c.example'}", "links.contact", 11, "e-mail"},
		{"", "\n\ncolor: red", "color", 13, "unknown member"},
	} {
		_, err := Parse([]byte(edit(t, c.old, c.new)))
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%q: expected faults, got %v", c.new, err)
			continue
		}
		if !has(faults, c.path, c.line, c.message) {
			t.Errorf("%q: expected %s at line %d with %q, got\n%v", c.new, c.path, c.line, c.message, faults)
		}
	}
}

func TestParse_NamesEachMemberOnce(t *testing.T) {
	for old, want := range map[string]Fault{
		"students: 200": {"schools[1].motto", 7, "unknown member: expected one of id, name, city, students, email_domains, colour"},
		"school: a":     {"entries[0].motto", 9, "unknown member: expected one of id, school, title, authors, video, hidden"},
	} {
		_, err := Parse([]byte(edit(t, old, old+", motto: x")))
		var faults Faults
		if !errors.As(err, &faults) || !slices.Contains(faults, want) {
			t.Errorf("expected %v, got %v", want, err)
		}
	}
}

func has(faults Faults, path string, line int, message string) bool {
	for _, f := range faults {
		if f.Path == path && f.Line == line && strings.Contains(f.Message, message) {
			return true
		}
	}
	return false
}

func TestParse_ReportsAllFaultsAtOnceInOrder(t *testing.T) {
	_, err := Parse([]byte("boxes: 0\nid: X\nphases:\n  voting: {opens: now}\nschools: 3\n"))
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Path)
	}
	// In the order of the lines; what is missing belongs to the line of the object it is missing from.
	want := "title boxes id phases.voting.opens phases.voting.closes schools"
	if strings.Join(got, " ") != want {
		t.Errorf("expected %s\ngot      %s\n%v", want, strings.Join(got, " "), err)
	}
}

func TestParse_ManyFaultsAreCounted(t *testing.T) {
	doc := base + strings.Repeat("  - {id: X, school: a, title: T}\n", 1500)
	_, err := Parse([]byte(doc))
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != maxFaults+1 || faults[maxFaults].Message != "and 500 more faults" {
		t.Errorf("expected %d faults and a count, got %d", maxFaults, len(faults))
	}
}

func TestParse_SyntaxIsOneFaultWithItsLine(t *testing.T) {
	for doc, line := range map[string]int{
		"":                                        1,
		" \n\n":                                   1,
		"# nothing\n":                             1,
		"{\n\"id\": \"a\",\n}":                    2,
		"{\n\"id\": \"a\"\n":                      3,
		"{\n\"id\":\n\"\\ud800\"}":                3,
		"{\"id\":\"a\"}\n\n{}":                    3,
		"{\"id\":\"a\"}\nx":                       2,
		"id: a\nx: &b c\n":                        2,
		"id: a\nx: *b\n":                          2,
		"id: a\n<<: {b: c}\n":                     2,
		"id: a\nx: !!int 3\n":                     2,
		"---\nid: a\n---\nid: b\n":                3,
		"%YAML 1.2\n---\nid: a\n":                 1,
		"id: a\n? b\n: c\n":                       2,
		"id: a\nb: [1, 2\n":                       2,
		"id: a\nb: \"c\n":                         2,
		"id: a\r\nb: ]\r\n":                       2,
		"id: a\n\tb: c\n":                         2,
		"id: a\nb: \xff\n":                        2,
		"a:\n- " + strings.Repeat("[", 40) + "\n": 2,
	} {
		_, err := Parse([]byte(doc))
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != "" || faults[0].Line != line {
			t.Errorf("%q: expected one fault at line %d, got %#v", doc, line, err)
		}
	}
}

func TestParse_FaultsNeverShowTheSecret(t *testing.T) {
	_, err := Parse([]byte(base + "partner: {secret: hunter2}\n"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("expected a fault without the secret, got %v", err)
	}
}
