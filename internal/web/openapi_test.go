package web

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
)

var fiberParam = regexp.MustCompile(`:([a-z]+)`)

// described is /openapi.json as a tree.
func described(t testing.TB) map[string]any {
	t.Helper()
	var d map[string]any
	must(t, json.Unmarshal(openAPI, &d))
	return d
}

func at(t testing.TB, tree map[string]any, path ...string) map[string]any {
	t.Helper()
	for _, name := range path {
		next, ok := tree[name].(map[string]any)
		if !ok {
			t.Fatalf("nothing at %s of %v", name, path)
		}
		tree = next
	}
	return tree
}

// pagePath tells the pages, which are for people, from the API.
func pagePath(path string) bool {
	return path == "/" || !strings.HasPrefix(path, "/v1/") && !slices.Contains([]string{"/livez", "/readyz", "/metrics", "/openapi.json"}, path)
}

func TestOpenAPI_DescribesEveryRouteAndNoOther(t *testing.T) {
	e := start(t)
	var routes []string
	for _, r := range e.server.app.GetRoutes(true) {
		if r.Method != "HEAD" && r.Method != "OPTIONS" && !pagePath(r.Path) {
			routes = append(routes, r.Method+" "+fiberParam.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	var calls, ids []string
	for path, methods := range at(t, described(t), "paths") {
		for method, op := range methods.(map[string]any) {
			calls = append(calls, strings.ToUpper(method)+" "+path)
			operation := op.(map[string]any)
			ids = append(ids, operation["operationId"].(string))
			checkParameters(t, path, operation)
		}
	}
	slices.Sort(routes)
	slices.Sort(calls)
	slices.Sort(ids)
	if !slices.Equal(routes, calls) {
		t.Errorf("routes    %v\ndescribed %v", routes, calls)
	}
	if len(slices.Compact(ids)) != len(calls) {
		t.Errorf("operation ids are not unique: %v", ids)
	}
}

// checkParameters holds a path against the parameters that are described for it.
func checkParameters(t *testing.T, path string, operation map[string]any) {
	t.Helper()
	list, _ := operation["parameters"].([]any)
	for _, m := range regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(path, -1) {
		if !slices.ContainsFunc(list, func(p any) bool { return p.(map[string]any)["$ref"] == "#/components/parameters/"+m[1] }) {
			t.Errorf("%s: parameter %s is not described", path, m[1])
		}
	}
}

func TestOpenAPI_EveryReferenceResolvesAndEveryComponentIsUsed(t *testing.T) {
	d := described(t)
	used := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				path := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
				at(t, d, path...)
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(d)
	for _, kind := range []string{"schemas", "responses", "parameters"} {
		for name := range at(t, d, "components", kind) {
			if !used["#/components/"+kind+"/"+name] {
				t.Errorf("%s %s is used nowhere", kind, name)
			}
		}
	}
}

// A member that the description lacks is one that it forbids.
func TestOpenAPI_DescribesEveryMemberOfAClient(t *testing.T) {
	described := at(t, described(t), "components", "schemas", "Ballot", "properties", "client", "properties")
	for member := range reflect.TypeFor[antifraud.Client]().Fields() {
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		if described[name] == nil {
			t.Errorf("client.%s is not described", name)
		}
		delete(described, name)
	}
	if len(described) > 0 {
		t.Errorf("described, and unknown to the parser: %v", described)
	}
}

// A policy names signals by weight: who writes one has to know which there are.
func TestOpenAPI_SignalsAreThoseOfPoliciesAndTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/ANTIFRAUD.md")
	must(t, err)
	var signals []any
	for _, signal := range contest.Signals {
		signals = append(signals, string(signal))
		if !bytes.Contains(page, []byte("`"+signal+"`")) {
			t.Errorf("docs/ANTIFRAUD.md does not tell of the signal %s", signal)
		}
	}
	if described := regexp.MustCompile(`"propertyNames": \{"enum": (\[[^\]]*\])`).FindSubmatch(openAPI); described == nil {
		t.Error("no signals are described")
	} else if want, err := json.Marshal(signals); err != nil || string(want) != strings.ReplaceAll(string(described[1]), ", ", ",") {
		t.Errorf("described %s, there are %s", described[1], want)
	}
}

func TestOpenAPI_ProblemCodesAreTheCatalogues(t *testing.T) {
	var codes []string
	for _, code := range at(t, described(t), "components", "schemas", "Problem", "properties", "code")["enum"].([]any) {
		codes = append(codes, code.(string))
	}
	if want := catalogueCodes(t); !slices.Equal(codes, want) {
		t.Errorf("described %v\nhave texts %v", codes, want)
	}
}

// anyCall are the codes that every call may answer: they stand behind `default`.
var anyCall = []string{"method-not-allowed", "unsupported-media-type", "internal-error", "overloaded", "too-large"}

// toldRefusals is what /openapi.json says of each refusal: by method and path, and status.
var toldRefusals = sync.OnceValue(func() map[string]map[int]string {
	var tree struct {
		Paths      map[string]map[string]struct{ Responses map[string]toldResponse }
		Components struct{ Responses map[string]toldResponse }
	}
	if err := json.Unmarshal(openAPI, &tree); err != nil {
		panic(err)
	}
	all := map[string]map[int]string{}
	for path, methods := range tree.Paths {
		for method, operation := range methods {
			said := map[int]string{}
			for status, one := range operation.Responses {
				if name, ok := strings.CutPrefix(one.Ref, "#/components/responses/"); ok {
					one = tree.Components.Responses[name]
				}
				if n, err := strconv.Atoi(status); err == nil {
					said[n] = one.Description
				}
			}
			all[strings.ToUpper(method)+" "+path] = said
		}
	}
	return all
})

type toldResponse struct {
	Ref         string `json:"$ref"`
	Description string
}

// told tells whether /openapi.json says of a call that it may be refused so: each refusal
// of the API that a test here gets by do is held against it.
func told(method, path string, status int, code string) bool {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for call, said := range toldRefusals() {
		described, at, _ := strings.Cut(call, " ")
		fits := func(name, part string) bool { return name == part || strings.HasPrefix(name, "{") && part != "" }
		if described == method && slices.EqualFunc(strings.Split(at, "/"), parts, fits) {
			return strings.Contains(said[status], "`"+code+"`") || slices.Contains(anyCall, code)
		}
	}
	return true // no call of the API
}

func TestOpenAPI_ExamplesFitTheirSchemas(t *testing.T) {
	examples := 0
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			if example, ok := v["example"]; ok {
				schema, _ := v["schema"].(map[string]any)
				name, _ := schema["$ref"].(string)
				examples++
				if err := schemaOf(t, strings.TrimPrefix(name, "#/components/schemas/")).Validate(example); err != nil {
					t.Errorf("%v", err)
				}
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(described(t))
	if examples < 30 {
		t.Errorf("only %d examples were looked at", examples)
	}
}

// schemaOf compiles a component's schema.
func schemaOf(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	must(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	must(t, compiler.AddResource("mem:///openapi.json", tree))
	schema, err := compiler.Compile("mem:///openapi.json#/components/schemas/" + name)
	must(t, err)
	return schema
}

// fits checks a real answer against a component's schema.
func (a answer) fits(name string) answer {
	a.t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	must(a.t, err)
	if err := schemaOf(a.t, name).Validate(value); err != nil {
		a.t.Errorf("%s\n%v", a.body, err)
	}
	return a
}

func TestOpenAPI_RealAnswersFit(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"rules":{"ballots":{"max":2,"per":"day"},"undo":"10m"}`)
	e.do("GET", "/v1/contests", "").want(200, "").fits("ContestList")
	e.do("GET", path, "").want(200, "").fits("ContestView")
	e.do("PUT", path, contestText(newID(), ""), asOrganizer).want(400, "invalid-request").fits("Problem")
	e.do("PUT", path, contestText(id, `,"boxes":2`), asOrganizer).want(409, "fixed-while-open").fits("Problem")
	pass, b := e.pass(path), newBallot()
	e.do("POST", path+"/passes", `{"level":"device"}`).want(201, "").fits("Pass")
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "").fits("Cast")
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(200, "").fits("Cast")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(409, "already-voted").fits("Problem")
	e.do("GET", path+"/ballots/"+b, "", pass).want(200, "").fits("Standing")
	e.do("GET", path+"/leaderboard", "").want(200, "").fits("Leaderboard")
	e.do("GET", path+"/leaderboard", "", asOrganizer).want(200, "").fits("Leaderboard")
	e.do("POST", path+"/standings", `{"ballots":["`+b+`"],"standing":"void","reason":"farm"}`, asOrganizer).want(200, "").fits("StandingsAnswer")
	e.do("DELETE", path+"/ballots/"+b, "", pass).want(409, "undo-expired").fits("Problem")
	for _, stream := range []struct{ path, schema string }{{"/ledger", "LedgerRecord"}, {"/evidence", "LogLine"}} {
		lines := bytes.Split(bytes.TrimSpace(e.do("GET", path+stream.path, "", asOrganizer).want(200, "").body), []byte("\n"))
		if len(lines) < 2 {
			t.Errorf("%s: %q", stream.path, lines)
		}
		for _, line := range lines {
			answer{t: t, body: line}.fits(stream.schema)
		}
	}
	e.do("POST", path+"/close", "", asOrganizer).want(200, "").fits("ContestView")
	e.do("POST", path+"/publish", "", asOrganizer).want(200, "").fits("ContestView")
	e.do("GET", path+"/leaderboard", "").want(200, "").fits("Leaderboard")
	e.do("GET", "/livez", "").want(200, "").fits("Live")
	e.do("GET", "/readyz", "").want(200, "").fits("Ready")
	if got := e.do("GET", "/openapi.json", "").want(200, ""); !bytes.Equal(got.body, openAPI) {
		t.Error("another document is served")
	}
}

// wholeDocument has every member of a contest document that is not a default.
const wholeDocument = `{"id":"whole","title":{"fr":"Tout"},"brand":"B","accent":"teal","locale":"en","timezone":"Europe/Brussels","format":"teams",
	"phases":{"entries":{"opens":"2026-01-01T00:00:00Z","closes":"2026-01-02T00:00:00Z"},"voting":{"opens":"2026-01-03T00:00:00Z","closes":"2026-01-04T00:00:00Z"}},
	"rules":{"ballots":{"max":1000000,"per":"day"},"per_entry":1,"undo":"10m"},"identity":"email","partner":{"secret":"01234567890123456789012345678901"},
	"scoring":{"schools":{"by":"per_student","per":10,"best_entries":3},"ties":"earliest"},"results":{"visibility":"after_close","freeze":"2h"},
	"embed":{"origins":["https://blog.example.org"],"only":true},"community":{"name":"N","opt_in":"I join","under_15":"parent","show_fans":false},
	"antifraud":{"policy":"strict","hold":"2h","campuses":[{"school":"s","cidrs":["192.0.2.0/24"]}],"presence_uses":5,"canaries":["00000000000000000000000000"]},
	"boxes":2,"links":{"rules":"https://example.org/r","privacy":"https://example.org/p","contact":"a@example.org"},
	"schools":[{"id":"s","name":"S","city":"Lyon","students":9,"email_domains":["edu.example"],"colour":"#123"}],
	"entries":[{"id":"e","school":"s","title":"E","authors":["A"],"video":"https://vimeo.com/100000001","hidden":true}]}`

// The schema of a contest document says what the parser does: its members and no other, which are
// required, the defaults, the bounds of numbers and of texts.
func TestOpenAPI_TheContestDocumentIsTheParsers(t *testing.T) {
	var tree map[string]any
	must(t, json.Unmarshal([]byte(wholeDocument), &tree))
	parsed := func() (*contest.Contest, error) {
		text, err := json.Marshal(tree)
		must(t, err)
		return contest.Parse(text)
	}
	whole, err := parsed()
	must(t, err)
	answer{t: t, body: whole.DocumentWithSecret()}.fits("Contest")

	organizing, err := os.ReadFile("../../docs/ORGANIZING.md")
	must(t, err)
	looked := 0
	var walk func(path string, schema map[string]any, in map[string]any)
	walk = func(path string, schema map[string]any, in map[string]any) {
		members := at(t, schema, "properties")
		for name := range in {
			if members[name] == nil {
				t.Errorf("%s%s is not described", path, name)
			}
		}
		if schema["additionalProperties"] != false {
			t.Errorf("%s: the parser refuses unknown members", path)
		}
		required, _ := schema["required"].([]any)
		for name, described := range members {
			looked++
			one, before := described.(map[string]any), in[name]
			if before == nil {
				t.Fatalf("%s%s is not in the whole document", path, name)
			}
			if !regexp.MustCompile("[`.]" + name + "[`.]").Match(organizing) {
				t.Errorf("docs/ORGANIZING.md does not tell of %s%s", path, name)
			}
			try := func(value any, good bool) {
				t.Helper()
				in[name] = value
				if _, err := parsed(); (err == nil) != good {
					t.Errorf("%s%s = %.40v: %v", path, name, value, err)
				}
			}
			if least, ok := one["minimum"].(float64); ok {
				try(least, true)
				try(least-1, false)
				try(one["maximum"].(float64), true)
				try(one["maximum"].(float64)+1, false)
			}
			if most, ok := one["maxLength"].(float64); ok {
				try(strings.Repeat("x", int(most)), true)
				try(strings.Repeat("x", int(most)+1), false)
			}
			delete(in, name)
			without, err := parsed()
			if (err != nil) != slices.Contains(required, any(name)) && name != "students" {
				t.Errorf("%s%s is left out: %v", path, name, err)
			}
			if want, ok := one["default"]; ok {
				if err != nil {
					t.Errorf("%s%s has a default: %v", path, name, err)
				} else if got := defaultAt(t, without, path+name); got != want && (got != nil || want != false) {
					t.Errorf("%s%s is %v by default, described %v", path, name, got, want)
				}
			}
			in[name] = before
			switch inside := before.(type) {
			case map[string]any:
				if one["$ref"] == nil {
					walk(path+name+".", one, inside)
				}
			case []any:
				if object, ok := inside[0].(map[string]any); ok {
					walk(path+name+".", at(t, one, "items"), object)
				}
			}
		}
	}
	walk("", at(t, described(t), "components", "schemas", "Contest"), tree)
	if looked < 60 {
		t.Errorf("only %d members were looked at", looked)
	}
}

// defaultAt is what a contest's document has at a path of names; in lists it is the first one's.
func defaultAt(t *testing.T, c *contest.Contest, path string) any {
	t.Helper()
	var at any
	must(t, json.Unmarshal(c.Document(), &at))
	for name := range strings.SplitSeq(path, ".") {
		if list, ok := at.([]any); ok {
			at = list[0]
		}
		at = at.(map[string]any)[name]
	}
	return at
}
