package web

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

func TestOpenAPI_ProblemCodesAreTheCatalogues(t *testing.T) {
	var codes []string
	for _, code := range at(t, described(t), "components", "schemas", "Problem", "properties", "code")["enum"].([]any) {
		codes = append(codes, code.(string))
	}
	if want := catalogueCodes(t); !slices.Equal(codes, want) {
		t.Errorf("described %v\nhave texts %v", codes, want)
	}
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
