package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"
)

// plainRequest is what a browser sends, with more headers.
func plainRequest(path, body string, headers ...string) string {
	return "POST " + path + "/ballots HTTP/1.1\r\nHost: vote.example.org\r\nUser-Agent: Mozilla/5.0 (phone)\r\n" + strings.Join(append(headers, ""), "\r\n") +
		fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// Whoever is turned back is told what admit tells, on the same connection, and counted;
// whatever is not plain is left to fasthttp and answered the same.
func TestTurnBack_AnswersAsAdmitDoes(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	e.server.shed.waits = func() time.Duration { return 10 * time.Second }
	known := func(text string) bool { _, ok := plainCast([]byte(text)); return ok }
	ask := func(text string) string {
		c, err := net.Dial("tcp", e.addr)
		must(t, err)
		defer c.Close()
		must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		read := bufio.NewReader(c)
		var seen []string
		for range 2 { // the connection goes on
			_, err = io.WriteString(c, text)
			must(t, err)
			resp, err := http.ReadResponse(read, nil)
			must(t, err)
			body, err := io.ReadAll(resp.Body)
			must(t, err)
			id := resp.Header.Get("X-Request-Id")
			lines := []string{fmt.Sprint(resp.StatusCode), strings.Replace(string(body), id, "ID", 1), fmt.Sprint(resp.ContentLength == int64(len(body)))}
			for name, values := range resp.Header {
				switch text := strings.Join(values, "|"); name {
				case "X-Request-Id":
					lines = append(lines, fmt.Sprint(name, len(text), text == "mine"))
				case "Retry-After":
					lines = append(lines, fmt.Sprint(name, strings.Contains(" 2 3 4 ", " "+text+" ")))
				case "Date":
					_, err := http.ParseTime(text)
					lines = append(lines, fmt.Sprint(name, err))
				default:
					lines = append(lines, name+": "+strings.Replace(text, fmt.Sprint(len(body)), "all", 1))
				}
			}
			slices.Sort(lines[3:])
			seen = append(seen, strings.Join(lines, "\n"))
		}
		return strings.Join(seen, "\n\n")
	}
	for _, headers := range [][]string{nil, {"Accept-Language: fr-FR,fr;q=0.9,en;q=0.8"}, {"Accept-Language: de", "X-Request-Id: mine"}, {`X-Request-Id: "}{`}, {"Authorization: Bearer x", "Origin: https://a.example", "Cookie: a=b"}} {
		text := plainRequest(path, `{"entry":"lumiere-1"}`, headers...)
		odd := plainRequest(path, `{"entry":"lumiere-1"}`, append(headers, "X-Odd: 1")...)
		if !known(text) || known(odd) {
			t.Fatalf("%v: plain is %v, what is odd %v", headers, known(text), known(odd))
		}
		before := testutil.ToFloat64(e.server.shed.refused[ballots])
		got, want := ask(text), ask(odd)
		if got != want || !strings.HasPrefix(got, "503\n") {
			t.Errorf("%v:\n%s\nwant\n%s", headers, got, want)
		}
		if n := testutil.ToFloat64(e.server.shed.refused[ballots]) - before; n != 4 {
			t.Errorf("%v refused of 4", n)
		}
	}
	e.server.shed.waits = func() time.Duration { return 0 }
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
}

func TestPlainCast_IsOneWholeRequestAndNothingElse(t *testing.T) {
	whole := plainRequest("/v1/contests/x", `{"entry":"e"}`)
	if _, ok := plainCast([]byte(whole)); !ok {
		t.Fatal("the plain one is none")
	}
	for n := range whole { // a part of it is nothing yet
		if _, ok := plainCast([]byte(whole[:n])); ok {
			t.Errorf("%q is whole", whole[:n])
		}
	}
	for name, change := range map[string][2]string{
		"another behind it": {`{"entry":"e"}`, `{"entry":"e"}POST`}, "two lengths": {"Content-Length: 13", "Content-Length: 13\r\nContent-Length: 13"},
		"length and chunks": {"Content-Length: 13", "Content-Length: 13\r\nTransfer-Encoding: chunked"}, "a signed length": {": 13", ": +13"}, "a length in hex": {": 13", ": 0xd"},
		"no length": {"Content-Length: 13\r\n", ""}, "two hosts": {"Host: vote.example.org", "Host: vote.example.org\r\nHost: vote.example.org"}, "no host": {"Host: vote.example.org\r\n", ""},
		"an odd host": {"vote.example.org", "vote.example.org/x"}, "a bare line feed": {"(phone)\r\n", "(phone)\n"}, "a folded line": {"(phone)", "(phone)\r\n x: y"},
		"a space before the colon": {"User-Agent:", "User-Agent :"}, "no space behind it": {"User-Agent: ", "User-Agent:"}, "NUL": {"(phone)", "(ph\x00ne)"}, "another method": {"POST", "PUT"},
		"another version": {"HTTP/1.1", "HTTP/1.0"}, "a query": {"/ballots ", "/ballots?x "}, "dots": {"contests/x/", "contests/../"}, "a whole address": {"POST /v1", "POST http://a/v1"},
		"compressed": {"Content-Type", "Content-Encoding: gzip\r\nContent-Type"}, "to go on": {"Content-Type", "Expect: 100-continue\r\nContent-Type"}, "the last one": {"Content-Type", "Connection: close\r\nContent-Type"},
		"another case": {"Host", "host"}, "space around": {"(phone)", "(phone) "},
	} {
		text := strings.Replace(whole, change[0], change[1], 1)
		if _, ok := plainCast([]byte(text)); ok || text == whole {
			t.Errorf("%s: %q is plain", name, text)
		}
	}
}

// What is plain is read so by fasthttp as well, and let in by what stands before fiber.
func FuzzPlainCast(f *testing.F) {
	f.Add([]byte(plainRequest("/v1/contests/x", `{"entry":"e"}`, "Accept-Language: fr", "X-Request-Id: a")))
	f.Add([]byte(plainRequest("/v1/contests/x", "", "Host: y")))
	f.Fuzz(func(t *testing.T, come []byte) {
		found, ok := plainCast(come)
		if !ok {
			return
		}
		var r fasthttp.Request
		read := bufio.NewReaderSize(bytes.NewReader(come), maxHeaders)
		if err := r.ReadLimitBody(read, maxBody); err != nil {
			t.Fatalf("%q: %v", come, err)
		}
		if rest, _ := io.ReadAll(read); len(rest) > 0 {
			t.Fatalf("%q: %q is left", come, rest)
		}
		var fctx fasthttp.RequestCtx
		r.CopyTo(&fctx.Request)
		if !plainHead(&fctx.Request.Header) || classOf(&fctx) != ballots || len(fctx.Request.Header.PeekAll("Content-Encoding")) > 0 || r.MayContinue() || r.ConnectionClose() {
			t.Fatalf("%q is not plain", come)
		}
		if !bytes.Equal(r.Header.Peek("Accept-Language"), found.language) || !bytes.Equal(r.Header.Peek("X-Request-Id"), found.id) {
			t.Fatalf("%q: %q, %q", come, found.language, found.id)
		}
	})
}

// BenchmarkRefusal is a refusal with all that the kernel does for it, and who asks: what of
// it is the server's is the difference of both.
func BenchmarkRefusal(b *testing.B) {
	e := start(b)
	e.server.shed.waits = func() time.Duration { return 10 * time.Second }
	for name, headers := range map[string][]string{"at the door": nil, "parsed": {"X-Odd: 1"}} {
		b.Run(name, func(b *testing.B) {
			text := []byte(plainRequest("/v1/contests/x", `{"ballot":"01a21cd5-6133-7a35-b8d4-4c59e36a4944","entry":"e"}`, append(headers, "Authorization: Bearer "+strings.Repeat("x", 300))...))
			open := make([]net.Conn, 256)
			for i := range open {
				var err error
				open[i], err = net.Dial("tcp", e.addr)
				must(b, err)
				defer open[i].Close()
			}
			answer := make([]byte, 4<<10)
			began := used(b)
			for i := 0; b.Loop(); i++ {
				c := open[i%len(open)]
				if i >= len(open) {
					_, err := c.Read(answer)
					must(b, err)
				}
				_, err := c.Write(text)
				must(b, err)
			}
			b.ReportMetric(float64((used(b)-began).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

func used(b *testing.B) time.Duration {
	var r syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// A page that the contest names learns that it is too much, and when to come back; others
// cannot read that, before anything is parsed as after.
func TestTurnBack_IsReadByThePagesThatMayReadAnswers(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"embed":{"origins":["https://blog.example.org"]}`)
	pass := e.pass(path)
	e.server.shed.waits = func() time.Duration { return 10 * time.Second }
	for origin, want := range map[string]string{"https://blog.example.org": "https://blog.example.org", "https://evil.example": ""} {
		for _, more := range []string{"X-Request-Id: plain", "X-Odd: 1"} {
			a := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass, "Origin: "+origin, more).want(503, "overloaded")
			if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.header.Get("Vary") != "Origin, Accept-Language" {
				t.Errorf("%s, %s: read by %q, want %q; varies by %q", origin, more, got, want, a.header.Get("Vary"))
			}
		}
	}
}
