package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// raw sends bytes on one connection and reads all answers until it ends.
func (e *env) raw(text string) []answer {
	e.t.Helper()
	return rawTo(e.t, e.addr, text)
}

func rawTo(t testing.TB, addr, text string) []answer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, _ = io.WriteString(c, text)    // fails when the server has had enough
	_ = c.(*net.TCPConn).CloseWrite() // fails when the server has closed already
	var answers []answer
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers
		}
		body, _ := io.ReadAll(resp.Body)
		answers = append(answers, answer{t, resp.StatusCode, resp.Header, body})
	}
}

// smuggling is a request whose body, by some readings of where it ends, begins
// another one: a ballot of somebody else's connection.
type smuggling struct {
	name string
	// text is the whole of it; head begins a request to a path that takes a body.
	text func(head func(lines ...string) string, inner string) string
	// by is a careless reading that executes the inner request.
	by string
}

const chunked = "Transfer-Encoding: chunked"

func length(n int) string { return "Content-Length: " + strconv.Itoa(n) }

// smuggled are the ways to hide a request. Each is seen by a careless server: the
// test's own control.
var smuggled = []smuggling{
	{"length and chunks", both(chunked), "chunks"},
	{"chunks and length", func(head func(...string) string, inner string) string {
		return head(chunked, "Content-Length: 5") + "0\r\n\r\n" + inner
	}, "lengths"},
	{"chunked, almost", both("Transfer-Encoding: xchunked"), "chunks"},
	{"chunked after a tab", both("Transfer-Encoding:\tchunked"), "chunks"},
	{"chunked after a vertical tab", both("Transfer-Encoding: \x0bchunked"), "chunks"},
	{"chunked, quoted", both(`Transfer-Encoding: "chunked"`), "chunks"},
	{"chunked in capitals", both("Transfer-Encoding: CHUNKED"), "chunks"},
	{"space before the colon", both("Transfer-Encoding : chunked"), "chunks"},
	{"length, space before the colon", func(head func(...string) string, inner string) string {
		return head("Content-Length : "+strconv.Itoa(len(inner)), "Content-Length: 0") + inner
	}, "last length"},
	{"identity and chunked", both("Transfer-Encoding: identity", chunked), "chunks"},
	{"chunked, then not", both("Transfer-Encoding: chunked, identity"), "chunks"},
	{"gzip and chunked", both("Transfer-Encoding: gzip, chunked"), "chunks"},
	{"chunks under HTTP/1.0", func(head func(...string) string, inner string) string {
		return strings.Replace(head(chunked, length(5+len(inner))), "HTTP/1.1", "HTTP/1.0", 1) + "0\r\n\r\n" + inner
	}, "chunks"},
	{"chunks alone under HTTP/1.0", func(head func(...string) string, inner string) string {
		return strings.Replace(head(chunked), "HTTP/1.1", "HTTP/1.0", 1) + "0\r\n\r\n" + inner
	}, "chunks"},
	{"two lengths", func(head func(...string) string, inner string) string {
		return head("Content-Length: 0", length(len(inner))) + inner
	}, "lengths"},
	{"two lengths, the other way", func(head func(...string) string, inner string) string {
		return head(length(len(inner)), "Content-Length: 0") + inner
	}, "last length"},
	{"list of lengths", one("Content-Length: 0, %d"), "lengths"},
	{"length with a sign", one("Content-Length: +%d"), "lengths"},
	{"length below 0", one("Content-Length: -%d"), "lengths"},
	{"length with a space", one("Content-Length: 0 %d"), "lengths"},
	{"length in hexadecimal", one("Content-Length: 0x%x"), "lengths"},
	{"length with a fraction", one("Content-Length: 0.%d"), "lengths"},
	{"length beyond 64 bits", one("Content-Length: 0%d99999999999999999999"), "lengths"},
	{"empty length", alone("Content-Length:"), "lengths"},
	{"folded length", func(head func(...string) string, inner string) string {
		return head("X: a\r\n Content-Length: 0\r\nContent-Length:\r\n "+strconv.Itoa(len(inner))) + inner
	}, "lengths"},
	{"folded chunks", both("X: a\r\n Transfer-Encoding: chunked"), "chunks"},
	{"chunk size with letters after it", chunks("0x0\r\n\r\n"), "chunks"},
	{"chunk size with a sign", chunks("-0\r\n\r\n"), "chunks"},
	{"chunk size too large", chunks("fffffffffffffffff\r\n\r\n"), "chunks"},
	{"chunk size and a bare line feed", chunks("0\n\r\n"), "chunks"},
	{"chunk extension and a bare line feed", chunks("0;a\n\r\n"), "chunks"},
	{"NUL in a header", alone("X: a\x00b\r\nContent-Length: 0"), "lengths"},
	{"NUL in a name", alone("X\x00: a\r\nContent-Length: 0"), "lengths"},
	{"no name", alone(": a\r\nContent-Length: 0"), "lengths"},
	{"no colon", alone("nothing\r\nContent-Length: 0"), "lengths"},
	{"bare line feed before a length", one("X: a\nContent-Length: 0\r\nContent-Length: %d"), "lengths"},
	{"bare line feeds before chunks", func(head func(...string) string, inner string) string {
		return head("X: a\n"+chunked, length(5+len(inner))) + "0\r\n\r\n" + inner
	}, "chunks"},
	{"two hosts", alone("Host: other.example\r\nContent-Length: 0"), "lengths"},
}

func both(more ...string) func(func(...string) string, string) string {
	return func(head func(...string) string, inner string) string {
		return head(append([]string{length(5 + len(inner))}, more...)...) + "0\r\n\r\n" + inner
	}
}

// one is with a line that is given the inner length.
func one(line string) func(func(...string) string, string) string {
	return func(head func(...string) string, inner string) string {
		return head(fmt.Sprintf(line, len(inner))) + inner
	}
}

// alone is with a line that says the whole of it.
func alone(line string) func(func(...string) string, string) string {
	return func(head func(...string) string, inner string) string { return head(line) + inner }
}

func chunks(body string) func(func(...string) string, string) string {
	return func(head func(...string) string, inner string) string { return head(chunked) + body + inner }
}

// A request hidden in another's body is never executed: not by any reading of
// where that body ends. What is ambiguous is refused, and the connection closed.
func TestSmuggling_NoHiddenRequestIsExecuted(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	_, path = e.contest("")
	pass := e.pass(path)
	body := ballot(newBallot(), "lumiere-1")
	inner := fmt.Sprintf("POST %s/ballots HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, pass, len(body), body)
	head := func(lines ...string) string {
		return "POST " + path + "/passes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	for _, form := range smuggled {
		text := form.text(head, inner)
		answers := e.raw(text)
		for _, a := range answers {
			if a.status >= 500 {
				t.Errorf("%s: %d %s", form.name, a.status, a.body)
			}
		}
		if len(answers) > 1 || len(answers) == 1 && answers[0].status < 400 {
			t.Errorf("%s: %d answers, the first %d: want one refusal, or none", form.name, len(answers), answers[0].status)
		}
		if seen := naively(t, form.by, text); seen != 2 {
			t.Errorf("control, %s: a careless server executes %d requests, want 2", form.name, seen)
		}
	}
	// The body of a method that has none, and of what is refused before it is read,
	// is a body all the same.
	for _, first := range []string{
		"GET /livez", "HEAD /livez", "OPTIONS " + path + "/ballots", "DELETE " + path + "/ballots/x", "GET /nothing", "BREW /livez", "POST /livez",
		"POST " + path + "/ballots", "PUT " + path, "GET " + path + "/feed", "POST /c/x/vote", "GET http://other.example/livez",
	} {
		for _, more := range []string{"", "Expect: 100-continue\r\n", "Expect: nothing\r\n", "Content-Encoding: gzip\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n"} {
			for _, a := range e.raw(fmt.Sprintf("%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", first, more, len(inner), inner)) {
				if a.status >= 500 {
					t.Errorf("%s %q: %d %s", first, more, a.status, a.body)
				}
			}
		}
	}
	e.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner)
	if n := e.casts(path); n != 0 {
		t.Errorf("%d hidden ballots were cast", n)
	}
	if got := e.raw("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + inner); len(got) != 2 || got[0].status != 200 || got[1].status != 201 {
		t.Errorf("control: the same request is executed where it is not hidden: %v", got)
	}
}

// naively is how many requests a careless server executes of a text: it trims,
// takes line feeds for line ends, reads numbers as far as they go, and believes
// one header where there are two.
func naively(t *testing.T, by, text string) (executed int) {
	t.Helper()
	r := bufio.NewReader(strings.NewReader(text))
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return executed
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		lengths, inChunks := []int{}, false
		for {
			line, err = r.ReadString('\n')
			line = strings.TrimSpace(line)
			if err != nil || line == "" {
				break
			}
			name, value, _ := strings.Cut(line, ":")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "content-length":
				lengths = append(lengths, leading(strings.TrimSpace(value)))
			case "transfer-encoding":
				inChunks = inChunks || strings.Contains(strings.ToLower(value), "chunked")
			}
		}
		executed++
		switch {
		case by == "chunks" && inChunks:
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return executed
				}
				size := leading(line)
				if _, err := io.CopyN(io.Discard, r, int64(size)+2); err != nil || size == 0 {
					break
				}
			}
		case by == "last length" && len(lengths) > 0:
			_, _ = r.Discard(lengths[len(lengths)-1])
		case len(lengths) > 0:
			_, _ = r.Discard(lengths[0])
		}
	}
}

// leading is the number a text begins with, 0 where it begins with none.
func leading(text string) int {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(text[:end])
	if err != nil {
		return 0
	}
	return n
}

// Which host a request is for is said once: what is in doubt is refused, as is
// what may stand for two lines.
func TestSmuggling_WhatIsAmbiguousIsRefused(t *testing.T) {
	e := start(t)
	for name, text := range map[string]string{
		"two hosts":                    "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"two hosts, the same":          "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
		"another host in the address":  "GET http://other.example/livez HTTP/1.1\r\nHost: x\r\n\r\n",
		"host with a path":             "GET /livez HTTP/1.1\r\nHost: x/y\r\n\r\n",
		"host with a user":             "GET /livez HTTP/1.1\r\nHost: a@x\r\n\r\n",
		"host with a space":            "GET /livez HTTP/1.1\r\nHost: x y\r\n\r\n",
		"host list":                    "GET /livez HTTP/1.1\r\nHost: x, y\r\n\r\n",
		"folded line":                  "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
		"first line folded":            "GET /livez HTTP/1.1\r\n X: a\r\nHost: x\r\n\r\n",
		"NUL in a value":               "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
		"NUL in a name":                "GET /livez HTTP/1.1\r\nHost: x\r\nX\x00: a\r\n\r\n",
		"NUL in the address":           "GET /livez\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
		"carriage return in a value":   "GET /livez HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
		"space before the colon":       "GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
		"space in a name":              "GET /livez HTTP/1.1\r\nHost: x\r\nX Y: a\r\n\r\n",
		"no colon":                     "GET /livez HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
		"bare line feeds":              "GET /livez HTTP/1.1\nHost: x\n\n",
		"bare line feed in the header": "GET /livez HTTP/1.1\r\nHost: x\nX: a\r\n\r\n",
		"bare carriage returns":        "GET /livez HTTP/1.1\rHost: x\r\r",
		"version 0.9":                  "GET /livez HTTP/0.9\r\nHost: x\r\n\r\n",
		"version 2":                    "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n",
		"version 1.11":                 "GET /livez HTTP/1.11\r\nHost: x\r\n\r\n",
		"version in small letters":     "GET /livez http/1.1\r\nHost: x\r\n\r\n",
		"more after the version":       "GET /livez HTTP/1.1 x\r\nHost: x\r\n\r\n",
		"two spaces":                   "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
		"no address":                   "GET HTTP/1.1\r\nHost: x\r\n\r\n",
		"method with a colon":          "GE:T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answers := rawTo(t, e.addr, text)
			if len(answers) > 1 || len(answers) == 1 && (answers[0].status < 400 || answers[0].status >= 500) {
				t.Errorf("%d answers, the first %d: %s", len(answers), answers[0].status, answers[0].body)
			}
		})
	}
}
