package detect

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"

	"github.com/google/uuid"
)

// ballotID is a ballot's in 16 bytes: a UUID, where it is written as Joute writes it; of any
// other the place among the odd ones of the log, behind bytes that are no UUID of ours.
type ballotID [16]byte

// oddly begins the ids that are no UUIDs: what would begin so is kept as odd too.
var oddly = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func (l *log) idOf(text string) ballotID {
	u, err := uuid.Parse(text)
	if err == nil && len(text) == 36 && text == strings.ToLower(text) && !bytes.HasPrefix(u[:], oddly[:]) {
		return ballotID(u)
	}
	var odd ballotID
	copy(odd[:], oddly[:])
	binary.BigEndian.PutUint64(odd[len(oddly):], uint64(len(l.odd)))
	l.odd = append(l.odd, text)
	return odd
}

func (l *log) text(i ballotID) string {
	if bytes.HasPrefix(i[:], oddly[:]) {
		return l.odd[binary.BigEndian.Uint64(i[len(oddly):])]
	}
	return uuid.UUID(i).String()
}

// compare is by the texts: those of UUIDs are in the order of their bytes.
func (l *log) compare(a, b ballotID) int {
	if bytes.HasPrefix(a[:], oddly[:]) || bytes.HasPrefix(b[:], oddly[:]) {
		return cmp.Compare(l.text(a), l.text(b))
	}
	return bytes.Compare(a[:], b[:])
}
