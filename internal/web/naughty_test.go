package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// long says that faults are looked for at length: every text everywhere.
func long() bool { return os.Getenv("JOUTE_FAULTS") == "long" }

// wire speaks HTTP byte by byte, as no library would let it.
type wire struct {
	t    testing.TB
	addr string
	conn net.Conn
	read *bufio.Reader
}

func (w *wire) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// send answers with status 0 where the server hung up instead.
func (w *wire) send(method, target, body string, headers ...string) answer {
	w.t.Helper()
	if w.conn == nil {
		var err error
		w.conn, err = net.Dial("tcp", w.addr)
		must(w.t, err)
		w.read = bufio.NewReader(w.conn)
	}
	must(w.t, w.conn.SetDeadline(time.Now().Add(20*time.Second)))
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: x\r\n", method, target)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" || method == "POST" || method == "PUT" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	_, _ = io.WriteString(w.conn, b.String())
	resp, err := http.ReadResponse(w.read, &http.Request{Method: method})
	if err != nil {
		w.close()
		return answer{t: w.t}
	}
	a := answer{w.t, resp.StatusCode, resp.Header, nil}
	if resp.Header.Get("Content-Type") == "text/event-stream" {
		w.close()
		return a
	}
	if a.body, err = io.ReadAll(resp.Body); err != nil || resp.Close {
		w.close()
	}
	return a
}

// takes checks an answer to a naughty request: the server stands, and a refusal
// is a problem with a code where programs ask.
func (a answer) takes(route, what string) {
	a.t.Helper()
	switch {
	case a.status >= 500:
		a.t.Errorf("%s: %.80q: %d %.300s", route, what, a.status, a.body)
	case a.status >= 400 && strings.Contains(route, " /v1/"):
		var p struct{ Code string }
		if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" || a.header.Get("Content-Type") != "application/problem+json" {
			a.t.Errorf("%s: %.80q: %d is no problem: %.300s", route, what, a.status, a.body)
		}
	}
}

// named are what the sources of this package read from requests: a new query,
// field or header is found by itself.
func named(t testing.TB) (queries, fields, headers []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		must(t, err)
		for _, m := range regexp.MustCompile(`(query\(c, |c\.Query\(|Peek\(|get\(|c\.Get\(|header\(c, )"([A-Za-z_-]+)"`).FindAllStringSubmatch(string(text), -1) {
			switch {
			case strings.Contains(m[1], "uery"):
				queries = append(queries, m[2])
			case m[1] == "c.Get(" || strings.HasPrefix(m[1], "header"):
				headers = append(headers, m[2])
			default: // of forms, and of errands in addresses
				queries, fields = append(queries, m[2]), append(fields, m[2])
			}
		}
	}
	headers = append(headers, "User-Agent", "Referer", "Origin", "Accept-Language", "Accept", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
		"Last-Event-ID", "If-None-Match", "If-Modified-Since", "Range", "Cookie", "Sec-Fetch-Site", "X-HTTP-Method-Override", "Access-Control-Request-Method", "Access-Control-Request-Headers")
	for _, names := range []*[]string{&queries, &fields, &headers} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	if len(queries) < 15 || len(fields) < 15 || len(headers) < 20 {
		t.Fatalf("the sources are read wrongly: %v %v %v", queries, fields, headers)
	}
	return queries, fields, headers
}

// sound fails when anything was answered by chance: a panic, an error nobody foresaw.
func (e *env) sound() {
	e.t.Helper()
	for line := range strings.Lines(e.log.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "request failed") || strings.Contains(line, "page failed") {
			e.t.Errorf("%.2000s", line)
		}
	}
}

// Every route takes every text in its path, its query, its form and its headers.
func TestNaughty_EveryRouteTakesEveryText(t *testing.T) {
	e := start(t)
	queries, fields, headers := named(t)
	w := &wire{t: t, addr: e.addr}
	defer w.close()
	session := "Cookie: " + e.organizerCookie()
	stride := 12
	if long() {
		stride = 1
	}
	asked := 0
	for i, route := range e.server.app.GetRoutes(true) {
		if route.Method == http.MethodHead {
			continue
		}
		id, path := e.contest("")
		who := e.pass(path)
		if strings.HasPrefix(route.Path, "/organize") {
			who = session
		} else if i%2 == 0 {
			who = asOrganizer
		}
		call := route.Method + " " + route.Path
		parameters := fiberParam.FindAllString(route.Path, -1)
		for n := i % stride; n < len(naughty); n += stride {
			text := naughty[n]
			for _, at := range append(parameters, "") {
				target := route.Path
				for _, parameter := range parameters {
					value := map[string]string{":contest": id, ":entry": "lumiere-1", ":school": "lumiere", ":id": "lumiere-1", ":ballot": newBallot()}[parameter]
					if parameter == at || value == "" {
						value = url.PathEscape(text)
					}
					target = strings.Replace(target, parameter, value, 1)
				}
				w.send(route.Method, target, "", who).takes(call, text)
				if bare := strings.Replace(target, url.PathEscape(text), text, 1); at != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
					w.send(route.Method, bare, "", who).takes(call, text)
				}
				asked++
				if at != "" {
					continue
				}
				values := url.Values{}
				for _, name := range queries {
					values.Set(name, text)
				}
				form := url.Values{}
				for _, name := range fields {
					form.Set(name, text)
				}
				lines := []string{who}
				for _, name := range headers {
					if !strings.HasPrefix(who, name) && (name != "Origin" || route.Method == "GET") {
						lines = append(lines, name+": "+strings.NewReplacer("\r", " ", "\n", " ").Replace(text[:min(len(text), 120)]))
					}
				}
				w.send(route.Method, target+"?"+values.Encode(), "", lines...).takes(call+", all at once", text)
				one := queries[n%len(queries)]
				w.send(route.Method, target+"?"+one+"="+url.QueryEscape(text), "", who, "Sec-Fetch-Site: same-origin").takes(call+", "+one, text)
				if route.Method == "POST" {
					kind := []string{who, "Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded"}
					w.send("POST", target, form.Encode(), kind...).takes(call+", form", text)
					one := fields[n%len(fields)]
					w.send("POST", target, one+"="+url.QueryEscape(text), kind...).takes(call+", field "+one, text)
					w.send("POST", target, text, who, "Content-Type: application/json").takes(call+", body", text)
				}
			}
		}
	}
	t.Logf("%d addresses with %d texts, %d queries, %d fields, %d headers", asked, len(naughty), len(queries), len(fields), len(headers))
	e.sound()
	e.do("GET", "/livez", "").want(200, "")
}

// organizerCookie signs the organizer in.
func (e *env) organizerCookie() string {
	e.t.Helper()
	b := e.browser()
	b.send("POST", "/organize/login", url.Values{"key": {organizerKey}}.Encode()).want(303, "")
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) == 0 {
		e.t.Fatal("the organizer is not signed in")
	}
	return strings.Join(pairs, "; ")
}

// Every text member of every call that takes JSON takes every text: the members
// are those of /openapi.json.
func TestNaughty_EveryMemberTakesEveryText(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"community":{"name":"F","opt_in":"J"},"rules":{"ballots":{"max":100000}}`)
	pass := e.pass(path)
	w := &wire{t: t, addr: e.addr}
	defer w.close()
	d := described(t)
	asked := 0
	for route, methods := range at(t, d, "paths") {
		for method, operation := range methods.(map[string]any) {
			body, ok := operation.(map[string]any)["requestBody"].(map[string]any)
			if !ok || method == "put" { // documents: below
				continue
			}
			content := at(t, body, "content", "application/json")
			example, _ := content["example"].(map[string]any)
			target := strings.NewReplacer("/v1/contests/{contest}", path, "{ballot}", newBallot()).Replace(route)
			for _, member := range textMembers(d, content["schema"].(map[string]any), nil, 0) {
				for n, text := range naughty {
					if strings.HasSuffix(route, "/close") && !long() && n%20 != 0 {
						continue // each closes the contest, or finds it closed
					}
					for _, who := range []string{pass, asOrganizer}[:1+n%2] {
						call := strings.ToUpper(method) + " " + route
						w.send(strings.ToUpper(method), target, jsonWith(t, example, member, text), who, "Content-Type: application/json").
							takes(call+" "+strings.Join(member, "."), text)
						asked++
					}
				}
			}
		}
	}
	if asked < 20*len(naughty) {
		t.Errorf("only %d requests were made: the description is read wrongly", asked)
	}
	t.Logf("%d requests", asked)
	e.sound()
}

// textMembers are the paths of the texts that a schema describes.
func textMembers(d, schema map[string]any, path []string, depth int) (found [][]string) {
	if depth > 8 {
		return nil
	}
	if ref, ok := schema["$ref"].(string); ok {
		schema = d["components"].(map[string]any)["schemas"].(map[string]any)[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	if kind := fmt.Sprint(schema["type"]); strings.Contains(kind, "string") {
		found = append(found, slices.Clone(path))
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf"} {
		list, _ := schema[word].([]any)
		for _, one := range list {
			found = append(found, textMembers(d, one.(map[string]any), path, depth+1)...)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		found = append(found, textMembers(d, items, append(path, "0"), depth+1)...)
	}
	members, _ := schema["properties"].(map[string]any)
	for name, member := range members {
		found = append(found, textMembers(d, member.(map[string]any), append(slices.Clone(path), name), depth+1)...)
	}
	return found
}

// jsonWith is a document with a text at a path, byte for byte.
func jsonWith(t testing.TB, document map[string]any, path []string, text string) string {
	t.Helper()
	var tree any
	raw, err := json.Marshal(document)
	must(t, err)
	must(t, json.Unmarshal(raw, &tree))
	if tree == nil {
		tree = map[string]any{}
	}
	const here = "naughty-text-goes-here"
	var put func(node any, path []string) any
	put = func(node any, path []string) any {
		if len(path) == 0 {
			return here
		}
		if path[0] == "0" {
			list, _ := node.([]any)
			if len(list) == 0 {
				list = []any{nil}
			}
			list[0] = put(list[0], path[1:])
			return list
		}
		members, ok := node.(map[string]any)
		if !ok {
			members = map[string]any{}
		}
		members[path[0]] = put(members[path[0]], path[1:])
		return members
	}
	raw, err = json.Marshal(put(tree, path))
	must(t, err)
	return strings.Replace(string(raw), `"`+here+`"`, exactly(text), 1)
}

// exactly is a JSON string of exactly these bytes, valid UTF-8 or not.
func exactly(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// What a document may say is given back as it was said, and pages show it as
// text: no element, attribute or script more than calm texts have.
func TestNaughty_DocumentsComeBackAsTheyWereAndPagesShowText(t *testing.T) {
	e := start(t)
	w := &wire{t: t, addr: e.addr}
	defer w.close()
	id := newID()
	path := "/v1/contests/" + id
	now := time.Now()
	base := contestTextAt(id, now.Add(time.Hour), now.Add(48*time.Hour), "") // not open yet: all of it may change
	fill := func(text string) string {
		var m map[string]any
		must(t, json.Unmarshal([]byte(base), &m))
		for _, member := range [][]string{{"title"}, {"brand"}} {
			m[member[0]] = "here"
		}
		m["schools"].([]any)[0].(map[string]any)["name"] = "here"
		m["schools"].([]any)[0].(map[string]any)["city"] = "here"
		m["entries"].([]any)[0].(map[string]any)["title"] = "here"
		m["entries"].([]any)[0].(map[string]any)["authors"] = []any{"here"}
		raw, err := json.Marshal(m)
		must(t, err)
		return strings.ReplaceAll(string(raw), `"here"`, exactly(text))
	}
	pages := []string{"/", "/c/" + id, "/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere", "/embed/" + id, "/embed/" + id + "/lumiere-1", "/tv/" + id, "/c/" + id + "/embed"}
	shape := func(page string) string {
		var tags []string
		z := html.NewTokenizer(bytes.NewReader(e.do("GET", page, "").want(200, "").body))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
				continue
			}
			names := []string{token.Data}
			for _, a := range token.Attr {
				names = append(names, a.Key)
			}
			tags = append(tags, strings.Join(names, " "))
		}
		slices.Sort(tags) // rows may be in another order
		return strings.Join(tags, "\n")
	}
	w.send("PUT", path, fill("calm"), asOrganizer, "Content-Type: application/json").want(201, "")
	calm := map[string]string{}
	for _, page := range pages[1:] { // the first one shows other tests' contests too
		calm[page] = shape(page)
	}
	accepted, refused := 0, 0
	for n, text := range naughty {
		a := w.send("PUT", path, fill(text), asOrganizer, "Content-Type: application/json")
		a.takes("PUT "+onContest, text)
		if a.status >= 400 {
			refused++
			continue
		}
		accepted++
		if !utf8.ValidString(text) {
			t.Errorf("%q is no text, and was taken", text)
		}
		stored := e.do("GET", path, "", asOrganizer).want(200, "").json()
		entry := stored["entries"].([]any)[0].(map[string]any)
		for name, got := range map[string]any{"title": stored["title"], "brand": stored["brand"], "entry": entry["title"], "author": entry["authors"].([]any)[0], "school": stored["schools"].([]any)[0].(map[string]any)["name"]} {
			if got != text {
				t.Errorf("%s: %q came back as %q", name, text, got)
			}
		}
		for _, page := range pages[1:] {
			if (n+len(page))%4 != 0 && !strings.ContainsAny(text, `<>"'&{`) && !long() {
				continue
			}
			if got := shape(page); got != calm[page] {
				t.Errorf("%s: %q changes the page:\n%s", page, text, difference(calm[page], got))
			}
		}
	}
	t.Logf("%d texts were taken, %d refused", accepted, refused)
	if accepted < 100 || refused < 50 {
		t.Errorf("%d texts were taken, %d refused: some of each are expected", accepted, refused)
	}
	e.sound()
}

// difference are the lines of two texts that only one of them has.
func difference(a, b string) string {
	var out []string
	left := strings.Split(b, "\n")
	for line := range strings.SplitSeq(a, "\n") {
		if i := slices.Index(left, line); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out = append(out, "- "+line)
	}
	for _, line := range left {
		out = append(out, "+ "+line)
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}
