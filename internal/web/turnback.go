package web

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// turnedBack are whole answers to ballots that are more than can be counted, by language,
// around what differs: the date, when to come back, the request's name. They are those of
// turnAway (a test holds one against the other), which comes after everything has been
// parsed, put into headers and written from there: a third of what a refusal costs. Where
// twice as many come as can be counted, that is what others are counted with.
type turnedBack struct{ head, middle, body []byte }

func newTurnedBack(away turnedAway) map[string]turnedBack {
	made := map[string]turnedBack{}
	for lang, begun := range away {
		var middle bytes.Buffer
		middle.WriteString("\r\n")
		for _, f := range []fixed{framedByNobody, noSniff, sameOriginReferrer, noStore, {variesByOrigin.name, []byte("Origin, Accept-Language")}, {[]byte("Content-Language"), []byte(lang)}} {
			fmt.Fprintf(&middle, "%s: %s\r\n", f.name, f.value)
		}
		middle.WriteString("Retry-After: ")
		made[lang] = turnedBack{head: fmt.Appendf(nil, "\r\nContent-Type: %s\r\nContent-Length: ", problemType), middle: middle.Bytes(), body: begun}
	}
	return made
}

// appendTo is a refusal of the request with this name.
func (t *turnedBack) appendTo(b []byte, id string) []byte {
	b = append(b, "HTTP/1.1 503 Service Unavailable\r\nDate: "...)
	b = fasthttp.AppendHTTPDate(b, time.Now())
	b = append(b, t.head...)
	b = strconv.AppendInt(b, int64(len(t.body)+len(id)+len(`"}`)), 10)
	b = append(b, t.middle...)
	b = append(b, errOverloaded.comeBack()...)
	b = append(append(append(b, "\r\nX-Request-Id: "...), id...), "\r\n\r\n"...)
	return append(append(append(b, t.body...), id...), `"}`...)
}

// turnBack refuses what has come on a connection while ballots are refused, where that is
// one whole ballot in plain words. It gives the answer, in the room of b, or nil: everything
// else is for fasthttp to read, and for admit to judge.
func (s *Server) turnBack(come, b []byte) []byte {
	cast, ok := plainCast(come)
	if !ok || len(cast.origin) > 0 && s.embeds(string(cast.contest), cast.origin) { // whose pages may read the answer
		return nil
	}
	s.shed.refuse(ballots)
	lang := languages[0].String()
	if len(cast.language) > 0 {
		lang = s.texts.pick(string(cast.language))
	}
	id := string(cast.id)
	if !isRequestID(id) {
		id = newRequestID()
	}
	t := s.turnedBack[lang]
	return t.appendTo(b, id)
}

// plainBallot is what matters of a ballot's request that is refused.
type plainBallot struct {
	contest, origin, language, id []byte

	hosts  int // headers that name the host
	length int // of the body, as a header says; -1: none does
}

// plainCast tells whether these bytes are one request to cast a ballot, with all of its body
// and nothing behind it, in which there is nothing that could be read in two ways. Headers
// that say how it is sent, and any that are not known here, are left to who reads all of HTTP.
func plainCast(come []byte) (found plainBallot, ok bool) {
	found.length = -1
	var rest []byte
	if found.contest, rest, ok = cutCastLine(come); !ok {
		return found, false
	}
	for {
		end := bytes.IndexByte(rest, '\r')
		if end < 0 || end+1 >= len(rest) || rest[end+1] != '\n' {
			return found, false
		}
		line := rest[:end]
		rest = rest[end+2:]
		if len(line) == 0 {
			return found, found.hosts == 1 && found.length == len(rest)
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		if !ok || !isPlainValue(value) || !found.header(name, value) {
			return found, false
		}
	}
}

// cutCastLine cuts the first line of a request to cast a ballot off, and tells in which
// contest.
func cutCastLine(come []byte) (contest, rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(come, []byte("POST /v1/contests/"))
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(rest, '/')
	if end < 1 || !isEntryID(string(rest[:end])) {
		return nil, nil, false
	}
	contest = rest[:end]
	rest, ok = bytes.CutPrefix(rest[end:], []byte("/ballots HTTP/1.1\r\n"))
	return contest, rest, ok
}

// isPlainValue tells whether a header's value is printable ASCII with nothing around it.
func isPlainValue(value []byte) bool {
	if len(value) == 0 || value[0] == ' ' || value[len(value)-1] == ' ' {
		return false
	}
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// header takes a header, and tells whether it is one that is known here and may be where it is.
func (p *plainBallot) header(name, value []byte) bool {
	switch string(name) {
	case "Host":
		for _, c := range value {
			if !hostByte[c] {
				return false
			}
		}
		p.hosts++
	case "Content-Length":
		n, err := strconv.ParseUint(string(value), 10, 14)
		if err != nil || p.length >= 0 {
			return false
		}
		p.length = int(n)
	case "Accept-Language":
		return setOnce(&p.language, value)
	case "Origin":
		return setOnce(&p.origin, value)
	case "X-Request-Id":
		return setOnce(&p.id, value)
	case "Accept", "Accept-Encoding", "Authorization", "Cache-Control", "Content-Type", "Cookie", "DNT", "Pragma", "Priority", "Referer",
		"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-GPC", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto":
	default:
		return false
	}
	return true
}

// setOnce sets what was not set yet, and tells whether it was not.
func setOnce(to *[]byte, value []byte) bool {
	if *to != nil {
		return false
	}
	*to = value
	return true
}
