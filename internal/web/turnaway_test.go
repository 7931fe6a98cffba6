package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// turnedAwayBy is what a way to refuse answers, but for what differs each time.
func turnedAwayBy(refuse func(*fasthttp.RequestCtx), path string, headers ...string) string {
	var fctx fasthttp.RequestCtx
	fctx.Request.Header.SetMethod(http.MethodPost)
	fctx.Request.SetRequestURI(path)
	for i := 0; i < len(headers); i += 2 {
		fctx.Request.Header.Set(headers[i], headers[i+1])
	}
	refuse(&fctx)
	id := string(fctx.Response.Header.Peek("X-Request-Id"))
	lines := []string{fmt.Sprint(fctx.Response.StatusCode()), strings.Replace(string(fctx.Response.Body()), `"`+id+`"}`, `"ID"}`, 1)}
	for name, value := range fctx.Response.Header.All() {
		text := string(value)
		switch string(name) {
		case "X-Request-Id":
			if len(headers) == 0 || text != headers[len(headers)-1] {
				text = fmt.Sprintf("%d bytes", len(text))
			}
		case "Retry-After":
			text = fmt.Sprint(strings.Contains(" 2 3 4 ", " "+text+" "))
		}
		lines = append(lines, string(name)+": "+text)
	}
	slices.Sort(lines[2:]) // headers
	return strings.Join(lines, "\n")
}

// A refusal that was made before is the one that would be made now.
func TestTurnAway_AnswersAsFailDoes(t *testing.T) {
	s := start(t).server
	slow := func(fctx *fasthttp.RequestCtx) { s.refuse(fctx, errOverloaded) }
	fast := func(fctx *fasthttp.RequestCtx) { s.turnAway(fctx, classOf(fctx)) }
	for _, c := range []struct {
		path    string
		headers []string
	}{
		{"/v1/contests/x/ballots", nil},
		{"/v1/contests/x/ballots", []string{"X-Request-Id", "a-request.of_ours"}},
		{"/v1/contests/x/ballots", []string{"X-Request-Id", `"}{`}},
		{"/c/x/vote?lang=fr", []string{"Accept-Language", "fr-FR,fr;q=0.9,en;q=0.8", "X-Request-Id", "b"}},
		{"/embed/x", []string{"Accept-Language", "de", "X-Request-Id", "c"}},
		{"/embedded", []string{"Accept-Language", strings.Repeat("fr,", 200), "X-Request-Id", "d"}},
	} {
		want, got := turnedAwayBy(slow, c.path, c.headers...), turnedAwayBy(fast, c.path, c.headers...)
		if got != want || !strings.HasPrefix(got, "503\n") || !strings.Contains(got, `"ID"}`) {
			t.Errorf("%s %q:\n%s\nwant\n%s", c.path, c.headers, got, want)
		}
	}
}

func BenchmarkTurnAway(b *testing.B) {
	s := start(b).server
	for name, refuse := range map[string]func(*fasthttp.RequestCtx){
		"made before": func(fctx *fasthttp.RequestCtx) { s.turnAway(fctx, ballots) },
		"made now":    func(fctx *fasthttp.RequestCtx) { s.refuse(fctx, errOverloaded) },
	} {
		b.Run(name, func(b *testing.B) {
			var fctx fasthttp.RequestCtx
			fctx.Request.Header.SetMethod(http.MethodPost)
			fctx.Request.SetRequestURI("/v1/contests/x/ballots")
			b.ReportAllocs()
			for b.Loop() {
				fctx.Response.Reset()
				refuse(&fctx)
				fctx.ResetUserValues()
			}
		})
	}
}
