// Package archtest keeps what no single package can see: who may import whom,
// and that the files we deploy with agree with the code.
package archtest

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/joute/joute/"

// graph is what each package imports, tests left out.
type graph map[string][]string

// rooms are in the order of the rule: a package may use its own room and those
// before it. What is in no room (internal/store, …) may be used by all, but
// leads nobody to a later room either.
var rooms = []string{"contest", "antifraud", "voting", "community", "sharing", "internal/live", "internal/web", "cmd"}

// Libraries that have one door each.
const (
	goRedis  = "github.com/redis/go-redis/"
	fiber    = "github.com/gofiber/fiber/"
	fasthttp = "github.com/valyala/fasthttp"
)

var doors = map[string][]string{
	fiber:    {"internal/web", "internal/benchmark"}, // a server, and what it is measured beside
	fasthttp: {"internal/web", "internal/client"},    // a server and a client
	goRedis: {
		"internal/store", "internal/redistest", "internal/benchmark", "contest/registry", "voting/ballotbox", "voting/codes", "antifraud/gate", "community/fans", "sharing/captains", "sharing/reach",
	},
}

// pure packages are the product's own rules: they know no database and no web.
var (
	pure     = []string{"contest", "antifraud", "voting", "voting/ledger", "community", "sharing", "internal/farmlab"}
	unwanted = []string{goRedis, fiber, fasthttp, module + "internal/store", module + "internal/live", module + "internal/web"}
)

// faults says where g breaks the rule, one line each.
func faults(g graph) []string {
	var found []string
	for pkg, imports := range g {
		name, ours := strings.CutPrefix(pkg, module)
		if !ours {
			continue
		}
		for library, allowed := range doors {
			if uses(imports, library) && !slices.ContainsFunc(allowed, func(room string) bool { return inside(name, room) }) {
				found = append(found, fmt.Sprintf("%s imports %s, which only %s may", name, library, strings.Join(allowed, ", ")))
			}
		}
		reached := g.reach(pkg)
		if slices.Contains(pure, name) {
			for _, library := range unwanted {
				if uses(reached, library) {
					found = append(found, fmt.Sprintf("%s must stay pure, and reaches %s", name, library))
				}
			}
		}
		if here := room(name); here >= 0 {
			for _, other := range reached {
				if there := room(strings.TrimPrefix(other, module)); strings.HasPrefix(other, module) && there > here {
					found = append(found, fmt.Sprintf("%s turns the arrow: it reaches %s", name, other))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

func (g graph) reach(pkg string) []string {
	seen := map[string]bool{pkg: true}
	for next := []string{pkg}; len(next) > 0; next = next[1:] {
		for _, imported := range g[next[0]] {
			if !seen[imported] {
				seen[imported] = true
				next = append(next, imported)
			}
		}
	}
	delete(seen, pkg)
	all := make([]string, 0, len(seen))
	for imported := range seen {
		all = append(all, imported)
	}
	return all
}

func room(name string) int {
	return slices.IndexFunc(rooms, func(room string) bool { return inside(name, room) })
}

func inside(name, room string) bool { return name == room || strings.HasPrefix(name, room+"/") }

func uses(imports []string, library string) bool {
	library = strings.TrimSuffix(library, "/")
	return slices.ContainsFunc(imports, func(imported string) bool { return inside(imported, library) })
}

func TestDependenciesKeepTheRule(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "./...")
	list.Dir = "../.."
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	g := graph{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		g[fields[0]] = fields[1:]
	}
	for _, must := range []string{"contest", "antifraud", "voting", "internal/store"} {
		if _, ok := g[module+must]; !ok {
			t.Errorf("go list shows no package %s: this test sees nothing", must)
		}
	}
	for _, fault := range faults(g) {
		t.Error(fault)
	}
}

func TestTheRuleComplains(t *testing.T) {
	for _, c := range []struct {
		name  string
		graph graph
		fault string // "" = none
	}{
		{"everything allowed", graph{
			module + "cmd/joute":         {module + "internal/web", module + "contest/registry"},
			module + "internal/web":      {module + "voting", fiber + "v2", fasthttp},
			module + "contest/registry":  {module + "contest", module + "internal/store", goRedis + "v9"},
			module + "internal/store":    {goRedis + "v9"},
			module + "voting":            {module + "contest", module + "antifraud"},
			module + "voting/ballotbox":  {module + "voting", goRedis + "v9"},
			"github.com/someone/library": {fiber + "v2"},
		}, ""},
		{"turned", graph{module + "contest": {module + "voting"}}, "contest turns the arrow"},
		{"turned below a root", graph{module + "contest/registry": {module + "voting/ballotbox"}}, "contest/registry turns the arrow"},
		{"turned round a corner", graph{module + "voting": {module + "internal/x"}, module + "internal/x": {module + "internal/web"}}, "voting turns the arrow"},
		{"Redis in a root, round a corner", graph{module + "contest": {module + "internal/x"}, module + "internal/x": {"github.com/y"}, "github.com/y": {goRedis + "v9"}}, "contest must stay pure"},
		{"store in a root", graph{module + "antifraud": {module + "internal/store"}}, "antifraud must stay pure"},
		{"fiber in a command", graph{module + "cmd/joute": {fiber + "v2/middleware/cors"}}, "cmd/joute imports " + fiber},
		{"fasthttp in live", graph{module + "internal/live": {fasthttp}}, "internal/live imports " + fasthttp},
		{"Redis in web", graph{module + "internal/web": {goRedis + "v9"}}, "internal/web imports " + goRedis},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(faults(c.graph), "\n")
			if (c.fault == "") != (got == "") || !strings.Contains(got, c.fault) {
				t.Errorf("faults: %q, want %q", got, c.fault)
			}
		})
	}
}
