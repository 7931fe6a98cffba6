package web

import (
	"net/url"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
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
	maxAgent     = 1024 // user agents longer than this differ in nothing that helps
	maxDwellMS   = 86_400_000
)

var (
	viaShape   = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)
	entryShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

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
	check.expect(entryShape.MatchString(b.Entry), "entry", "the id of an entry")
	check.expect(len(b.Challenge) <= maxChallenge, "challenge", "at most 4096 bytes")
	check.expect(viaShape.MatchString(b.Client.Via), "client.via", "at most 64 of A-Z a-z 0-9 _ -")
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

// attempt is what the server saw of the request. It lives as long as this
// request: only its Evidence, keyed, is ever kept.
func (s *Server) attempt(c *fiber.Ctx, stored *registry.Stored, entry string, pass voting.Pass, client antifraud.Client) antifraud.Attempt {
	e, _ := stored.Contest.Entry(entry)
	agent, from := header(c, fiber.HeaderUserAgent), s.address(c)
	network := s.network(stored, from)
	return antifraud.Attempt{
		At: time.Now(), Level: string(pass.Level), Address: from, UserAgent: agent[:min(len(agent), maxAgent)],
		NetKind: network.Kind, ASN: network.ASN, Issued: pass.Issued,
		Client: client, Profile: pass.Profile, Present: pass.Present, School: pass.School != "" && pass.School == e.School,
	}
}
