package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// Bad input is answered by a 4xx problem, and leaves nothing.
func TestHostile_BodiesAndHeadersAre4xxAndLeaveNothing(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass := e.pass(path)
	id := newBallot()
	cast := func(more string) string { return fmt.Sprintf(`{"ballot":%q,"entry":"lumiere-1"%s}`, id, more) }
	clientWith := func(member string) string { return cast(`,"client":{` + member + `}`) }
	long := strings.Repeat("x", 300)

	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		header string
	}{
		"empty":                  {"", 415, "unsupported-media-type", ""},
		"empty but JSON":         {"", 400, "invalid-request", "Content-Type: application/json"},
		"not JSON":               {"hello", 400, "invalid-request", ""},
		"null":                   {"null", 400, "invalid-request", ""},
		"list":                   {"[]", 400, "invalid-request", ""},
		"string":                 {`"x"`, 400, "invalid-request", ""},
		"number":                 {"1e999", 400, "invalid-request", ""},
		"cut":                    {`{"entry":"lumiere-1"`, 400, "invalid-request", ""},
		"trailing":               {cast("") + "x", 400, "invalid-request", ""},
		"two objects":            {cast("") + cast(""), 400, "invalid-request", ""},
		"duplicate member":       {cast(`,"entry":"vercors-1"`), 400, "invalid-request", ""},
		"duplicate in client":    {clientWith(`"via":"a","via":"b"`), 400, "invalid-request", ""},
		"duplicate by escape":    {cast(`,"entr\u0079":"vercors-1"`), 400, "invalid-request", ""},
		"unknown member":         {cast(`,"weight":1000`), 400, "invalid-request", ""},
		"unknown in client":      {clientWith(`"ip":"1.2.3.4"`), 400, "invalid-request", ""},
		"other case":             {cast(`,"Entry":"vercors-1"`), 400, "invalid-request", ""},
		"prototype":              {cast(`,"__proto__":{"standing":"counted"}`), 400, "invalid-request", ""},
		"comment":                {"/*x*/" + cast(""), 400, "invalid-request", ""},
		"single quotes":          {"{'entry':'lumiere-1'}", 400, "invalid-request", ""},
		"trailing comma":         {`{"entry":"lumiere-1",}`, 400, "invalid-request", ""},
		"byte order mark":        {"\ufeff" + cast(""), 400, "invalid-request", ""},
		"invalid UTF-8":          {"{\"entry\":\"lumiere-1\xff\"}", 400, "invalid-request", ""},
		"invalid UTF-8 name":     {"{\"entry\xff\":\"lumiere-1\"}", 400, "invalid-request", ""},
		"lone surrogate":         {`{"entry":"\ud800"}`, 400, "invalid-request", ""},
		"NUL":                    {`{"entry":"lumiere-1\u0000"}`, 400, "invalid-request", ""},
		"NUL byte":               {"{\"entry\":\"lumiere-1\"\x00}", 400, "invalid-request", ""},
		"deep":                   {strings.Repeat("[", 16000), 400, "invalid-request", ""},
		"deep objects":           {strings.Repeat(`{"client":`, 1500), 400, "invalid-request", ""},
		"deep unknown":           {cast(`,"x":` + strings.Repeat("[", 7000) + strings.Repeat("]", 7000)), 400, "invalid-request", ""},
		"no entry":               {`{"ballot":"` + id + `"}`, 400, "invalid-request", ""},
		"empty entry":            {`{"entry":""}`, 400, "invalid-request", ""},
		"null entry":             {`{"entry":null}`, 400, "invalid-request", ""},
		"entry number":           {`{"entry":1}`, 400, "invalid-request", ""},
		"entry list":             {`{"entry":["lumiere-1"]}`, 400, "invalid-request", ""},
		"entry a tally field":    {`{"entry":"/held"}`, 400, "invalid-request", ""},
		"entry a last field":     {`{"entry":"lumiere-1/last"}`, 400, "invalid-request", ""},
		"entry with bar":         {`{"entry":"lumiere-1|counted"}`, 400, "invalid-request", ""},
		"entry script":           {`{"entry":"<script>alert(1)</script>"}`, 400, "invalid-request", ""},
		"entry long":             {`{"entry":"` + long + `"}`, 400, "invalid-request", ""},
		"entry spaces":           {`{"entry":" lumiere-1 "}`, 400, "invalid-request", ""},
		"ballot empty":           {`{"ballot":"","entry":"lumiere-1"}`, 400, "invalid-request", ""},
		"ballot no UUID":         {ballot("1234", "lumiere-1"), 400, "invalid-request", ""},
		"ballot nil":             {ballot(uuid.Nil.String(), "lumiere-1"), 400, "invalid-request", ""},
		"ballot braces":          {ballot("{"+id+"}", "lumiere-1"), 400, "invalid-request", ""},
		"ballot URN":             {ballot("urn:uuid:"+id, "lumiere-1"), 400, "invalid-request", ""},
		"ballot bare hex":        {ballot(strings.ReplaceAll(id, "-", ""), "lumiere-1"), 400, "invalid-request", ""},
		"ballot number":          {`{"ballot":12,"entry":"lumiere-1"}`, 400, "invalid-request", ""},
		"challenge long":         {cast(`,"challenge":"` + strings.Repeat("x", 5000) + `"`), 400, "invalid-request", ""},
		"challenge object":       {cast(`,"challenge":{}`), 400, "invalid-request", ""},
		"client list":            {cast(`,"client":[]`), 400, "invalid-request", ""},
		"via long":               {clientWith(`"via":"` + long + `"`), 400, "invalid-request", ""},
		"via spaces":             {clientWith(`"via":"a b"`), 400, "invalid-request", ""},
		"via newline":            {clientWith(`"via":"a\n"`), 400, "invalid-request", ""},
		"referrer unknown":       {clientWith(`"referrer":"farm"`), 400, "invalid-request", ""},
		"origin with path":       {clientWith(`"embed_origin":"https://a.example/x"`), 400, "invalid-request", ""},
		"origin with user":       {clientWith(`"embed_origin":"https://u@a.example"`), 400, "invalid-request", ""},
		"origin script":          {clientWith(`"embed_origin":"javascript:alert(1)"`), 400, "invalid-request", ""},
		"origin long":            {clientWith(`"embed_origin":"https://` + long + `.example"`), 400, "invalid-request", ""},
		"dwell negative":         {clientWith(`"dwell_ms":-1`), 400, "invalid-request", ""},
		"dwell huge":             {clientWith(`"dwell_ms":9223372036854775808`), 400, "invalid-request", ""},
		"dwell long":             {clientWith(`"dwell_ms":86400001`), 400, "invalid-request", ""},
		"dwell fraction":         {clientWith(`"dwell_ms":1.5`), 400, "invalid-request", ""},
		"dwell string":           {clientWith(`"dwell_ms":"1"`), 400, "invalid-request", ""},
		"confirm negative":       {clientWith(`"confirm_ms":-1`), 400, "invalid-request", ""},
		"visible string":         {clientWith(`"visible":"yes"`), 400, "invalid-request", ""},
		"device long":            {clientWith(`"device":"` + long + `"`), 400, "invalid-request", ""},
		"too large":              {cast(`,"challenge":"` + strings.Repeat("x", 17<<10) + `"`), 413, "too-large", ""},
		"gzip":                   {cast(""), 415, "unsupported-media-type", "Content-Encoding: gzip"},
		"brotli":                 {cast(""), 415, "unsupported-media-type", "Content-Encoding: br"},
		"identity":               {cast(""), 415, "unsupported-media-type", "Content-Encoding: identity"},
		"unknown encoding":       {cast(""), 415, "unsupported-media-type", "Content-Encoding: x, y"},
		"text":                   {cast(""), 415, "unsupported-media-type", "Content-Type: text/plain"},
		"form":                   {"entry=lumiere-1", 415, "unsupported-media-type", "Content-Type: application/x-www-form-urlencoded"},
		"multipart":              {cast(""), 415, "unsupported-media-type", "Content-Type: multipart/form-data; boundary=x"},
		"YAML for a ballot":      {"entry: lumiere-1", 415, "unsupported-media-type", "Content-Type: application/yaml"},
		"other charset":          {cast(""), 415, "unsupported-media-type", "Content-Type: application/json; charset=utf-16"},
		"broken type":            {cast(""), 415, "unsupported-media-type", "Content-Type: ;;;"},
		"almost JSON":            {cast(""), 415, "unsupported-media-type", "Content-Type: application/jsonx"},
		"headers too large":      {cast(""), 431, "too-large", "X-Long: " + strings.Repeat("x", 9<<10)},
		"pass too long to parse": {cast(""), 401, "invalid-pass", "Authorization: Bearer " + strings.Repeat("a.", 3000)},
	} {
		t.Run(name, func(t *testing.T) {
			e := *e
			e.t = t
			headers := []string{pass}
			if c.header != "" {
				headers = append(headers, c.header)
			}
			e.do("POST", path+"/ballots", c.body, headers...).want(c.status, c.code)
		})
	}
	if n := e.casts(path); n != 0 {
		t.Errorf("%d ballots in the ledger, want none", n)
	}
	e.do("POST", path+"/ballots", cast(""), pass).want(201, "") // none of them used the turn or the ballot
}

func TestHostile_PathsAre404(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for _, p := range []string{
		"/v1", "/v1/", "/v2/contests", "/v1/contests/", "/v1/Contests", path + "/", "//v1/contests", "/v1/contests//" + id,
		path + "/../" + id, "/v1/contests/%2e%2e", "/v1/contests/" + id[:3] + "%2d", "/v1/contests/%00",
		"/v1/contests/..%2f..%2flivez", "/v1/contests/" + strings.Repeat("a", 2000), path + "/nothing", "/.env", "/debug/pprof/",
		path + "/ballots/x/y", "/v1/contests/%ff%fe", "/v1/contests/joute:contests", "/v1/contests/{" + id + "/0}",
	} {
		a := e.do("GET", p, "")
		if a.status != 404 && a.status != 400 {
			t.Errorf("%q: %d %s", p, a.status, a.body)
			continue
		}
		if code := a.json()["code"]; code != "not-found" && code != "no-such-contest" && code != "invalid-request" {
			t.Errorf("%q: %s", p, a.body)
		}
	}
	e.do("GET", path+"/ballots/not-a-uuid", "", e.pass(path)).want(404, "no-such-ballot")
	e.do("DELETE", path+"/ballots/"+newBallot(), "", e.pass(path)).want(404, "no-such-ballot")
	a := e.do("POST", "/livez", "{}").want(405, "method-not-allowed")
	if allow := a.header.Get("Allow"); !strings.Contains(allow, "GET") {
		t.Errorf("Allow %q", allow)
	}
	a = e.do("PATCH", path+"/ballots", "{}").want(405, "method-not-allowed")
	if allow := a.header.Get("Allow"); !strings.Contains(allow, "POST") || strings.Contains(allow, "GET") {
		t.Errorf("Allow %q", allow)
	}
	e.do("BREW", path, "").want(405, "method-not-allowed")
	e.do("TRACE", path, "").want(405, "method-not-allowed")
	// A method that nobody knows is answered as one that the address does not take: Allow says what
	// it does take (RFC 9110, 15.5.6), and where there is no address there is none.
	for _, p := range []string{"/livez", path, path + "/ballots", "/c/" + id, "/embed/" + id, "/static/feed.js", "/nope", "/v1/nope"} {
		known, allow := e.do("PATCH", p, ""), ""
		if allow = known.header.Get("Allow"); (allow == "") != (known.status == 404) {
			t.Errorf("%s: %d, Allow %q", p, known.status, allow)
		}
		for _, method := range []string{"BREW", "get", "PROPFIND"} {
			a := e.do(method, p, "")
			if a.status != known.status || a.header.Get("Allow") != allow || a.header.Get("Content-Type") != known.header.Get("Content-Type") {
				t.Errorf("%s %s: %d, Allow %q, %s, want %d, Allow %q", method, p, a.status, a.header.Get("Allow"), a.header.Get("Content-Type"), known.status, allow)
			}
		}
	}
}

func TestHostile_BrokenHTTPIsAProblemToo(t *testing.T) {
	e := start(t)
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"no request line":   {"HELLO\r\n\r\n", 400},
		"no version":        {"GET /livez\r\n\r\n", 400},
		"binary":            {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
		"no host":           {"GET /livez HTTP/1.1\r\n\r\n", 400},
		"endless header":    {"GET /livez HTTP/1.1\r\nX: " + strings.Repeat("x", 20<<10), 431},
		"endless line":      {"GET /" + strings.Repeat("x", 20<<10), 431},
		"declared too long": {"POST /v1/contests/x/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17000\r\n\r\n", 413},
		"chunked too long": {"POST /v1/contests/x/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n", 6) + "0\r\n\r\n", 413},
	} {
		got := e.raw(c.text)
		if len(got) != 1 || got[0].status != c.status {
			t.Errorf("%s: %v, want one %d", name, got, c.status)
			continue
		}
		if code, _ := got[0].json()["code"].(string); code == "" || got[0].header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: no problem: %v %s", name, got[0].header, got[0].body)
		}
		if got[0].header.Get("Server") != "" {
			t.Errorf("%s: Server header", name)
		}
	}
}
