package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/jsonread"
)

// castBody is the body of a cast, as it is sent.
type castBody struct {
	Ballot    *string          `json:"ballot"`
	Entry     string           `json:"entry"`
	Challenge string           `json:"challenge"`
	Client    antifraud.Client `json:"client"`
}

const (
	maxChallenge = 4 << 10
	maxOrigin    = 256
	maxDevice    = 256
	maxDwellMS   = 86_400_000
)

// isVia also takes what is absent.
func isVia(text string) bool {
	return len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// isEntryID tells the shape of an id; whether there is such an entry is another matter.
func isEntryID(text string) bool {
	return text != "" && len(text) <= 64 && text[0] != '-' && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// decode reads a body as [decode] does.
func (b *castBody) decode(c *fiber.Ctx) error {
	if err := checkType(c, typeJSON); err != nil || b.read(c.BodyRaw()) {
		return err
	}
	return decodeJSON(c.BodyRaw(), b)
}

// read reads what nearly all send without reflection. Not ok: decode it, nothing
// else is known of it. A fuzz test holds it against the tags.
func (b *castBody) read(text []byte) (ok bool) {
	r := jsonread.New(text)
	r.Object()
	for name, more := r.Member(); more; name, more = r.Member() {
		switch string(name) {
		case "ballot":
			ballot := r.Text()
			b.Ballot = &ballot
		case "entry":
			b.Entry = r.Text()
		case "challenge":
			b.Challenge = r.Text()
		case "client":
			b.Client.ReadJSON(r)
		default:
			r.Fail()
		}
	}
	if ok = r.End(); !ok {
		*b = castBody{}
	}
	return ok
}

// check is what is wrong with members that could be read; the ballot id when
// nothing is. A caller that sends no id gets one made here.
func (b *castBody) check() (uuid.UUID, error) {
	if b.Entry == "" {
		return uuid.Nil, &problem{status: 400, code: "invalid-request", say: "missing", data: map[string]any{"Path": "entry"},
			errors: []fault{{Path: "entry", Message: "expected the id of an entry, found nothing"}}}
	}
	var id uuid.UUID
	if b.Ballot == nil {
		var err error
		if id, err = uuid.NewV7(); err != nil {
			return uuid.Nil, err
		}
	} else {
		var ok bool
		if id, ok = parseBallotID(*b.Ballot); !ok {
			return uuid.Nil, invalid("ballot", "ballot")
		}
	}
	span := func(ms *int64) bool { return ms == nil || *ms >= 0 && *ms <= maxDwellMS }
	var check checks
	check.expect(isEntryID(b.Entry), "entry", "the id of an entry")
	check.expect(len(b.Challenge) <= maxChallenge, "challenge", "at most 4096 bytes")
	check.expect(isVia(b.Client.Via), "client.via", "at most 64 of A-Z a-z 0-9 _ -")
	check.expect(b.Client.Referrer == "" || b.Client.Referrer.Known(), "client.referrer", "site, search, social, share, embed or direct")
	check.expect(isOrigin(b.Client.EmbedOrigin), "client.embed_origin", "an origin such as https://blog.example.org, at most 256 bytes")
	check.expect(span(b.Client.DwellMS), "client.dwell_ms", "0 to 86400000")
	check.expect(span(b.Client.ConfirmMS), "client.confirm_ms", "0 to 86400000")
	check.expect(len(b.Client.Device) <= maxDevice, "client.device", "at most 256 bytes")
	return id, check.err()
}

// parseBallotID takes a UUID of any version in its usual form, either case. The
// nil UUID names no ballot.
func parseBallotID(text string) (uuid.UUID, bool) {
	if len(text) != 36 {
		return uuid.Nil, false // uuid.Parse also takes URNs, braces and bare hex
	}
	id, err := uuid.Parse(text)
	return id, err == nil && id != uuid.Nil
}

// isOrigin also takes what is absent.
func isOrigin(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxOrigin && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		text == u.Scheme+"://"+u.Host
}
