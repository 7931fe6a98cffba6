package web

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// families are the messages whose ids are put together: what a literal that ends
// in a dot, or that is only the beginning of an id, may be followed by.
var families = map[string][]string{
	"page.phase.": {string(contest.PhaseUpcoming), string(contest.PhaseEntries), string(contest.PhaseBetween), string(contest.PhaseVoting), string(contest.PhaseClosed),
		string(contest.PhasePublished)},
	"page.":            {"counted", "held", "void", "withdrawn", "counted.title", "held.title", "void.title", "withdrawn.title", "frozen", "hidden.after_ballot", "hidden.after_close"},
	"frame.":           {"frozen", "hidden.after_ballot", "hidden.after_close"},
	"page.identity.":   {string(contest.LevelEmail), string(contest.LevelPartner)},
	"page.rules.":      {string(contest.PerContest), string(contest.PerDay), string(contest.PerHour)},
	"page.ties.":       {string(contest.TiesShared), string(contest.TiesEarliest)},
	"page.already":     {".never"},
	"page.next":        {".never"},
	"embed.lang.":      {"auto", "fr", "en"},
	"embed.theme.":     {"auto", "light", "dark"},
	"receipt.":         {string(voting.Counted), string(voting.Held), string(voting.Void), string(voting.Withdrawn)},
	"receipt.next.":    {string(voting.Counted), string(voting.Held), string(voting.Void), string(voting.Withdrawn)},
	"receipt.reason":   afterDot(reasonsTold),
	"result.equal.":    {string(contest.TiesShared), string(contest.TiesEarliest)},
	"card.of.":         {"e", "s", "shared"},
	"tv.":              {"day", "hour", "minute", "second"},
	"tv.ended":         {".today"},
	"tv.frozen":        {".today"},
	"tv.on_day":        {".today"},
	"tv.hidden.":       {string(contest.VisibleLive), string(contest.VisibleAfterBallot), string(contest.VisibleAfterClose)},
	"held.level.":      {string(contest.LevelDevice), string(contest.LevelEmail), string(contest.LevelPartner)},
	"held.from.":       {"site", "search", "social", "share", "embed", "direct"},
	"held.family.":     {"account", "network", "device", "provenance", "tempo", "structure", "proof"},
	"held.did.":        {string(voting.Counted), string(voting.Void)},
	"problem.":         nil, // by code and say: see problems
	"captain.channel.": channelIDs(),
	"captain.in.":      {"en", "fr"},
}

func channelIDs() (ids []string) {
	for _, channel := range sharing.Channels {
		ids = append(ids, string(channel))
	}
	return ids
}

func afterDot(names []string) (out []string) {
	for _, name := range names {
		out = append(out, "."+name)
	}
	return out
}

// idShape is a literal that can only be a message id, or its beginning. Names of
// files have a dot too.
var idShape = regexp.MustCompile(`^[a-z]+(\.[a-z0-9_-]+)*\.?$`)
var fileShape = regexp.MustCompile(`\.(html|css|js|svg|json|yml|yaml|txt)$`)

// templateID is an id in a template: of Say, Count, or put together by print.
var templateID = regexp.MustCompile(`(?:\.(?:Say|Count)|print) "([^"]*)"`)

// literals are the ids that templates and refusals name, and every string of the
// sources.
func literals(t testing.TB, files fs.FS) (ids, strs []string) {
	t.Helper()
	must(t, fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		must(t, err)
		if entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(files, path)
		must(t, err)
		switch {
		case strings.HasSuffix(path, ".html"):
			for _, m := range templateID.FindAllSubmatch(text, -1) {
				ids = append(ids, string(m[1]))
			}
		case strings.HasSuffix(path, ".go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
			must(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if n.Kind == token.STRING {
						value, err := strconv.Unquote(n.Value)
						must(t, err)
						strs = append(strs, value)
					}
				case *ast.CompositeLit:
					if fmt.Sprint(n.Type) == "problem" {
						ids = append(ids, refusals(n)...)
					}
				}
				return true
			})
		}
		return nil
	}))
	return ids, strs
}

// faultsOf holds ids that are used against a catalogue: those it lacks, and those
// that nothing uses.
func faultsOf(t testing.TB, files fs.FS, catalogue map[string]bool) (faults []string) {
	t.Helper()
	ids, strs := literals(t, files)
	first := map[string]bool{}
	for id := range catalogue {
		family, _, _ := strings.Cut(id, ".")
		first[family] = true
	}
	used := map[string]bool{}
	for _, text := range strs {
		family, _, found := strings.Cut(text, ".")
		if catalogue[text] || found && first[family] && idShape.MatchString(text) && !fileShape.MatchString(text) {
			ids = append(ids, text)
		}
		// A refusal's code may come from anywhere.
		used["problem."+text], used["problem."+text+".title"] = true, true
	}
	// And those of the contract that come from elsewhere, or will.
	for _, code := range []voting.Code{voting.AlreadyVoted, voting.BallotReused, voting.PhaseClosed, voting.IdentityLevel, voting.UndoExpired, voting.ChallengeRequest, voting.Rejected, "rate-limited"} {
		strs = append(strs, string(code))
		used["problem."+string(code)], used["problem."+string(code)+".title"] = true, true
	}
	for id := range catalogue { // problem.CODE.SAY
		if code, say, found := strings.Cut(strings.TrimPrefix(id, "problem."), "."); found && slices.Contains(strs, code) && slices.Contains(strs, say) {
			used[id] = true
		}
	}
	for _, id := range ids {
		used[id] = true
		rest, family := families[id]
		for _, end := range rest {
			used[id+end] = true
			if !catalogue[id+end] {
				faults = append(faults, "missing "+id+end)
			}
		}
		if !catalogue[id] && !family {
			faults = append(faults, "missing "+id)
		}
	}
	for id := range catalogue {
		if !used[id] {
			faults = append(faults, "unused "+id)
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func catalogueIDs(t testing.TB, lang string) map[string]bool {
	ids := map[string]bool{}
	for id := range texts(t, lang) {
		id, _, _ = strings.Cut(id, "/") // a plural form
		ids[id] = true
	}
	return ids
}

func TestTexts_EachIsUsedAndEachUsedIsThere(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		for _, fault := range faultsOf(t, os.DirFS("."), catalogueIDs(t, lang)) {
			t.Errorf("%s.json: %s", lang, fault)
		}
	}
}

// The control: the same look finds a message that was taken away, wherever it is
// used, and one that was left behind.
func TestTexts_AMissingAndAnUnusedOneAreFound(t *testing.T) {
	whole := catalogueIDs(t, "en")
	for _, id := range []string{
		"page.vote", "entry.film", "receipt.held", "receipt.reason.lockstep", "page.phase.voting", "page.next.never", "problem.not-found.receipt", "span.day", "frame.votes",
	} {
		without := maps.Clone(whole)
		delete(without, id)
		if got := faultsOf(t, os.DirFS("."), without); !slices.Equal(got, []string{"missing " + id}) {
			t.Errorf("without %s: %v", id, got)
		}
		with := maps.Clone(whole)
		with[id+".old"] = true
		if got := faultsOf(t, os.DirFS("."), with); !slices.Equal(got, []string{"unused " + id + ".old"}) {
			t.Errorf("with %s.old: %v", id, got)
		}
	}
}

// unsaid are the reasons that need no sentence of their own: of the organizers' own
// policy the general one is true, and what is counted again is not told why.
var unsaid = []antifraud.Reason{antifraud.ReasonPolicy, antifraud.ReasonCleared, antifraud.ReasonUnconfirmed}

// A reason without a sentence is told as a decision of the organizers', who would be
// asked about what is none of theirs.
func TestTexts_EachReasonIsToldToVotersAndInTheDocs(t *testing.T) {
	var docs []byte
	for _, page := range []string{"ANTIFRAUD.md", "ORGANIZING.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		must(t, err)
		docs = append(docs, text...)
	}
	text, err := os.ReadFile("../../antifraud/reasons.go")
	must(t, err)
	found := regexp.MustCompile(`(?m)^\tReason\w+ +Reason = "([a-z-]+)"`).FindAllSubmatch(text, -1)
	if len(found) < len(reasonsTold)+len(unsaid) {
		t.Fatalf("only %d reasons were found", len(found))
	}
	for _, m := range found {
		reason := string(m[1])
		if slices.Contains(reasonsTold, reason) == slices.Contains(unsaid, reason) {
			t.Errorf("%s: it needs a sentence, receipt.reason.%s and a place in reasonsTold, or a place in unsaid", reason, reason)
		}
		if !bytes.Contains(docs, []byte("`"+reason+"`")) {
			t.Errorf("no page of docs tells of the reason %s", reason)
		}
	}
}

// Spaces before French marks do not break, and both languages are sorted.
func TestTexts_FrenchMarksAndOrder(t *testing.T) {
	breaks := regexp.MustCompile(` [:;?!»]|« |[^\s\x{a0}\x{202f}(:/]\?$`)
	for id, text := range texts(t, "fr") {
		if breaks.MatchString(text) {
			t.Errorf("%s: a space that breaks, or none: %q", id, text)
		}
	}
	for _, wrong := range []string{"Oui !", "« Oui", "Quoi?"} {
		if !breaks.MatchString(wrong) {
			t.Errorf("%q is taken for right", wrong)
		}
	}
	for _, lang := range []string{"en", "fr"} {
		raw, err := locales.ReadFile("locales/" + lang + ".json")
		must(t, err)
		var ids []string
		for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(raw), -1) {
			ids = append(ids, m[1])
		}
		if !slices.IsSorted(ids) {
			t.Errorf("%s.json is not sorted", lang)
		}
		if len(slices.Compact(slices.Clone(ids))) != len(catalogueIDs(t, lang)) {
			t.Errorf("%s.json has an id twice", lang)
		}
	}
}

// refusals are the messages of a refusal that the sources spell out.
func refusals(made *ast.CompositeLit) []string {
	said := map[string]string{}
	for _, element := range made.Elts {
		pair, isPair := element.(*ast.KeyValueExpr)
		if !isPair {
			continue
		}
		if value, isText := pair.Value.(*ast.BasicLit); isText && value.Kind == token.STRING {
			said[fmt.Sprint(pair.Key)] = "." + strings.Trim(value.Value, `"`)
		}
	}
	if said["code"] == "" {
		return nil
	}
	return []string{"problem" + said["code"] + ".title", "problem" + said["code"] + said["say"]}
}
