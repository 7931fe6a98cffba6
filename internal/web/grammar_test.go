package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/joute/joute/contest"
)

// JSON texts by RFC 8259, as values of a member; our own, by its grammar rule for
// rule.
var (
	mustAccept = []string{
		`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `10`, `123456789`, `0.5`, `-0.5`, `0.0`, `1.25`, `1e1`, `1E1`, `1e+1`, `1e-1`, `1E+2`, `1E-2`, `0e0`, `0E+0`, `-0e-0`, `1.5e3`, `123e45`,
		`""`, `"a"`, `"é"`, `"日本"`, `"👍"`, `"\""`, `"\\"`, `"\/"`, `"\b"`, `"\f"`, `"\n"`, `"\r"`, `"\t"`, `"\u0000"`, `"\u0041"`, `"\u00e9"`, `"\u00E9"`, `"\ud83d\udc4d"`, `"\uD83D\uDC4D"`, `"\u2028"`, "\"\u2028\"", "\"\u2029\"", `"\uffff"`, "\"\x7f\"", `"a/b"`, `"'"`, `"\u005c"`, `"\u0022"`, `"/* no comment */"`, `"\ufdd0"`, `"\udbff\udfff"`, "\"\ufeff\"", `"{}"`, `"[]"`,
		`[]`, `[ ]`, `[1]`, `[1,2]`, `[1 , 2]`, `[[]]`, `[[],[]]`, `[null]`, `["a",1,true,null,{}]`, `[ 1]`, `[1 ]`, "[\t1\r\n]", `[[[[[[[[]]]]]]]]`,
		`{}`, `{ }`, `{"a":1}`, `{"a":1,"b":2}`, `{"":1}`, `{"a":{}}`, `{"a":[]}`, `{ "a" : 1 }`, "{\n\"a\"\t:\r1}", `{"a":{"a":{"a":1}}}`, `{"A":1,"a":2}`, `{"\u0061":1}`, `{"é":1}`, `{"a b":1}`, `{"a\u0000":1}`,
		" 1", "1 ", "\t\n\r 1", strings.Repeat("[", 500) + strings.Repeat("]", 500), `"` + strings.Repeat("a", 8000) + `"`, "[" + strings.Repeat("0,", 3000) + "0]",
	}
	mustRefuse = []string{
		``, ` `, `nul`, `Null`, `NULL`, `True`, `TRUE`, `truee`, `tru`, `fals`, `nil`, `None`, `undefined`, `NaN`, `-NaN`, `Infinity`, `-Infinity`, `+Infinity`, `inf`,
		`+1`, `- 1`, `--1`, `-`, `01`, `-01`, `00`, `1.`, `.5`, `-.5`, `1.e1`, `1e`, `1e+`, `1E-`, `1ee1`, `1e1.5`, `1.2.3`, `0x1`, `0X1`, `0b1`, `0o1`, `1_000`, `1,000`, `1f`, `1L`, `1n`, `١`, `１`, `1 2`, `1e 5`, `0 .5`, `1/2`, `∞`,
		`"`, `"a`, `a"`, `'a'`, "`a`", `"\x41"`, `"\a"`, `"\v"`, `"\0"`, `"\1"`, `"\'"`, `"\U0041"`, `"\u"`, `"\u1"`, `"\u12"`, `"\u123"`, `"\u123g"`, `"\u{41}"`, `"\u 041"`, `"\`, `"\"`, "\"\n\"", "\"\r\"", "\"\t\"", "\"\x00\"", "\"\x01\"", "\"\x1f\"", "\"\\\n\"", `"a" "b"`, `“a”`, `"a"b`,
		"\"\xff\"", "\"\xc0\x80\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\xff", `"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800a"`, `"\ud800\u0041"`, `"\uD83D"`,
		`[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[,]`, `[1,,2]`, `[1 2]`, `[1;2]`, `[1:2]`, `[1}`, `[]]`, `[[]`, `[a]`, `["a]`, `(1)`, `<1>`, "[1\x00]", "[\v1]", "[\f1]", "[\u00a01]", "[\u20281]", "[\ufeff1]", `[...]`, `[-]`, `[1,2,"a" true]`,
		`{`, `}`, `{"a"`, `{"a":`, `{"a":}`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,"a":1}`, `{"a":1,,"b":2}`, `{"a" 1}`, `{"a"=1}`, `{"a"=>1}`, `{a:1}`, `{'a':1}`, `{1:1}`, `{null:1}`, `{true:1}`, `{[]:1}`, `{"a":1 "b":2}`, `{"a":1;"b":2}`, `{"a"::1}`, `{:1}`, `{"a":1}}`, `{"a","b"}`, `{"a":1]`, `{"a":b}`, `{"a":"b":"c"}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":1}}`, `[{"a":1,"a":1}]`,
		`// x` + "\n1", `1 // x`, `/* x */ 1`, `1 /* x */`, `# x` + "\n1", `1 # x`, `<!-- x --> 1`, `1;`, `return 1`, `new Date()`, `function(){}`, `1,`, `,1`, `=1`, `$1`, `@1`, `!true`, `~1`, `\u0031`, "1\x00", "\x001", "\xef\xbb\xbf1", "\u20601", "1\u00a0", "\x1e1",
	}
	mayEither = []string{
		`1e400`, `-1e400`, `1e-400`, `1e99999999999999999999`, `123456789012345678901234567890`, `-9223372036854775809`, `18446744073709551616`, `0.` + strings.Repeat("1", 3000), strings.Repeat("9", 3000), `1e` + strings.Repeat("0", 1000) + `1`,
		strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat(`{"a":`, 2_500) + "1" + strings.Repeat("}", 2_500), strings.Repeat("[", 15_000), strings.Repeat(`[{"a":`, 2_000), `"` + strings.Repeat(`\u0000`, 2_500) + `"`,
	}
)

// members is an object of so many different members.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	return "{" + b.String() + `"x":0}`
}

func TestGrammar_BodiesAreReadByTheBook(t *testing.T) {
	read := func(text string) error {
		var into struct {
			V any `json:"v"`
		}
		return decodeJSON([]byte(`{"v":`+text+`}`), &into)
	}
	for _, text := range mustAccept {
		if err := read(text); err != nil || !json.Valid([]byte(text)) {
			t.Errorf("%.60q is refused: %v", text, err)
		}
	}
	for _, text := range append([]string{"{}" + "{}", "1}{", `1,"v":1`, `1,"V":1`}, mustRefuse...) {
		var p *problem
		if err := read(text); !errors.As(err, &p) || p.status != 400 || p.code != "invalid-request" {
			t.Errorf("%.60q: %v, want a refusal", text, err)
		}
	}
	for _, text := range append(mayEither, members(10_000)) {
		var p *problem
		if err := read(text); err != nil && !errors.As(err, &p) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	if len(mustAccept) < 80 || len(mustRefuse) < 180 {
		t.Errorf("%d and %d texts", len(mustAccept), len(mustRefuse))
	}
}

// The same as a whole body and as a member of it, to every call that takes one:
// refused with a problem, quickly, and never a fault of ours.
func TestGrammar_EveryCallTakesEveryText(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass := e.pass(path)
	w := &wire{t: t, addr: e.addr}
	defer w.close()
	texts := append(append(append([]string{members(1_500)}, mustAccept...), mustRefuse...), mayEither...)
	calls := 0
	for route, methods := range at(t, described(t), "paths") {
		for method, operation := range methods.(map[string]any) {
			if _, ok := operation.(map[string]any)["requestBody"]; !ok {
				continue
			}
			calls++
			target := strings.NewReplacer("/v1/contests/{contest}", path, "{ballot}", newBallot()).Replace(route)
			for _, text := range texts {
				for _, body := range []string{text, `{"entry":` + text + `}`} {
					if len(body) > maxBody || strings.ReplaceAll(body, " ", "") == "{}" || body == "" {
						continue // what some calls do for nothing more than being asked
					}
					a := w.send(strings.ToUpper(method), target, body, asOrganizer, "Content-Type: application/json")
					a.takes(strings.ToUpper(method)+" "+route, body)
					if a.status < 400 || a.status >= 500 {
						t.Errorf("%s %s: %.60q is answered %d %.100s", method, route, body, a.status, a.body)
					}
				}
				w.send(strings.ToUpper(method), target, `{"entry":`+text+`}`, pass, "Content-Type: application/json").takes(method+" "+route+", a voter", text)
			}
		}
	}
	if calls < 8 {
		t.Errorf("only %d calls take a body: the description is read wrongly", calls)
	}
	e.sound()
}

// Documents have a parser of their own.
func TestGrammar_DocumentsAreReadByTheBook(t *testing.T) {
	for _, text := range append(append([]string{members(10_000)}, mustRefuse...), mayEither...) {
		for _, document := range []string{text, `{"id":` + text + `}`, `{"title":{"fr":` + text + `}}`} {
			var faults contest.Faults
			if _, err := contest.Parse([]byte(document)); !errors.As(err, &faults) {
				t.Errorf("%.60q: %v, want faults", document, err)
			}
		}
	}
}
