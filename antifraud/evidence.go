package antifraud

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strconv"
	"time"
	"unicode"

	"github.com/joute/joute/internal/jsonwrite"
	"github.com/joute/joute/internal/keyed"
)

// Evidence is what is kept of an [Attempt]: the `evidence` member of the ballot
// log. Net, Block, Device and Agent are keyed hashes: equal means the same
// value, and nothing else can be read from them once the key is gone.
type Evidence struct {
	Net          string           `json:"net,omitempty"`
	Block        string           `json:"block,omitempty"`
	ASN          uint32           `json:"asn,omitempty"`
	NetKind      NetKind          `json:"net_kind,omitempty"`
	Device       string           `json:"device,omitempty"`
	Agent        string           `json:"agent,omitempty"`
	Via          string           `json:"via,omitempty"`
	Referrer     Referrer         `json:"referrer,omitempty"`
	EmbedOrigin  string           `json:"embed_origin,omitempty"`
	DwellMS      *int64           `json:"dwell_ms,omitempty"`
	ConfirmMS    *int64           `json:"confirm_ms,omitempty"`
	Visible      *bool            `json:"visible,omitempty"`
	Profile      *EvidenceProfile `json:"profile,omitempty"`
	EmailProven  *bool            `json:"email_verified,omitempty"`
	Present      bool             `json:"present,omitempty"`
	SchoolDomain bool             `json:"school_domain,omitempty"`
	Opened       bool             `json:"opened,omitempty"`  // the link in Via, by this visitor
	Signals      []string         `json:"signals,omitempty"` // that screening saw, for [Policy.Weigh]
}

// EvidenceProfile is a [Profile] without the names a person could be found by.
type EvidenceProfile struct {
	Followers  *int64 `json:"followers,omitempty"`
	Following  *int64 `json:"following,omitempty"`
	Posts      *int64 `json:"posts,omitempty"`
	AgeDays    *int64 `json:"age_days,omitempty"`
	HasPicture *bool  `json:"has_picture,omitempty"`
	HasBio     *bool  `json:"has_bio,omitempty"`
	BioLength  *int64 `json:"bio_length,omitempty"`
	// NameDigits is the share of digits in the user name, 0 to 1.
	NameDigits *float64 `json:"name_digits,omitempty"`
}

// AppendJSON writes e behind b, as json.Marshal does.
func (e *Evidence) AppendJSON(b []byte) ([]byte, error) {
	b = append(b, '{')
	b = jsonwrite.GivenText(b, "net", e.Net)
	b = jsonwrite.GivenText(b, "block", e.Block)
	if e.ASN != 0 {
		b = strconv.AppendUint(jsonwrite.Name(b, "asn"), uint64(e.ASN), 10)
	}
	b = jsonwrite.GivenText(b, "net_kind", e.NetKind)
	b = jsonwrite.GivenText(b, "device", e.Device)
	b = jsonwrite.GivenText(b, "agent", e.Agent)
	b = jsonwrite.GivenText(b, "via", e.Via)
	b = jsonwrite.GivenText(b, "referrer", e.Referrer)
	b = jsonwrite.GivenText(b, "embed_origin", e.EmbedOrigin)
	b = jsonwrite.GivenNumber(b, "dwell_ms", e.DwellMS)
	b = jsonwrite.GivenNumber(b, "confirm_ms", e.ConfirmMS)
	b = jsonwrite.GivenFlag(b, "visible", e.Visible)
	if e.Profile != nil {
		profile, err := json.Marshal(e.Profile)
		if err != nil {
			return nil, err
		}
		b = append(jsonwrite.Name(b, "profile"), profile...)
	}
	b = jsonwrite.GivenFlag(b, "email_verified", e.EmailProven)
	b = jsonwrite.Flag(b, "present", e.Present)
	b = jsonwrite.Flag(b, "school_domain", e.SchoolDomain)
	b = jsonwrite.Flag(b, "opened", e.Opened)
	b = jsonwrite.GivenTexts(b, "signals", e.Signals)
	return append(b, '}'), nil
}

// EvidenceKey hashes what an attempt shows. There is one per contest; with it
// dies every way to tie evidence to an address. It is safe for concurrent use.
type EvidenceKey struct{ under *keyed.Hash }

// NewEvidenceKey takes 32 bytes used for nothing else.
func NewEvidenceKey(key []byte) EvidenceKey { return EvidenceKey{keyed.New(key)} }

// Evidence is a with everything that names a person or a machine hashed or
// left out.
func (k EvidenceKey) Evidence(a Attempt) Evidence {
	e := Evidence{
		Via:         a.Client.Via,
		Referrer:    a.Client.Referrer,
		EmbedOrigin: a.Client.EmbedOrigin,
		DwellMS:     a.Client.DwellMS,
		ConfirmMS:   a.Client.ConfirmMS,
		Visible:     a.Client.Visible,

		NetKind: a.NetKind, ASN: a.ASN,
		Present: a.Present, SchoolDomain: a.School, Opened: a.Opened,
	}
	hashes := hashes{under: k.under}
	hashes.add(&e.Agent, "agent", a.UserAgent)
	hashes.add(&e.Device, "device", a.Client.Device)
	if a.Address.IsValid() {
		address := a.Address.Unmap().WithZone("")
		var net, within [48]byte // text that is not kept
		hashes.add(&e.Net, "net", string(address.AppendTo(net[:0])))
		hashes.add(&e.Block, "block", string(block(address).AppendTo(within[:0])))
	}
	hashes.give()
	if p := a.Profile; p != nil {
		e.Profile = p.evidence(a.At)
		e.EmailProven = p.EmailVerified
	}
	return e
}

// Block names the network an address is of, as evidence does. The zero address is
// of none: the empty text.
func (k EvidenceKey) Block(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	var name string
	hashes := hashes{under: k.under}
	hashes.add(&name, "block", block(address.Unmap().WithZone("")).String())
	hashes.give()
	return name
}

// block is the network an address is usually handed out from: a /24 of IPv4, a
// /48 of IPv6 (RFC 6177: what one site gets; a /64 is about one household).
func block(address netip.Addr) netip.Prefix {
	bits := 48
	if address.Is4() {
		bits = 24
	}
	prefix, _ := address.Prefix(bits) // bits fit the family: no error is possible
	return prefix
}

// hashLength is that of a hash's text: 72 bits in base64.
const hashLength = 12

// hashes are those of one attempt. They are made one behind the other and become one
// string in the end, of which each is a part: a ballot has four.
type hashes struct {
	under *keyed.Hash
	text  [4 * hashLength]byte
	of    [4]*string
	n     int
}

// add makes a hash: 72 bits of HMAC-SHA256 over kind and value, short enough for a log of
// millions, and two of a million values meet with probability below 1e-9. An absent value
// stays absent.
func (h *hashes) add(into *string, kind, value string) {
	if value == "" {
		return
	}
	sum := h.under.Sum(kind, "\x00", value)
	base64.RawURLEncoding.Encode(h.text[h.n*hashLength:], sum[:hashLength/4*3])
	h.of[h.n] = into
	h.n++
}

// give puts each hash where it was asked for.
func (h *hashes) give() {
	text := string(h.text[:h.n*hashLength])
	for i, into := range h.of[:h.n] {
		*into = text[i*hashLength : (i+1)*hashLength]
	}
}

func (p *Profile) evidence(at time.Time) *EvidenceProfile {
	e := &EvidenceProfile{
		Followers: p.Followers, Following: p.Following, Posts: p.Posts,
		HasPicture: p.HasPicture, HasBio: p.HasBio, BioLength: p.BioLength,
	}
	if p.CreatedAt != nil && !at.Before(*p.CreatedAt) {
		days := int64(at.Sub(*p.CreatedAt).Hours() / 24)
		e.AgeDays = &days
	}
	e.NameDigits = NameDigits(p.Username)
	return e
}

// NameDigits is the share of digits in a user name; nil for the empty one.
func NameDigits(username string) *float64 {
	if username == "" {
		return nil
	}
	digits, all := 0, 0
	for _, r := range username {
		all++
		if unicode.IsDigit(r) {
			digits++
		}
	}
	share := float64(digits) / float64(all)
	return &share
}
