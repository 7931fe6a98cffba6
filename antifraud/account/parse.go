package account

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/joute/joute/antifraud"
)

// Line is one line of a file of profiles.
type Line struct {
	ID      string
	Profile Profile
	// Absurd names the members whose number no account can have. It was put to the
	// nearest that one can; what is no number at all, NaN, is not known.
	Absurd []string
}

// line is as it is written. What is not here is skipped, as are is_private, which
// students choose as often as farms do, and name, which is not ours to judge.
type line struct {
	ID         *string `json:"id"`
	Followers  *number `json:"followers"`
	Following  *number `json:"following"`
	Posts      *number `json:"posts"`
	AgeDays    *number `json:"age_days"`
	BioLength  *number `json:"bio_length"`
	NameDigits *number `json:"name_digits"`
	Username   string  `json:"username"`
	HasPicture *bool   `json:"has_picture"`
	HasBio     *bool   `json:"has_bio"`
	HasURL     *bool   `json:"has_url"`
}

// Parse reads one line. Any member but id may be missing or null; name_digits is
// counted in username where it is missing. An error says what was expected, and
// quotes nothing of the line.
func Parse(raw []byte) (Line, error) {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil && !l.torn(raw) {
		return Line{}, said(err)
	}
	if l.ID == nil || *l.ID == "" {
		return Line{}, errors.New("id: expected a text that is not empty")
	}
	out := Line{ID: *l.ID}
	whole := func(name string, n *number, most float64) *int64 {
		x, known := out.bounded(name, n, most)
		if !known {
			return nil
		}
		i := int64(x)
		return &i
	}
	out.Profile = Profile{
		EvidenceProfile: antifraud.EvidenceProfile{
			Followers:  whole("followers", l.Followers, mostCount),
			Following:  whole("following", l.Following, mostCount),
			Posts:      whole("posts", l.Posts, mostCount),
			AgeDays:    whole("age_days", l.AgeDays, mostDays),
			BioLength:  whole("bio_length", l.BioLength, mostLength),
			HasPicture: l.HasPicture,
			HasBio:     l.HasBio,
			NameDigits: antifraud.NameDigits(l.Username),
		},
		HasURL: l.HasURL,
	}
	if x, known := out.bounded("name_digits", l.NameDigits, 1); known {
		out.Profile.NameDigits = &x
	}
	return out, nil
}

// torn reads a line that has half a character: in a name that was cut within an emoji, as
// programs do that count in halves. Of a name digits are counted at most; an id is written
// again, and has to be whole.
func (l *line) torn(raw []byte) bool {
	*l = line{}
	return json.Unmarshal(raw, l, jsontext.AllowInvalidUTF8(true)) == nil && l.ID != nil && !strings.ContainsRune(*l.ID, utf8.RuneError)
}

// bounded is n between 0 and most, and notes where it was not.
func (l *Line) bounded(name string, n *number, most float64) (x float64, known bool) {
	if n == nil {
		return 0, false
	}
	x = min(max(float64(*n), 0), most)
	if x != float64(*n) { // so is NaN
		l.Absurd = append(l.Absurd, name)
	}
	return x, !math.IsNaN(x)
}

// number is any JSON number, those beyond a float64 among them, or one of the
// words that programs write for what JSON has no number for.
type number float64

var errNumber = errors.New("expected a number")

// UnmarshalJSON implements [json.Unmarshaler].
func (n *number) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if raw[0] == '"' {
		switch strings.ToLower(strings.Trim(text, `"`)) {
		case "nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity":
			text = strings.Trim(text, `"`)
		default:
			return errNumber
		}
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range it is infinite, which is right
		return errNumber
	}
	*n = number(x)
	return nil
}

// said is a sentence for a line that is no profile.
func said(err error) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("expected each member once")
	case errors.As(err, &syntactic):
		return fmt.Errorf("expected one JSON object: not JSON at byte %d", syntactic.ByteOffset)
	case !errors.As(err, &semantic) || semantic.JSONPointer == "":
		return errors.New("expected one JSON object")
	}
	member := strings.TrimPrefix(string(semantic.JSONPointer), "/") // one of line's: others are not looked into
	if errors.Is(err, errNumber) {
		return fmt.Errorf("%s: %w", member, errNumber)
	}
	if member == "id" || member == "username" {
		return fmt.Errorf("%s: expected a text", member)
	}
	return fmt.Errorf("%s: expected true or false", member)
}
