package contest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestParse_HostileInputIsRefusedInTime feeds 4 MiB, the most a caller lets
// through, of what makes parsers quadratic or deep. Without the checks before
// the YAML parser several of these take minutes, or all the memory there is.
func TestParse_HostileInputIsRefusedInTime(t *testing.T) {
	const size = 4 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, doc := range map[string]string{
		"deep json lists":       `{"a":` + fill("["),
		"deep json objects":     fill(`{"a":`),
		"wide json":             `{"a":[` + fill("0,") + `0]}`,
		"json of one member":    `{` + fill(`"a":0,`) + `"a":0}`,
		"deep flow":             "a: " + fill("["),
		"deep flow, 10,000":     "a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
		"deep flow maps":        "a: " + fill("{a: "),
		"deep flow alone":       fill("{a: "),
		"deep flow lists alone": "{a: " + fill("["),
		"wide flow alone":       "{" + fill("bbbbbbbbb: cccccccccc, ") + "}",
		"flow and comments":     "{" + fill("bbbbbbbbb: c, # c\n") + "}",
		"deep dashes":           fill("- "),
		"dashes, 10,000 deep":   strings.Repeat("- ", 10_000),
		"deep indentation":      staircase(size),
		"question marks":        fill("? "),
		"colons":                fill(": "),
		"many names":            fill("aaaaaaaaaaaaa: bbbbbbbbbbbbbb\n"),
		"many different names":  numbered(130_000),
		"names and comments":    fill("aaaaaaaaaaaaa: b # cccccccccccc\n"),
		"quotes":                fill(`"`),
		"quoted lines":          fill("\"aaaaaaaaaaaaaa\"\n"),
		"closing":               fill("]"),
		"crossed brackets":      "a: " + fill("[}"),
		"commas":                "a: [" + fill(","),
		"wide flow":             "a: [" + fill("bbbbbbbbbbbbbbb, ") + "]",
		"wide flow map":         "a: {" + fill("bbbbbbbbb: cccccccccc, ") + "}",
		"wide block":            "a:\n" + fill("- bbbbbbbbbbbbbb\n"),
		"anchors":               fill("&a "),
		"a billion laughs":      "a: &a [x,x,x,x,x,x,x,x,x]\nb: [*a,*a,*a,*a]\n",
		"tags":                  fill("!!str "),
		"documents":             fill("---\n"),
		"one long word":         "a: " + fill("b"),
		"one long quoted text":  "a: \"" + fill("b") + "\"",
		"one long literal":      "a: |\n" + fill("  bbbbb\n"),
		"one folded text":       "a:\n" + fill("  bbbbb\n"),
		"blank lines":           "a:" + fill("\n"),
		"tabs":                  "a:" + fill("\t"),
		"single quotes":         "a: '" + fill("''"),
		"escapes":               "a: \"" + fill(`\u00e9`) + "\"",
		"pipes":                 fill("|\n"),
		"objects as list items": "schools:\n" + fill("  - id: aaaaaaaaaaaaaaaaa\n    name: bbbbbbbbbbbbbbb\n"),
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan error, 1)
			go func() {
				_, err := Parse([]byte(doc))
				done <- err
			}()
			select {
			case err := <-done:
				if faults := (Faults)(nil); !errors.As(err, &faults) || len(faults) == 0 {
					t.Errorf("expected faults, got %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("still reading after a minute")
			}
		})
	}
}

// staircase nests one block map in the next until the indentation fills size.
func staircase(size int) string {
	var b strings.Builder
	for depth := 0; b.Len() < size; depth++ {
		b.WriteString(strings.Repeat(" ", depth) + "a:\n")
	}
	return b.String()
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("name-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + ": value of this one\n")
	}
	return b.String()
}

// TestParse_TheLargestHonestContest keeps the limits above from refusing it.
func TestParse_TheLargestHonestContest(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("id: largest\ntitle: T\nphases: {voting: {opens: 2026-01-01T00:00:00Z, closes: 2026-02-01T00:00:00Z}}\nschools:\n")
	for i := range 512 {
		fmt.Fprintf(&doc, "  - id: school-%d\n    name: \"École n° %d\"\n    students: 1000\n", i, i)
	}
	doc.WriteString("entries:\n")
	for i := range 10_000 {
		fmt.Fprintf(&doc, "  - id: entry-%d\n    school: school-%d\n    title: \"Entrée %d, la vraie\"\n    authors: [", i, i%512, i)
		for a := range maxAuthors {
			fmt.Fprintf(&doc, "\"Zoé %d\", ", a)
		}
		fmt.Fprintf(&doc, "]\n    video: \"https://www.youtube.com/watch?v=AAAAAAAAAA1\"\n")
	}
	if doc.Len() > 4<<20 {
		t.Fatalf("%d bytes: a caller would not let it through", doc.Len())
	}
	c := mustParse(t, doc.String())
	if len(c.Schools) != 512 || len(c.Entries) != 10_000 || len(c.Entries[9_999].Authors) != maxAuthors {
		t.Errorf("%d schools, %d entries", len(c.Schools), len(c.Entries))
	}
	if string(mustParse(t, string(c.Document())).Document()) != string(c.Document()) {
		t.Error("its document is not read back as it was")
	}
}
