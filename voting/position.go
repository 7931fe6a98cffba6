package voting

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Position is the place of one record in a contest's ledger. Positions of a box
// only grow; over all boxes they are in the order (millisecond, box, offset),
// which is the order of the export, so one position is enough to resume it.
//
// In text it is `epoch-box-millisecond-offset`; callers treat it as opaque.
type Position struct {
	Epoch  int64 // of the contest in this store; a restored store starts another
	Box    int
	Millis int64 // the store's clock, Unix milliseconds
	Offset int64 // records of the box up to and including this one
}

// ErrPosition is returned for text that is no position.
var ErrPosition = errors.New("not a position")

// String is the text form; the zero position is empty.
func (p Position) String() string {
	return string(p.append(make([]byte, 0, 48)))
}

// append is String behind text.
func (p Position) append(text []byte) []byte {
	if p == (Position{}) {
		return text
	}
	for i, n := range [...]int64{p.Epoch, int64(p.Box), p.Millis, p.Offset} {
		if i > 0 {
			text = append(text, '-')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return text
}

// At is the instant of the record.
func (p Position) At() time.Time { return time.UnixMilli(p.Millis).UTC() }

// MarshalText implements [encoding.TextMarshaler].
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Position) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePosition(string(text))
	return err
}

// ParsePosition reads the text form back. Empty text is the zero position: the
// beginning of the ledger.
func ParsePosition(text string) (Position, error) {
	if text == "" {
		return Position{}, nil
	}
	var numbers [4]int64
	if strings.Count(text, "-") != len(numbers)-1 {
		return Position{}, fmt.Errorf("%w: expected epoch-box-millisecond-offset", ErrPosition)
	}
	for i := range numbers {
		var part string
		part, text, _ = strings.Cut(text, "-")
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || part[0] == '+' || part[0] == '0' && part != "0" { // one number has one spelling
			return Position{}, fmt.Errorf("%w: part %d is no decimal integer", ErrPosition, i+1)
		}
		numbers[i] = n
	}
	if numbers[1] >= 64 {
		return Position{}, fmt.Errorf("%w: there are at most 64 boxes", ErrPosition)
	}
	return Position{Epoch: numbers[0], Box: int(numbers[1]), Millis: numbers[2], Offset: numbers[3]}, nil
}
