package detect

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/joute/joute/antifraud"
)

// Lines reads the lines of one ballot log. The zero value is ready.
type Lines struct {
	// Clamped is told of numbers that no ballot can have, each kind once; nil: nobody.
	Clamped func(member, found string, taken float64)

	told map[string]bool
}

// maxText is more than any id, key or hash of a log is long.
const maxText = 256

// Bounds of what is believed. Beyond them a number is a fault of whoever wrote the log
// or a try to outweigh all others: it is taken as the bound.
const (
	mostMS      = 86_400_000     // a day on one page
	mostPeople  = 10_000_000_000 // more accounts than there are people
	mostDays    = 40_000         // a hundred years
	mostLetters = 1_000_000
)

type wireLine struct {
	Ballot   string        `json:"ballot"`
	At       string        `json:"at"`
	Voter    string        `json:"voter"`
	Entry    string        `json:"entry"`
	School   string        `json:"school"`
	Level    string        `json:"level"`
	Evidence *wireEvidence `json:"evidence"`
}

// wireEvidence is evidence with numbers of any size.
type wireEvidence struct {
	antifraud.Evidence
	ASN       *number      `json:"asn"`
	DwellMS   *number      `json:"dwell_ms"`
	ConfirmMS *number      `json:"confirm_ms"`
	Profile   *wireProfile `json:"profile"`
}

type wireProfile struct {
	antifraud.EvidenceProfile
	Followers  *number `json:"followers"`
	Following  *number `json:"following"`
	Posts      *number `json:"posts"`
	AgeDays    *number `json:"age_days"`
	BioLength  *number `json:"bio_length"`
	NameDigits *number `json:"name_digits"`
}

// number is a number as the line writes it. A text is none, whatever is in it: a log is written by
// this program, where profiles may be of one that writes NaN.
type number string

// UnmarshalJSON refuses what is no number.
func (n *number) UnmarshalJSON(raw []byte) error {
	found := ""
	switch raw[0] {
	case '"':
		found = "string"
	case '{':
		found = "object"
	case '[':
		found = "array"
	case 't', 'f':
		found = "bool"
	default:
		*n = number(raw)
		return nil
	}
	return &json.UnmarshalTypeError{Value: found, Type: reflect.TypeFor[number]()}
}

// Parse reads a line. Members it does not know are skipped; any of evidence may be
// missing. The error says what was expected, and nothing of the line is kept then.
func (l *Lines) Parse(raw []byte) (Ballot, error) {
	w, ok := readPlain(raw)
	if !ok {
		w = wireLine{}
		if err := json.Unmarshal(raw, &w); err != nil {
			return Ballot{}, explain(err)
		}
	}
	for _, text := range []struct {
		member, value string
		least         int
	}{{"ballot", w.Ballot, 1}, {"voter", w.Voter, 1}, {"entry", w.Entry, 1}, {"school", w.School, 0}, {"level", w.Level, 0}} {
		if n := len(text.value); n < text.least || n > maxText {
			return Ballot{}, fmt.Errorf("%s: expected %d to %d bytes, found %d", text.member, text.least, maxText, n)
		}
	}
	at, err := time.Parse(time.RFC3339, w.At)
	if at = at.UTC(); err != nil || at.Year() < 2000 || at.Year() > 2199 {
		return Ballot{}, errors.New("at: expected an instant of the years 2000 to 2199 such as 2026-11-03T18:04:05.123Z")
	}
	b := Ballot{ID: w.Ballot, At: at, Voter: w.Voter, Entry: w.Entry, School: w.School, Level: w.Level}
	if w.Evidence != nil {
		b.Evidence, err = l.evidence(w.Evidence)
	}
	return b, err
}

// explain puts into words what a line has where something else was expected.
func explain(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		// Members of a type within a type are told by its name too.
		member := strings.NewReplacer("evidence.Evidence.", "evidence.", "profile.EvidenceProfile.", "profile.").Replace(kind.Field)
		return fmt.Errorf("%s: expected %s, found %s", member, named(kind.Type), kind.Value)
	}
	if kind != nil { // the whole line is something else
		return fmt.Errorf("expected a ballot as a JSON object, found %s", kind.Value)
	}
	return fmt.Errorf("expected a ballot as a JSON object: %w", err)
}

func named(kind reflect.Type) string {
	switch {
	case kind == reflect.TypeFor[number]():
		return "a number"
	case kind.Kind() == reflect.Bool:
		return "true or false"
	case kind.Kind() == reflect.String:
		return "a text"
	case kind.Kind() == reflect.Slice:
		return "a list"
	}
	return "an object"
}

func (l *Lines) evidence(w *wireEvidence) (antifraud.Evidence, error) {
	e := w.Evidence
	for _, text := range [...]string{e.Net, e.Block, e.Device, e.Agent, e.Via, e.EmbedOrigin, string(e.Referrer), string(e.NetKind)} {
		if len(text) > maxText {
			return e, fmt.Errorf("evidence: expected texts of at most %d bytes, found one of %d", maxText, len(text))
		}
	}
	if w.ASN != nil {
		e.ASN = uint32(l.number("evidence.asn", *w.ASN, math.MaxUint32))
	}
	e.DwellMS, e.ConfirmMS = l.whole("evidence.dwell_ms", w.DwellMS, mostMS), l.whole("evidence.confirm_ms", w.ConfirmMS, mostMS)
	if p := w.Profile; p != nil {
		own := p.EvidenceProfile
		own.Followers, own.Following = l.whole("evidence.profile.followers", p.Followers, mostPeople), l.whole("evidence.profile.following", p.Following, mostPeople)
		own.Posts, own.AgeDays = l.whole("evidence.profile.posts", p.Posts, mostPeople), l.whole("evidence.profile.age_days", p.AgeDays, mostDays)
		own.BioLength = l.whole("evidence.profile.bio_length", p.BioLength, mostLetters)
		if p.NameDigits != nil {
			share := l.number("evidence.profile.name_digits", *p.NameDigits, 1)
			own.NameDigits = &share
		}
		e.Profile = &own
	}
	return e, nil
}

// whole is a number without its fraction, nil where there is none.
func (l *Lines) whole(member string, n *number, most float64) *int64 {
	if n == nil {
		return nil
	}
	x := int64(l.number(member, *n, most))
	return &x
}

// number is from 0 to most.
func (l *Lines) number(member string, n number, most float64) float64 {
	x, _ := strconv.ParseFloat(string(n), 64) // JSON's numbers parse; too large ones are infinite
	taken := min(max(x, 0), most)
	if taken != x && !l.told[member] {
		if l.told == nil {
			l.told = map[string]bool{}
		}
		l.told[member] = true
		if l.Clamped != nil {
			l.Clamped(member, string(n), taken)
		}
	}
	return taken
}
