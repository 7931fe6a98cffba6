package ballotbox

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/voting"
)

// sheetPage is how many sheets one read of a stream brings: casts wait for it, some
// hundred microseconds where twenty went through the script together.
const sheetPage = 100

// sheet is an entry of a ledger's stream: what one run of a script has recorded at once. Its
// records have their instant and their kind in common, and follow one another.
type sheet struct{ records []voting.Record }

func (s sheet) first() place { return placeOfRecord(s.records[0]) }

// last is also the stream's id of the sheet.
func (s sheet) last() place { return placeOfRecord(s.records[len(s.records)-1]) }

// parseSheet reads a stream's entry as append in box.lua writes it.
func parseSheet(m redis.XMessage, epoch int64, box int) (sheet, error) {
	last, err := parsePlace(m.ID)
	if err != nil {
		return sheet{}, err
	}
	if len(m.Values) != 1 {
		return sheet{}, fmt.Errorf("corrupt ballot box: sheet %s has no values", m.ID)
	}
	var s sheet
	for kind, value := range m.Values {
		rest, _ := value.(string)
		s.records = make([]voting.Record, 0, 1+len(rest)/usualRecord)
		for more := true; more; more = rest != "" {
			r := voting.Record{Kind: voting.Kind(kind)}
			if rest, err = parseRecord(rest, &r); err != nil {
				return sheet{}, fmt.Errorf("corrupt ballot box: sheet %s: %w", m.ID, err)
			}
			s.records = append(s.records, r)
		}
	}
	first := last.offset - int64(len(s.records)) + 1
	for i := range s.records {
		s.records[i].Position = voting.Position{Epoch: epoch, Box: box, Millis: last.millis, Offset: first + int64(i)}
	}
	return s, nil
}

// usualRecord is about how many bytes a cast's record has.
const usualRecord = 70

// parseRecord reads the first of the records that text begins with, and returns what is
// behind it: nine values, each ended by a bar, and ids, as many bytes as records like it
// have.
func parseRecord(text string, r *voting.Record) (rest string, err error) {
	var values [9]string
	for i := range values {
		var whole bool
		if values[i], text, whole = strings.Cut(text, "|"); !whole {
			return "", fmt.Errorf("a record has %d values", i)
		}
	}
	r.Actor, r.Reasons = voting.Actor(values[0]), reasons(values[1])
	version, standing := values[2], values[3]
	r.Entry, r.School, r.Present, r.Policy, r.Model = values[4], values[5], values[6] == "1", values[7], values[8]
	if version != "" {
		if r.Version, err = strconv.Atoi(version); err != nil {
			return "", fmt.Errorf("version %q", version)
		}
	}
	var first, second []byte
	switch {
	case standing != "":
		if r.Standing, err = voting.ParseStanding(standing); err != nil {
			return "", err
		}
		first, second = r.Ballot[:], r.Voter[:]
	case r.Kind == voting.KindJoin:
		first, second = r.Voter[:], r.Into[:]
	}
	if len(text) < len(first)+len(second) {
		return "", fmt.Errorf("a record ends with %d bytes of ids", len(text))
	}
	copy(first, text)
	copy(second, text[len(first):])
	return text[len(first)+len(second):], nil
}

// seenEntries are entries of an evidence stream, read beside the ledger's: each has what
// was seen of the casts of one sheet, each ended by a line end, under the sheet's place.
type seenEntries struct {
	entries []redis.XMessage
	last    place    // of the entry that is open
	lines   [][]byte // of it; nil: none is open
}

// of is what was seen of the record at a place, empty when nothing. Places must be
// asked for in their order.
func (e *seenEntries) of(at place) ([]byte, error) {
	for e.lines == nil || at.behind(e.last) { // the open entry's are all before it
		if len(e.entries) == 0 {
			return nil, nil
		}
		var err error
		if e.last, err = parsePlace(e.entries[0].ID); err != nil {
			return nil, err
		}
		text, _ := e.entries[0].Values["seen"].(string)
		e.lines, e.entries = bytes.Split([]byte(strings.TrimSuffix(text, "\n")), []byte("\n")), e.entries[1:]
	}
	back := e.last.offset - at.offset
	if e.last.millis != at.millis || back >= int64(len(e.lines)) {
		return nil, nil
	}
	return e.lines[int64(len(e.lines))-1-back], nil
}
