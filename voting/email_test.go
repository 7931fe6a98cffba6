package voting

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/joute/joute/contest"
)

type typed struct {
	line            int
	text, canonical string
	fault           string
}

// typedEmails reads testdata/emails.txt.
func typedEmails(t testing.TB) (rows []typed) {
	t.Helper()
	text, err := os.ReadFile("testdata/emails.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "## ") {
			continue
		}
		at := strings.LastIndex(line, " -> ")
		if at < 0 {
			t.Fatalf("line %d: no arrow", i+1)
		}
		row := typed{line: i + 1, text: line[:at], canonical: line[at+len(" -> "):]}
		if quoted, found := strings.CutPrefix(row.text, "q:"); found {
			if row.text, err = strconv.Unquote(quoted); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
		}
		if fault, found := strings.CutPrefix(row.canonical, "! "); found {
			row.canonical, row.fault = "", fault
		}
		rows = append(rows, row)
	}
	if len(rows) < 200 {
		t.Fatalf("only %d rows", len(rows))
	}
	return rows
}

func TestParseEmail_CanonicalFormOrTheFault(t *testing.T) {
	for _, row := range typedEmails(t) {
		e, err := ParseEmail(row.text)
		switch {
		case row.fault == "" && err != nil:
			t.Errorf("line %d: %q: %v", row.line, row.text, err)
		case row.fault == "" && e.Canonical() != row.canonical:
			t.Errorf("line %d: %q is %s, want %s", row.line, row.text, e.Canonical(), row.canonical)
		case row.fault != "" && err == nil:
			t.Errorf("line %d: %q is taken for %s", row.line, row.text, e.Canonical())
		case row.fault != "" && (!errors.Is(err, ErrEmail) || !strings.Contains(err.Error(), row.fault) || !e.IsZero()):
			t.Errorf("line %d: %q: %v, want ErrEmail and %q", row.line, row.text, err, row.fault)
		}
		if long := strings.TrimSpace(row.text); err != nil && len(long) > 8 && strings.Contains(err.Error(), long) {
			t.Errorf("line %d: the error quotes what was typed: %v", row.line, err)
		}
		if errors.Is(err, ErrEmailLetters) != (row.fault == "unaccented") {
			t.Errorf("line %d: %v", row.line, err)
		}
	}
}

func TestParseEmail_Lengths(t *testing.T) {
	label := strings.Repeat("d", 63)
	domain := label + "." + label + "." + label // 191 bytes
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"64 before the @", strings.Repeat("a", 64) + "@example.org", true},
		{"65 before the @", strings.Repeat("a", 65) + "@example.org", false},
		{"a label of 63", "a@" + label + ".org", true},
		{"a label of 64", "a@d" + label + ".org", false},
		{"254 in all", strings.Repeat("a", 254-1-191) + "@" + domain, true},
		{"255 in all", strings.Repeat("a", 255-1-191) + "@" + domain, false},
		{"a label of 64 once it is ASCII", "a@" + strings.Repeat("é", 60) + ".org", false},
		{"10 KB", strings.Repeat("a", 10<<10) + "@example.org", false},
		{"10 KB of spaces", strings.Repeat(" ", 10<<10) + "a@example.org", false},
	} {
		if _, err := ParseEmail(c.text); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrEmail) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEmail_DeliversWhatWasTyped(t *testing.T) {
	e, err := ParseEmail(" A.da+Vote@GoogleMail.com ")
	if err != nil {
		t.Fatal(err)
	}
	if e.Deliver() != "A.da+Vote@googlemail.com" || e.Domain() != "googlemail.com" || e.Canonical() != "ada@gmail.com" {
		t.Error(e.Deliver(), e.Domain(), e.Canonical())
	}
	var none Email
	if none.Deliver() != "" || none.Canonical() != "" || !none.IsZero() {
		t.Error("the zero Email is an address")
	}
}

func TestEmail_NothingThatPrintsItShowsIt(t *testing.T) {
	e, err := ParseEmail("lovelace@analytical.example")
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		E Email
		P *Email
		L []Email
		M map[Email]Email
	}{e, &e, []Email{e}, map[Email]Email{e: e}}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T%v", "%10.3v"} {
		shown = append(shown, fmt.Sprintf(verb, e), fmt.Sprintf(verb, &e), fmt.Sprintf(verb, holder))
	}
	shown = append(shown, fmt.Sprint(e), fmt.Sprintln(holder), fmt.Errorf("sending: %v", e).Error(), e.String(), e.GoString())
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("sent", "to", e, "all", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("sent", "to", e, "all", holder)
	shown = append(shown, string(encoded), log.String())
	for _, text := range shown {
		for _, part := range []string{"lovelace", "analytical", fmt.Sprintf("%x", "lovelace"), fmt.Sprintf("%X", "lovelace")} {
			if strings.Contains(text, part) {
				t.Errorf("shown: %s", text)
			}
		}
	}
	if !strings.Contains(log.String(), hiddenEmail) {
		t.Errorf("nothing was logged: %s", &log)
	}
}

func TestSchoolOf_LongestDomainOnALabelBoundary(t *testing.T) {
	c := &contest.Contest{Schools: []contest.School{
		{ID: "none"},
		{ID: "lumiere", EmailDomains: []string{"lumiere.example", "lumiere-alumni.example"}},
		{ID: "film", EmailDomains: []string{"film.lumiere.example"}},
		{ID: "shared-a", EmailDomains: []string{"campus.example", "a.campus.example"}},
		{ID: "shared-b", EmailDomains: []string{"campus.example"}},
		{ID: "shared-b", EmailDomains: nil},
	}}
	for address, want := range map[string]string{
		"a@lumiere.example":             "lumiere",
		"a@LUMIERE.example":             "lumiere",
		"a@etu.lumiere.example":         "lumiere",
		"a@x.etu.lumiere.example":       "lumiere",
		"a@film.lumiere.example":        "film",
		"a@etu.film.lumiere.example":    "film",
		"a@myfilm.lumiere.example":      "lumiere",
		"a@notlumiere.example":          "",
		"a@lumiere.example.org":         "",
		"a@example.org":                 "",
		"lumiere.example@other.example": "",
		"a@lumiere-alumni.example":      "lumiere",
		"a@campus.example":              "",
		"a@b.campus.example":            "",
		"a@a.campus.example":            "shared-a",
	} {
		e, err := ParseEmail(address)
		if err != nil {
			t.Fatal(err)
		}
		if school, ok := SchoolOf(c, e); school != want || ok != (want != "") {
			t.Errorf("%s is of %q %v, want %q", address, school, ok, want)
		}
	}
	if school, ok := SchoolOf(c, Email{}); ok {
		t.Errorf("no address is of %s", school)
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, row := range typedEmails(f) {
		f.Add(row.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEmail(text)
		if err != nil {
			if !errors.Is(err, ErrEmail) || !e.IsZero() {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, form := range []string{e.Deliver(), e.Canonical()} {
			if strings.ContainsFunc(form, func(r rune) bool { return r <= ' ' || r > '~' }) || len(form) > maxEmail || strings.Count(form, "@") != 1 {
				t.Fatalf("%q becomes %q", text, form)
			}
			again, err := ParseEmail(form)
			if err != nil || again.Canonical() != e.Canonical() {
				t.Fatalf("%q becomes %q, which becomes %q, %v", text, form, again.Canonical(), err)
			}
		}
		if again, _ := ParseEmail(e.Deliver()); again != e {
			t.Fatalf("%q is not what it delivers to", text)
		}
	})
}
