package web

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// turnedAway has the answers to what is more than can be done, by language: what is under
// way is slowed down by every refusal, so all of it that can be is written before.
// What is missing is the request's name, which ends each.
type turnedAway map[string][]byte

func newTurnedAway(texts *catalogue) (turnedAway, error) {
	made := turnedAway{}
	for _, tag := range languages {
		lang := tag.String()
		text, err := json.Marshal(errOverloaded.document(texts, lang, ""))
		if err != nil {
			return nil, err
		}
		begun, ok := bytes.CutSuffix(text, []byte(`"}`)) // request_id is the last of a document
		if !ok {
			return nil, fmt.Errorf("the refusal does not end with the request's name: %s", text)
		}
		made[lang] = begun
	}
	return made, nil
}

var (
	problemType      = []byte("application/problem+json")
	variesByLanguage = fixed{[]byte("Vary"), []byte(fiber.HeaderAcceptLanguage)}
)

// turnAway refuses a request because there is too much to do, as fail would, in a third
// of the time.
func (s *Server) turnAway(fctx *fasthttp.RequestCtx, of class) {
	if bytes.HasPrefix(fctx.Path(), []byte("/embed")) { // who may frame it depends on the contest
		s.refuse(fctx, errOverloaded)
		return
	}
	s.shed.refuse(of)
	lang := languages[0].String()
	if accept := fctx.Request.Header.Peek(fiber.HeaderAcceptLanguage); len(accept) > 0 {
		lang = s.texts.pick(string(accept))
	}
	id := string(fctx.Request.Header.Peek(fiber.HeaderXRequestID))
	if !isRequestID(id) {
		id = newRequestID()
	}
	h := &fctx.Response.Header
	s.readRefusal(fctx)
	vary(h, variesByLanguage)
	for _, f := range []fixed{framedByNobody, noSniff, sameOriginReferrer, noStore} {
		h.SetCanonical(f.name, f.value)
	}
	h.Set(fiber.HeaderContentLanguage, lang)
	h.Set(fiber.HeaderXRequestID, id)
	h.Set(fiber.HeaderRetryAfter, errOverloaded.comeBack())
	h.SetContentTypeBytes(problemType)
	h.SetStatusCode(errOverloaded.status)
	fctx.Response.SetBodyRaw(append(append(append(make([]byte, 0, len(s.turnedAway[lang])+len(id)+2), s.turnedAway[lang]...), id...), `"}`...))
}
