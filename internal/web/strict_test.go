package web

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/valyala/fasthttp"
)

// What fasthttp reads and we call plain, its own writer writes back alike: the
// reading that a proxy has.
func FuzzPlainHead(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", "POST /v1/contests/x/ballots HTTP/1.0\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\nX: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\nX Y: z\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var h fasthttp.RequestHeader
		if h.Read(bufio.NewReaderSize(bytes.NewReader(head), maxHeaders)) != nil || !plainHead(&h) {
			return
		}
		raw := h.RawHeaders()
		if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) || bytes.Contains(raw, []byte("\n ")) || bytes.Contains(raw, []byte("\n\t")) {
			t.Fatalf("%q", raw)
		}
		if bytes.ContainsAny(h.Host(), " @/,\\\x00") {
			t.Fatalf("host %q", h.Host())
		}
		names := 0
		for range h.All() {
			names++
		}
		if lines := bytes.Count(raw, []byte("\r\n")) - 1; names > lines+1 { // a Host that is missing is made up as an empty one
			t.Fatalf("%d headers of %d lines: %q", names, lines, raw)
		}
	})
}

func BenchmarkPlainHead(b *testing.B) {
	head := "POST /v1/contests/pire-cv-video/ballots HTTP/1.1\r\nHost: vote.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: */*\r\n" +
		"Accept-Language: fr-FR,fr;q=0.9\r\nAuthorization: Bearer " + string(bytes.Repeat([]byte("a"), 300)) + "\r\nContent-Type: application/json\r\nOrigin: https://blog.example.org\r\n" +
		"X-Forwarded-For: 192.0.2.1\r\nContent-Length: 80\r\n\r\n"
	var h fasthttp.RequestHeader
	must(b, h.Read(bufio.NewReader(bytes.NewReader([]byte(head)))))
	for b.Loop() {
		if !plainHead(&h) {
			b.Fatal("not plain")
		}
	}
}
