package antifraud

import (
	"math"
	"time"

	"github.com/joute/joute/internal/jsonread"
)

// Here is what is read for every ballot without reflection: see jsonread, and
// read_test.go, which holds it against the tags.

func given[T any](value T) *T { return &value }

// ReadJSON reads what a page says, as its tags tell. Other members fail.
func (c *Client) ReadJSON(r *jsonread.Reader) {
	r.Object()
	for name, ok := r.Member(); ok; name, ok = r.Member() {
		switch string(name) {
		case "via":
			c.Via = r.Text()
		case "referrer":
			c.Referrer = Referrer(r.Text())
		case "embed_origin":
			c.EmbedOrigin = r.Text()
		case "dwell_ms":
			c.DwellMS = given(r.Int())
		case "confirm_ms":
			c.ConfirmMS = given(r.Int())
		case "visible":
			c.Visible = given(r.Bool())
		case "device":
			c.Device = r.Text()
		default:
			r.Fail()
		}
	}
}

// ReadJSON reads what a pass says of an account, as its tags tell. Other members fail.
func (p *Profile) ReadJSON(r *jsonread.Reader) {
	r.Object()
	for name, ok := r.Member(); ok; name, ok = r.Member() {
		switch string(name) {
		case "followers":
			p.Followers = given(r.Int())
		case "following":
			p.Following = given(r.Int())
		case "posts":
			p.Posts = given(r.Int())
		case "created_at":
			p.CreatedAt = readSecond(r)
		case "has_picture":
			p.HasPicture = given(r.Bool())
		case "has_bio":
			p.HasBio = given(r.Bool())
		case "bio_length":
			p.BioLength = given(r.Int())
		case "name":
			p.Name = r.Text()
		case "username":
			p.Username = r.Text()
		case "email_verified":
			p.EmailVerified = given(r.Bool())
		default:
			r.Fail()
		}
	}
}

// ReadJSON reads evidence as [Evidence.AppendJSON] writes it. Other members fail.
func (e *Evidence) ReadJSON(r *jsonread.Reader) {
	r.Object()
	for name, ok := r.Member(); ok; name, ok = r.Member() {
		switch string(name) {
		case "net":
			e.Net = r.Text()
		case "block":
			e.Block = r.Text()
		case "asn":
			asn := r.Int()
			if asn < 0 || asn > math.MaxUint32 {
				r.Fail()
			}
			e.ASN = uint32(asn)
		case "net_kind":
			e.NetKind = NetKind(r.Text())
		case "device":
			e.Device = r.Text()
		case "agent":
			e.Agent = r.Text()
		case "via":
			e.Via = r.Text()
		case "referrer":
			e.Referrer = Referrer(r.Text())
		case "embed_origin":
			e.EmbedOrigin = r.Text()
		case "dwell_ms":
			e.DwellMS = given(r.Int())
		case "confirm_ms":
			e.ConfirmMS = given(r.Int())
		case "visible":
			e.Visible = given(r.Bool())
		case "email_verified":
			e.EmailProven = given(r.Bool())
		case "present":
			e.Present = r.Bool()
		case "school_domain":
			e.SchoolDomain = r.Bool()
		case "opened":
			e.Opened = r.Bool()
		case "signals":
			e.Signals = r.Texts()
		default: // a profile too: few have one
			r.Fail()
		}
	}
}

// readSecond reads an instant as most write it: whole seconds, UTC.
func readSecond(r *jsonread.Reader) *time.Time {
	const layout = "2006-01-02T15:04:05Z"
	text := r.Text()
	at, err := time.Parse(layout, text)
	if err != nil || len(text) != len(layout) { // it takes an hour of one digit
		r.Fail()
	}
	return &at
}
