// Package antifraud answers one question: may this attempt count?
//
// It is pure: no Redis, no HTTP. The edge reads what it saw of a request into
// an [Attempt]; an [EvidenceKey] turns that into [Evidence], the only form that
// is ever kept. Evidence is apart from the ledger, keyed per contest, and
// expires; the ledger says what was counted, evidence says what was seen.
package antifraud

import (
	"net/netip"
	"time"
)

// Referrer says, in one closed word, where a visitor came from.
type Referrer string

// The kinds of [Referrer].
const (
	ReferrerSite   Referrer = "site"
	ReferrerSearch Referrer = "search"
	ReferrerSocial Referrer = "social"
	ReferrerShare  Referrer = "share"
	ReferrerEmbed  Referrer = "embed"
	ReferrerDirect Referrer = "direct"
)

// Known reports whether r is one of the kinds above.
func (r Referrer) Known() bool {
	switch r {
	case ReferrerSite, ReferrerSearch, ReferrerSocial, ReferrerShare, ReferrerEmbed, ReferrerDirect:
		return true
	}
	return false
}

// NetKind says what sort of network an address is of.
type NetKind string

// The kinds of [NetKind].
const (
	NetHosting     NetKind = "hosting"
	NetVPN         NetKind = "vpn"
	NetTor         NetKind = "tor"
	NetMobile      NetKind = "mobile"
	NetCampus      NetKind = "campus" // of a school of this contest
	NetResidential NetKind = "residential"
	NetUnknown     NetKind = "unknown"
)

// Suspicious tells the kinds that are rare among voters.
func (k NetKind) Suspicious() bool { return k == NetHosting || k == NetVPN || k == NetTor }

// Client is what the page or the widget says it saw. It is evidence and never
// proof: whoever writes the request writes this too. A nil number or flag was
// not sent.
type Client struct {
	Via         string   `json:"via,omitempty"`
	Referrer    Referrer `json:"referrer,omitempty"`
	EmbedOrigin string   `json:"embed_origin,omitempty"`
	DwellMS     *int64   `json:"dwell_ms,omitempty"`
	ConfirmMS   *int64   `json:"confirm_ms,omitempty"`
	Visible     *bool    `json:"visible,omitempty"`
	Device      string   `json:"device,omitempty"`
}

// Profile is what a partner's pass says of the member's account.
type Profile struct {
	Followers     *int64     `json:"followers,omitempty"`
	Following     *int64     `json:"following,omitempty"`
	Posts         *int64     `json:"posts,omitempty"`
	CreatedAt     *time.Time `json:"created_at,omitempty"`
	HasPicture    *bool      `json:"has_picture,omitempty"`
	HasBio        *bool      `json:"has_bio,omitempty"`
	BioLength     *int64     `json:"bio_length,omitempty"`
	Name          string     `json:"name,omitempty"`
	Username      string     `json:"username,omitempty"`
	EmailVerified *bool      `json:"email_verified,omitempty"`
}

// Attempt is one try at casting a ballot, as the server met it. Address and
// UserAgent are in clear here and nowhere else: an Attempt lives as long as its
// request.
type Attempt struct {
	At        time.Time
	Level     string // of the pass: device, email or partner
	Present   bool   // the pass was seen in the hall
	School    bool   // the pass is proven to be of a member of the entry's school
	Opened    bool   // a page of ours carried Client.Via, and knew that its link was opened
	Address   netip.Addr
	UserAgent string
	NetKind   NetKind   // of Address; empty: it was not looked up
	ASN       uint32    // of Address; 0: not known
	Issued    time.Time // of the pass; zero: it does not say
	Account   float64   // log-odds that the profile is of a fake account; 0: nothing is known
	Churned   bool      // followers and followed of the profile moved together since its last ballot
	KnownFarm bool      // it bears the signature of a farm that is void
	Client    Client
	Profile   *Profile
}
