package window

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/joute/joute/antifraud"
)

// Sighting is what is counted of one accepted ballot, in the form in which servers
// tell it to each other: 64 bits of a hash for each value, of hashes keyed by the
// contest where the value is somebody's. 0: not seen.
type Sighting struct {
	At     int64  // ms since 1970
	Pair   uint64 // the voter and the entry
	Entry  uint64
	Block  uint64
	Via    uint64 // the share code, whatever its channel
	Own    uint64 // the voter's own share code
	Device uint64
	Agent  uint64 // of who sent no device

	Dwell, Confirm int32  // ms; -1: not told
	Issued         uint32 // minute in which the pass was made, since 1970; 0: not old
	Kind           byte   // of network: its place in netKinds
	Signs          byte   // bits of antifraud.Signs
}

// Cast is a ballot that is seen. Via and Own are share codes without channel, or
// empty.
type Cast struct {
	Voter, Entry string
	Via, Own     string
}

var netKinds = []antifraud.NetKind{"", antifraud.NetHosting, antifraud.NetVPN, antifraud.NetTor, antifraud.NetMobile, antifraud.NetCampus, antifraud.NetResidential, antifraud.NetUnknown}

const (
	signFast = 1 << iota
	signQuick
	signHidden
	signDriven
)

// Of is the sighting of a cast, of what its evidence shows.
func Of(c Cast, a *antifraud.Attempt, e *antifraud.Evidence) Sighting {
	s := Sighting{
		At: a.At.UnixMilli(), Pair: hash("pair", c.Voter, c.Entry), Entry: hash("entry", c.Entry), Block: hash("block", e.Block),
		Via: hash("code", c.Via), Own: hash("code", c.Own), Device: hash("device", e.Device), Dwell: -1, Confirm: -1,
	}
	if e.Device == "" {
		s.Agent = hash("agent", e.Agent)
	}
	if e.DwellMS != nil {
		s.Dwell = int32(*e.DwellMS) // a day of milliseconds at most
	}
	if e.ConfirmMS != nil {
		s.Confirm = int32(*e.ConfirmMS)
	}
	for place, kind := range netKinds {
		if a.NetKind == kind {
			s.Kind = byte(place)
		}
	}
	signs := a.Signs()
	for _, sign := range [...]struct {
		bit   byte
		shown bool
	}{{signFast, signs.Fast}, {signQuick, signs.Quick}, {signHidden, signs.Hidden}, {signDriven, signs.Driven}} {
		if sign.shown {
			s.Signs |= sign.bit
		}
	}
	if signs.OldPass {
		s.Issued = uint32(a.Issued.Unix() / 60)
	}
	return s
}

// hash is 64 bits of FNV-1a over texts, stirred: the same on every server, and 0
// where the last text is empty. Texts hold no NUL.
func hash(texts ...string) uint64 {
	if texts[len(texts)-1] == "" {
		return 0
	}
	h := uint64(14695981039346656037)
	for _, text := range texts {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * 1099511628211
		}
		h *= 1099511628211 // the end of a text, as if a NUL followed
	}
	return stir(h)
}

// stir is the finalizer of MurmurHash3: each bit of the answer depends on all.
func stir(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Size is how long a sighting is in Append's form.
const Size = 8*8 + 3*4 + 2

// ErrMalformed is returned for bytes that are no sightings.
var ErrMalformed = errors.New("not sightings")

// Append adds sightings to b, each Size bytes.
func Append(b []byte, seen ...Sighting) []byte {
	b = slices.Grow(b, Size*len(seen))
	for _, s := range seen {
		for _, number := range []uint64{uint64(s.At), s.Pair, s.Entry, s.Block, s.Via, s.Own, s.Device, s.Agent} {
			b = binary.BigEndian.AppendUint64(b, number)
		}
		for _, number := range []uint32{uint32(s.Dwell), uint32(s.Confirm), s.Issued} {
			b = binary.BigEndian.AppendUint32(b, number)
		}
		b = append(b, s.Kind, s.Signs)
	}
	return b
}

// Parse reads what Append wrote. Another version's bytes are an error, and none of
// them is read.
func Parse(b []byte) ([]Sighting, error) {
	if len(b)%Size != 0 {
		return nil, ErrMalformed
	}
	seen := make([]Sighting, 0, len(b)/Size)
	for ; len(b) > 0; b = b[Size:] {
		var s Sighting
		s.At = int64(binary.BigEndian.Uint64(b))
		for i, into := range []*uint64{&s.Pair, &s.Entry, &s.Block, &s.Via, &s.Own, &s.Device, &s.Agent} {
			*into = binary.BigEndian.Uint64(b[8+8*i:])
		}
		s.Dwell, s.Confirm = int32(binary.BigEndian.Uint32(b[64:])), int32(binary.BigEndian.Uint32(b[68:]))
		s.Issued, s.Kind, s.Signs = binary.BigEndian.Uint32(b[72:]), b[76], b[77]
		if s.Dwell < -1 || s.Confirm < -1 || int(s.Kind) >= len(netKinds) || s.Pair == 0 || s.Entry == 0 {
			return nil, ErrMalformed
		}
		seen = append(seen, s)
	}
	return seen, nil
}

// Time is when it was seen.
func (s *Sighting) Time() time.Time { return time.UnixMilli(s.At) }
