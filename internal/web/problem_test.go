package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/nicksnyder/go-i18n/v2/i18n"
)

func texts(t testing.TB, lang string) map[string]string {
	t.Helper()
	raw, err := locales.ReadFile("locales/" + lang + ".json")
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(raw, &m))
	flat := map[string]string{}
	for id, text := range m {
		switch text := text.(type) {
		case string:
			flat[id] = text
		case map[string]any: // by plural form
			for form, one := range text {
				flat[id+"/"+form] = one.(string)
			}
		default:
			t.Fatalf("%s.json: %s is %T", lang, id, text)
		}
	}
	return flat
}

// catalogueCodes are the codes that have texts, sorted.
func catalogueCodes(t testing.TB) []string {
	var codes []string
	for id := range texts(t, "en") {
		if code, ok := strings.CutPrefix(id, "problem."); ok && strings.HasSuffix(code, ".title") {
			codes = append(codes, strings.TrimSuffix(code, ".title"))
		}
	}
	slices.Sort(codes)
	return codes
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

func TestTexts_BothLanguagesSayTheSame(t *testing.T) {
	en, fr := texts(t, "en"), texts(t, "fr")
	if a, b := slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(fr)); !slices.Equal(a, b) {
		t.Fatalf("keys differ:\nen %v\nfr %v", a, b)
	}
	for id := range en {
		if en[id] == "" || fr[id] == "" {
			t.Errorf("%s is empty", id)
		}
		if a, b := placeholder.FindAllString(en[id], -1), placeholder.FindAllString(fr[id], -1); !slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))) {
			t.Errorf("%s: %v in English, %v in French", id, a, b)
		}
	}
	for _, code := range []string{ // of the contract
		"invalid-request", "too-large", "unsupported-media-type", "invalid-pass", "identity-level", "challenge-required", "rejected",
		"no-such-contest", "no-such-entry", "already-voted", "phase-closed", "ballot-reused", "rate-limited", "overloaded",
		"store-unavailable", "fixed-while-open", "undo-expired",
	} {
		if en["problem."+code] == "" || en["problem."+code+".title"] == "" {
			t.Errorf("no text for %s", code)
		}
	}
}

func TestTexts_EverySentenceThatIsUsedIsThere(t *testing.T) {
	c, err := newCatalogue()
	must(t, err)
	for say := range sayings {
		if !c.has("en", "problem.invalid-request."+say) || !c.has("fr", "problem.invalid-request."+say) {
			t.Errorf("invalid(…, %q) has no sentence", say)
		}
	}
	for _, s := range sentinels {
		id := "problem." + s.is.code
		if s.is.say != "" {
			id += "." + s.is.say
		}
		if !c.has("fr", id) {
			t.Errorf("%v has no sentence %s", s.err, id)
		}
		if got := problemOf(fmt.Errorf("somewhere: %w", s.err)); got != s.is {
			t.Errorf("%v wrapped is %v, want %v", s.err, got, s.is)
		}
	}
}

// has reports whether there is such a message.
func (c *catalogue) has(lang, id string) bool {
	_, err := c.localizers[lang].Localize(&i18n.LocalizeConfig{MessageID: id})
	return err == nil || !strings.Contains(err.Error(), "not found")
}

func TestLanguage(t *testing.T) {
	c, err := newCatalogue()
	must(t, err)
	for accept, want := range map[string]string{
		"": "en", "fr": "fr", "en": "en", "fr-CA": "fr", "FR-fr": "fr", "de": "en", "de, fr;q=0.5": "fr",
		"en;q=0.3, fr;q=0.9": "fr", "fr;q=0.3, en;q=0.9": "en", "fr;q=0, en": "en", "*": "en", "xx-garbage-ß": "en",
		"fr;q=abc": "en", ";;;": "en", strings.Repeat("fr,", 400): "en",
	} {
		if got := c.pick(accept); got != want {
			t.Errorf("%.40q: %s, want %s", accept, got, want)
		}
	}
}

func TestProblem_InTheReadersLanguage(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"rules":{"ballots":{"max":1,"per":"day"}}`)
	pass := e.pass(path)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	again := func(accept string) answer {
		return e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass, accept).want(409, "already-voted")
	}
	en, fr := again("Accept-Language: en-GB"), again("Accept-Language: de;q=0.1, fr-FR")
	if en.header.Get("Content-Language") != "en" || fr.header.Get("Content-Language") != "fr" {
		t.Errorf("languages %q and %q", en.header, fr.header)
	}
	if !strings.Contains(en.text("detail"), "vote again from") || !strings.Contains(fr.text("detail"), "Vous pourrez revoter à partir du") {
		t.Errorf("%s\n%s", en.body, fr.body)
	}
	if !strings.Contains(fr.text("detail"), " à 00:00 (CE") {
		t.Errorf("the next turn is told in another zone than the contest's: %s", fr.body)
	}
	// Also where no route was found and no handler ran.
	if a := e.do("GET", "/nothing", "", "Accept-Language: fr").want(404, "not-found"); a.text("title") != "Rien ici" {
		t.Errorf("%s", a.body)
	}
}

func TestRequestID_IsTheCallersWhenSane(t *testing.T) {
	e := start(t)
	for sent, kept := range map[string]bool{
		"abc-123_.X": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "<script>": false, "é": false, "a,b": false,
	} {
		a := e.do("GET", "/nothing", "", "X-Request-Id: "+sent).want(404, "not-found")
		if got := a.header.Get("X-Request-Id"); (got == sent) != kept {
			t.Errorf("%.20q: answered with %q", sent, got)
		}
	}
}

func TestPanic_IsAnInternalErrorAndTheProcessLives(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Get("/panic", func(*fiber.Ctx) error { panic("the secret detail") })
		s.app.Get("/error", func(*fiber.Ctx) error { return fmt.Errorf("the secret detail") })
	})
	for _, path := range []string{"/panic", "/error"} {
		a := e.do("GET", path, "", "X-Request-Id: find-me"+path[1:]).want(500, "internal-error")
		if strings.Contains(string(a.body), "secret") {
			t.Errorf("%s: %s", path, a.body)
		}
		if log := e.log.String(); !strings.Contains(log, "the secret detail") || !strings.Contains(log, "find-me"+path[1:]) {
			t.Errorf("%s: not whole in the log: %s", path, log)
		}
	}
	e.do("GET", "/livez", "").want(200, "")
}

func TestEveryAnswerIsHardened(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	for _, a := range []answer{e.do("GET", path, ""), e.do("GET", "/nothing", ""), e.do("POST", path+"/ballots", "{"), e.do("BREW", "/", "")} {
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Server": ""} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%d: %s is %q, want %q", a.status, name, got, want)
			}
		}
		if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%d may be framed: %v", a.status, a.header)
		}
	}
}
