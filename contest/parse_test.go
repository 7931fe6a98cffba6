package contest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// full uses every member there is, none at its default.
const full = `id: full
title: {fr: Le pire CV 🎬, en: "The \"worst\" CV", pt-br: O pior}
brand: Tremplin
accent: "#0B7A75"
locale: en
timezone: America/Havana
format: teams
phases:
  entries: {opens: 2026-11-02T09:00:00+01:00, closes: 2026-11-16T18:00:00+01:00}
  voting:  {opens: 2026-11-16T20:00:00.250+01:00, closes: 2026-12-14T20:00:00+01:00}
rules:
  ballots: {max: 3, per: day}
  per_entry: 2
  undo: 90m
identity: partner
partner: {secret: "a-secret-for-tests-only-0123456789abcdef"}
community: {name: Tremplin, under_15: parent, show_fans: false, opt_in: {fr: Oui, en: Yes please}}
scoring:
  schools: {by: per_student, per: 100, best_entries: 2}
  ties: earliest
results: {visibility: after_ballot, freeze: 2h}
embed: {origins: ["HTTPS://Blog.Example.org:443", "http://localhost:8080", "http://[::1]"], only: true}
antifraud:
  policy: strict
  hold: 0
  campuses:
    - {school: a, cidrs: ["192.0.2.0/24", "2001:db8::/32"]}
  presence_uses: 5
  canaries: [0123456789abcdefghijklmnop]
boxes: 8
links: {rules: "https://example.org/r?a=b#c", privacy: "http://127.0.0.1:8080/p", contact: "c@example.org"}
schools:
  - {id: a, name: {fr: École A, en: School A}, city: Lyon, students: 10, email_domains: [EDU.a.example], colour: Teal}
entries:
  - {id: a-1, school: a, title: {fr: Un, en: One}, authors: [Zoé], video: "https://youtu.be/AAAAAAAAAA1?t=3", hidden: true}
  - {id: a-2, school: a, title: Two, video: "https://player.vimeo.com/video/123?h=abcdef0123"}
`

func mustParse(t testing.TB, doc string) *Contest {
	t.Helper()
	c, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParse_EveryMemberComesBackFromItsDocument(t *testing.T) {
	c := mustParse(t, full)
	document := c.DocumentWithSecret()
	sameContest(t, c, mustParse(t, string(document)))
	const golden = `{"id":"full","title":{"en":"The \"worst\" CV","fr":"Le pire CV 🎬","pt-BR":"O pior"},"brand":"Tremplin","accent":"#0b7a75","locale":"en","timezone":"America/Havana","format":"teams",` +
		`"phases":{"entries":{"opens":"2026-11-02T08:00:00Z","closes":"2026-11-16T17:00:00Z"},"voting":{"opens":"2026-11-16T19:00:00.25Z","closes":"2026-12-14T19:00:00Z"}},` +
		`"rules":{"ballots":{"max":3,"per":"day"},"per_entry":2,"undo":"1h30m"},"identity":"partner","partner":{"secret":"a-secret-for-tests-only-0123456789abcdef"},` +
		`"scoring":{"schools":{"by":"per_student","per":100,"best_entries":2},"ties":"earliest"},"results":{"visibility":"after_ballot","freeze":"2h"},` +
		`"embed":{"origins":["https://blog.example.org","http://localhost:8080","http://[::1]"],"only":true},"community":{"name":"Tremplin","opt_in":{"en":"Yes please","fr":"Oui"},"under_15":"parent","show_fans":false},` +
		`"antifraud":{"policy":"strict","hold":"0s","campuses":[{"school":"a","cidrs":["192.0.2.0/24","2001:db8::/32"]}],"presence_uses":5,"canaries":["0123456789abcdefghijklmnop"]},"boxes":8,` +
		`"links":{"rules":"https://example.org/r?a=b#c","privacy":"http://127.0.0.1:8080/p","contact":"c@example.org"},` +
		`"schools":[{"id":"a","name":{"en":"School A","fr":"École A"},"city":"Lyon","students":10,"email_domains":["edu.a.example"],"colour":"teal"}],` +
		`"entries":[{"id":"a-1","school":"a","title":{"en":"One","fr":"Un"},"authors":["Zoé"],"video":"https://www.youtube.com/watch?v=AAAAAAAAAA1","hidden":true},` +
		`{"id":"a-2","school":"a","title":"Two","video":"https://vimeo.com/123/abcdef0123"}]}`
	if string(document) != golden {
		t.Errorf("expected\n%s\ngot\n%s", golden, document)
	}
}

func TestParse_DefaultsAreTheContracts(t *testing.T) {
	got := string(mustParse(t, base).Document())
	const want = `"locale":"fr","timezone":"Europe/Paris","format":"teams","phases":{"voting":{"opens":"2026-11-16T19:00:00Z","closes":"2026-12-14T19:00:00Z"}},` +
		`"rules":{"ballots":{"max":1,"per":"contest"},"per_entry":1,"undo":"0s"},"identity":"device",` +
		`"scoring":{"schools":{"by":"total","per":1000},"ties":"shared"},"results":{"visibility":"live","freeze":"0s"},` +
		`"antifraud":{"policy":"standard","hold":"24h","presence_uses":1000},"boxes":1,"schools":`
	if !strings.Contains(got, want) {
		t.Errorf("expected\n%s\nin\n%s", want, got)
	}
	c := mustParse(t, base+"rules: {ballots: {max: 7}}\ncommunity: {name: T, opt_in: Oui}\n")
	if c.Rules.PerEntry != 7 || !c.Community.ShowFans || c.Community.Under15 != Under15Hide {
		t.Errorf("per_entry %d, community %+v", c.Rules.PerEntry, c.Community)
	}
}

func TestParse_JSONAndYAMLAreTheSameContest(t *testing.T) {
	documents := map[string][]byte{"full": []byte(full), "base": []byte(base)}
	for name, data := range samples(t) {
		documents[name] = data
	}
	for name, doc := range documents {
		converted, err := yaml.YAMLToJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		sameContest(t, mustParse(t, string(doc)), mustParse(t, string(converted)))
		windows := bytes.ReplaceAll(doc, []byte("\n"), []byte("\r\n"))
		sameContest(t, mustParse(t, string(doc)), mustParse(t, "\ufeff"+string(windows)))
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestParse_YAMLWrittenOtherWays(t *testing.T) {
	want := mustParse(t, base)
	for _, doc := range []string{
		"---\n" + base + "...\n",
		"# a comment\n\n" + strings.Replace(base, "id: demo", "'id' :  \"demo\"   # why", 1),
		strings.Replace(base, "  - {id: b, name: B, students: 200}", "  -\n    id: b   # x\n    # y\n    name: |-\n      B\n    students: 200", 1),
		strings.Replace(base, "  - {id: b, name: B, students: 200}", "  - {\n    id: b,\n    name: B, # z\n    students: 200\n    }", 1),
		strings.Replace(base, "2026-11-16T20:00:00+01:00", `"2026-11-16T19:00:00.000Z"`, 1),
	} {
		sameContest(t, want, mustParse(t, doc))
	}
}

func TestPublic_LeavesOutWhatIsNotPublic(t *testing.T) {
	c := mustParse(t, full)
	public, organizer := string(c.Public()), string(c.Document())
	for _, private := range []string{"secret", "campuses", "192.0.2.0", "canaries", "0123456789abcdefghijklmnop", "email_domains", "edu.a.example", "a-1", "AAAAAAAAAA1", "partner\":"} {
		if strings.Contains(public, private) {
			t.Errorf("public document has %q:\n%s", private, public)
		}
	}
	if !strings.Contains(public, `"id":"a-2"`) || strings.Contains(organizer, "secret") || !strings.Contains(organizer, `"id":"a-1"`) || !strings.Contains(organizer, "campuses") {
		t.Errorf("public:\n%s\norganizer:\n%s", public, organizer)
	}
	if marshalled, err := c.MarshalJSON(); err != nil || string(marshalled) != organizer {
		t.Errorf("MarshalJSON must be the organizer's view: %v", err)
	}
	// Views are copies: writing one must not hide an entry from the other.
	if len(c.Entries) != 2 || c.Entries[0].ID != "a-1" || c.Antifraud.Campuses == nil {
		t.Error("a view changed the contest")
	}
}

func TestCheckSecret(t *testing.T) {
	c := mustParse(t, base+"identity: partner\n")
	if c.CheckSecret() == nil || c.WithSecret(strings.Repeat("k", 32)).CheckSecret() != nil || c.Partner.Secret != "" {
		t.Error("a partner contest needs a secret, and WithSecret is a copy")
	}
	if mustParse(t, base).CheckSecret() != nil {
		t.Error("a device contest needs none")
	}
}

func TestText_FallsBackToALanguageItHas(t *testing.T) {
	text := mustParse(t, strings.Replace(base, "{fr: Le pire CV, en: The worst CV}", "{fr: oui, en: 'yes', pt-BR: sim}", 1)).Title
	for _, c := range [][3]string{{"fr", "en", "oui"}, {"fr-CA", "en", "oui"}, {"de", "en-GB", "yes"}, {"pt-BR", "en", "sim"}, {"de", "it", "yes"}, {"", "", "yes"}} {
		if got := text.In(c[0], c[1]); got != c[2] {
			t.Errorf("In(%q, %q) = %q, expected %q", c[0], c[1], got, c[2])
		}
	}
	if Plain("x").In("fr", "en") != "x" || !(Text{}).IsZero() || Plain("x").IsZero() {
		t.Error("a plain text is the same in every language")
	}
}

func TestPhase_HalfOpen(t *testing.T) {
	c, bare := mustParse(t, full), mustParse(t, base)
	p := c.Phases
	for _, step := range []struct {
		at   time.Time
		want Phase
	}{
		{p.Entries.Opens.Add(-1), PhaseUpcoming}, {p.Entries.Opens, PhaseEntries},
		{p.Entries.Closes.Add(-1), PhaseEntries}, {p.Entries.Closes, PhaseBetween},
		{p.Voting.Opens.Add(-1), PhaseBetween}, {p.Voting.Opens, PhaseVoting},
		{p.Voting.Closes.Add(-1), PhaseVoting}, {p.Voting.Closes, PhaseClosed},
	} {
		if got := c.Phase(step.at, false); got != step.want {
			t.Errorf("at %s: %s, expected %s", step.at, got, step.want)
		}
	}
	if got := bare.Phase(bare.Phases.Voting.Opens.Add(-1), false); got != PhaseUpcoming {
		t.Errorf("without entries: %s", got)
	}
	if got := c.Phase(p.Voting.Closes, true); got != PhasePublished {
		t.Errorf("published: %s", got)
	}
	if !bare.FreezesAt().IsZero() || !c.FreezesAt().Equal(p.Voting.Closes.Add(-2*time.Hour)) {
		t.Error("freezes")
	}
}

func TestLevel_AtLeast(t *testing.T) {
	if !LevelPartner.AtLeast(LevelEmail) || !LevelEmail.AtLeast(LevelEmail) || LevelDevice.AtLeast(LevelEmail) ||
		Level("root").AtLeast(LevelDevice) || LevelPartner.AtLeast("") {
		t.Error("levels are ordered, unknown ones prove and satisfy nothing")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(full))
	f.Add(mustParse(f, full).DocumentWithSecret())
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		sameContest(t, c, mustParse(t, string(c.DocumentWithSecret())))
		mustParse(t, string(c.Public()))
	})
}
