package detect

import (
	"bytes"

	"github.com/joute/joute/antifraud"
)

// readPlain reads a line as this program writes them: known members, each at most
// once where it is an object; texts of ASCII without escapes; numbers without
// exponents; no null. It is false for any other line, which may be as good: that is
// for encoding/json to say, at eight times the price. What it reads is what
// encoding/json would have read.
func readPlain(raw []byte) (w wireLine, ok bool) {
	p := plain{rest: raw}
	ok = p.object(func(member string) bool {
		switch member {
		case "ballot":
			return p.text(&w.Ballot)
		case "at":
			return p.text(&w.At)
		case "voter":
			return p.text(&w.Voter)
		case "entry":
			return p.text(&w.Entry)
		case "school":
			return p.text(&w.School)
		case "level":
			return p.text(&w.Level)
		case "evidence":
			if w.Evidence != nil {
				return false
			}
			w.Evidence = new(wireEvidence)
			return p.evidence(w.Evidence)
		}
		return false
	})
	p.blank()
	return w, ok && len(p.rest) == 0
}

// plain reads from rest; each method takes away what it read and is false where
// something else is.
type plain struct{ rest []byte }

func (p *plain) evidence(e *wireEvidence) bool {
	return p.object(func(member string) bool {
		switch member {
		case "net":
			return p.text(&e.Net)
		case "block":
			return p.text(&e.Block)
		case "asn":
			return p.number(&e.ASN)
		case "net_kind":
			return p.text((*string)(&e.NetKind))
		case "device":
			return p.text(&e.Device)
		case "agent":
			return p.text(&e.Agent)
		case "via":
			return p.text(&e.Via)
		case "referrer":
			return p.text((*string)(&e.Referrer))
		case "dwell_ms":
			return p.number(&e.DwellMS)
		case "confirm_ms":
			return p.number(&e.ConfirmMS)
		case "visible":
			e.Visible = new(bool)
			return p.truth(e.Visible)
		case "present":
			return p.truth(&e.Present)
		case "school_domain":
			return p.truth(&e.SchoolDomain)
		case "opened":
			return p.truth(&e.Opened)
		case "profile":
			if e.Profile != nil {
				return false
			}
			e.Profile = new(wireProfile)
			return p.profile(e.Profile, &e.Profile.EvidenceProfile)
		}
		return false
	})
}

func (p *plain) profile(numbers *wireProfile, looks *antifraud.EvidenceProfile) bool {
	return p.object(func(member string) bool {
		switch member {
		case "followers":
			return p.number(&numbers.Followers)
		case "following":
			return p.number(&numbers.Following)
		case "posts":
			return p.number(&numbers.Posts)
		case "age_days":
			return p.number(&numbers.AgeDays)
		case "bio_length":
			return p.number(&numbers.BioLength)
		case "name_digits":
			return p.number(&numbers.NameDigits)
		case "has_picture":
			looks.HasPicture = new(bool)
			return p.truth(looks.HasPicture)
		case "has_bio":
			looks.HasBio = new(bool)
			return p.truth(looks.HasBio)
		}
		return false
	})
}

func (p *plain) blank() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\t' || p.rest[0] == '\n' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}

// next takes a mark away, and what is blank before it.
func (p *plain) next(mark byte) bool {
	p.blank()
	if len(p.rest) == 0 || p.rest[0] != mark {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// object calls value with the name of each member, to read what it has.
func (p *plain) object(value func(member string) bool) bool {
	if !p.next('{') {
		return false
	}
	if p.next('}') {
		return true
	}
	for {
		member, ok := p.quoted()
		if !ok || !p.next(':') || !value(string(member)) {
			return false
		}
		if p.next('}') {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
}

// quoted is a text without its quotes.
func (p *plain) quoted() ([]byte, bool) {
	if !p.next('"') {
		return nil, false
	}
	for n, c := range p.rest {
		switch {
		case c == '"':
			text := p.rest[:n]
			p.rest = p.rest[n+1:]
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

func (p *plain) text(into *string) bool {
	text, ok := p.quoted()
	*into = string(text)
	return ok
}

func (p *plain) truth(into *bool) bool {
	p.blank()
	rest, is := bytes.CutPrefix(p.rest, []byte("true"))
	ok := is
	if !is {
		rest, ok = bytes.CutPrefix(p.rest, []byte("false"))
	}
	p.rest, *into = rest, is
	return ok
}

// number is a whole part without needless zeros, and perhaps a fraction.
func (p *plain) number(into **number) bool {
	p.blank()
	n := 0
	digits := func() int {
		from := n
		for n < len(p.rest) && '0' <= p.rest[n] && p.rest[n] <= '9' {
			n++
		}
		return n - from
	}
	if n < len(p.rest) && p.rest[n] == '-' {
		n++
	}
	first := n
	if whole := digits(); whole == 0 || whole > 1 && p.rest[first] == '0' {
		return false
	}
	if n < len(p.rest) && p.rest[n] == '.' {
		n++
		if digits() == 0 {
			return false
		}
	}
	x := number(p.rest[:n])
	p.rest, *into = p.rest[n:], &x
	return true
}
