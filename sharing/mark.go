package sharing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
)

// Marks seal that a link was opened. A page that was come to by a link carries
// it as VIA.MARK; a program that only knows the code cannot make the mark. It is
// bound to the link and the hour, not to the browser: it stays right when an
// app's own browser hands the page to another one.
type Marks struct{ key []byte }

const (
	// markHours is how many hours old a mark may be. Who comes back to a tab the
	// next evening is not told from who was given its address.
	markHours = 24

	// markAhead is how many hours the sealing server's clock may be ahead.
	markAhead = 1
)

// NewMarks takes any key of the servers: it is used for nothing but marks.
func NewMarks(key []byte) Marks {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("share mark"))
	return Marks{mac.Sum(nil)}
}

// Seal is via with the mark of having been opened at an instant.
func (m Marks) Seal(via Via, at time.Time) string {
	hour := at.Unix() / 3600
	return via.String() + "." + string(alphabet[hour&31]) + m.mac(via, hour)
}

// Open reads VIA or VIA.MARK. opened is false without a mark, and with one that
// is forged or too old; via is read all the same. Text that has not the shape of
// either is [ErrVia].
func (m Marks) Open(text string, now time.Time) (via Via, opened bool, err error) {
	head, mark, marked := strings.Cut(text, ".")
	if via, err = ParseVia(head); err != nil || !marked {
		return via, false, err
	}
	if !markShape(mark) {
		return Via{}, false, ErrVia
	}
	// The first character is the hour modulo 32, more than a mark can be old.
	digit := int64(strings.IndexByte(alphabet, mark[0]))
	newest := now.Unix()/3600 + markAhead
	hour := newest - (newest-digit)&31
	if hour < newest-markAhead-markHours {
		return via, false, nil
	}
	return via, hmac.Equal([]byte(mark[1:]), []byte(m.mac(via, hour))), nil
}

// SplitMark takes the mark off a text that has one: what is left goes into
// evidence.
func SplitMark(text string) string {
	if head, mark, marked := strings.Cut(text, "."); marked && markShape(mark) {
		return head
	}
	return text
}

func markShape(mark string) bool {
	if len(mark) != 1+codeLength || strings.IndexByte(alphabet, mark[0]) < 0 {
		return false
	}
	_, ok := undigits(mark[1:])
	return ok
}

// mac is 60 bits: a forgery is one try at the ballot box each, and a code's
// marks die within a day.
func (m Marks) mac(via Via, hour int64) string {
	mac := hmac.New(sha256.New, m.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(hour)))
	mac.Write([]byte(via.String()))
	return digits(binary.BigEndian.Uint64(mac.Sum(nil)) >> (64 - codeBits))
}
