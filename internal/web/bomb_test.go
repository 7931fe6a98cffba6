package web

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// bombs are bodies of a few KiB that unpack to a gigabyte or so, by encoding.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	zeros := make([]byte, 1<<20)
	pack := func(size int, to func(io.Writer) io.WriteCloser) []byte {
		var out bytes.Buffer
		w := to(&out)
		for range size {
			_, err := w.Write(zeros)
			must(t, err)
		}
		must(t, w.Close())
		return out.Bytes()
	}
	zip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	// Members that follow each other are one stream (RFC 1952, 2.2), and made in no time:
	// to pack all of it took half a minute with the race detector.
	member := pack(1, zip)
	once := bytes.Repeat(member, 12) // what fits a body
	twice := bytes.Repeat(member, 256)
	stacked := pack(0, func(w io.Writer) io.WriteCloser {
		z := gzip.NewWriter(w)
		_, _ = z.Write(twice)
		return z
	})
	return map[string][]byte{
		"gzip": once, "x-gzip": once, "GZIP": once, "gzip, gzip": stacked,
		"deflate":  pack(12, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"br":       fasthttp.AppendBrotliBytes(nil, make([]byte, 256<<20)),
		"zstd":     fasthttp.AppendZstdBytes(nil, make([]byte, 64<<20)),
		"identity": []byte("{}"), "": []byte("{}"), "br, gzip": once, "nothing": []byte("{}"),
	}
}

// Nothing that is sent is ever unpacked: it is refused on every path, at once.
func TestBombs_AreRefusedUnopenedOnEveryPath(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	pass := e.pass(path)
	all := bombs(t)
	w := walk{env: e, contest: id, ballot: newBallot(), receipt: "x", leave: "x", captain: "x", code: "x"}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	asked, slowest := 0, time.Duration(0)
	for _, route := range e.server.app.GetRoutes(true) {
		if route.Method == http.MethodHead {
			continue
		}
		address := fiberParam.ReplaceAllStringFunc(route.Path, func(p string) string {
			if p == ":farm" {
				return "x"
			}
			return w.values(t, route.Path, p)[0]
		})
		for encoding, body := range all {
			for _, headers := range [][]string{{pass, "Content-Type: application/json"}, {asOrganizer, "Content-Type: application/x-www-form-urlencoded"}} {
				if strings.HasPrefix(encoding, "br") && len(body) > maxBody {
					t.Fatalf("%s: %d bytes are no body", encoding, len(body))
				}
				took := time.Minute
				for range 3 { // a busy machine may be slow once
					started := time.Now()
					e.encoded(route.Method, address, encoding, body, headers).want(415, "unsupported-media-type")
					if took = min(took, time.Since(started)); took < 50*time.Millisecond {
						break
					}
				}
				slowest = max(slowest, took)
				asked++
			}
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / uint64(asked); slowest > 50*time.Millisecond || each > 256<<10 {
		t.Errorf("%d bombs: the slowest took %v, each allocated %d bytes", asked, slowest, each)
	}
	t.Logf("%d bombs, the slowest answer after %v", asked, slowest)

	// The control: these are bombs.
	for encoding, open := range map[string]func(*fasthttp.Request) ([]byte, error){
		"gzip": (*fasthttp.Request).BodyGunzip, "br": (*fasthttp.Request).BodyUnbrotli, "zstd": (*fasthttp.Request).BodyUnzstd, "deflate": (*fasthttp.Request).BodyInflate,
	} {
		var r fasthttp.Request
		r.SetBodyRaw(all[encoding])
		if opened, err := open(&r); err != nil || len(all[encoding]) > maxBody || len(opened) < 8<<20 {
			t.Errorf("%s: %d bytes unpack to %d, %v", encoding, len(all[encoding]), len(opened), err)
		}
	}
	var inner, outer fasthttp.Request
	outer.SetBodyRaw(all["gzip, gzip"])
	opened, err := outer.BodyGunzip()
	must(t, err)
	inner.SetBodyRaw(opened)
	if all, err := inner.BodyGunzip(); err != nil || len(all) != 256<<20 {
		t.Errorf("gzip, gzip: unpacks to %d, %v", len(all), err)
	}
}

func (e *env) encoded(method, path, encoding string, body []byte, headers []string) answer {
	e.t.Helper()
	r, err := http.NewRequest(method, "http://"+e.addr+path, bytes.NewReader(body))
	must(e.t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	r.Header["Content-Encoding"] = []string{encoding} // also an empty one
	resp, err := client.Do(r)
	must(e.t, err)
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	must(e.t, err)
	return answer{e.t, resp.StatusCode, resp.Header, read}
}

// A body is as large as it may be, or 413, whether its length is told or not.
func TestBodies_AreBoundedToTheByte(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	pass := e.pass(path)
	sized := func(n int) string {
		text := ballot(newBallot(), "lumiere-1")
		return text + strings.Repeat(" ", n-len(text))
	}
	large := func(n int) string {
		text := contestText(id, "")
		return text + strings.Repeat(" ", n-len(text))
	}
	send := func(method, path, body, header string, told bool) int {
		length := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
		if !told {
			var b strings.Builder
			b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
			for len(body) > 0 {
				n := min(len(body), 5000)
				fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
				body = body[n:]
			}
			length = b.String() + "0\r\n\r\n"
		}
		got := e.raw(method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + header + "\r\n" + length)
		if len(got) != 1 {
			t.Fatalf("%d answers", len(got))
		}
		return got[0].status
	}
	for _, told := range []bool{true, false} {
		for _, c := range []struct {
			method, path, body, header string
			want                       []int
		}{
			{"POST", path + "/ballots", sized(maxBody), pass, []int{201, 409}},
			{"POST", path + "/ballots", sized(maxBody + 1), pass, []int{413}},
			{"PUT", path, large(maxDocument), asOrganizer, []int{200}},
			{"PUT", path, large(maxDocument + 1), asOrganizer, []int{413}},
			{"PUT", path, large(maxBody + 1), pass, []int{401, 413}},
			{"POST", path + "/standings", large(maxBody + 1), asOrganizer, []int{413}},
		} {
			got := send(c.method, c.path, c.body, c.header, told)
			if got != c.want[0] && got != c.want[len(c.want)-1] {
				t.Errorf("%s %s with %d bytes, told %v: %d, want %v", c.method, c.path, len(c.body), told, got, c.want)
			}
		}
	}
}
