package ballotbox

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// FuzzForm: whatever bytes a store has, they are refused or read, and what was read is read
// again from what is written of it.
func FuzzForm(f *testing.F) {
	const ballot = "h\x00\x00\x01\x9c\x00\x00\x00\x00\x00\x00\x07n-1"
	for _, seed := range []string{
		"", ballot, ballot + "|a b", ballot + "|!bought", "C" + ballot[1:] + "|!", ballot[:12] + "|", "1771000000000|2|n-1=1,n-2=1", "=0123456789abcdef", "=short",
		"open|1771000000000|7|0|5", "5|5", "1|2|3|4|day|1|0|0|earliest|9", "voter|||counted|n-1|north|1|||0123456789abcdef0123456789abcdef", "12-3", `{"votes":{"n-1":3},"last":null}`, "null",
	} {
		f.Add(seed)
	}
	s := &registry.Stored{Epoch: 7}
	f.Fuzz(func(t *testing.T, text string) {
		if cast, err := parseBallot(text, s, 1); err == nil {
			again, err := parseBallot(ballotText(&cast), s, 1)
			if err != nil || again.Entry != cast.Entry || again.Standing != cast.Standing || again.Present != cast.Present || again.Position != cast.Position || !slices.Equal(again.Reasons, cast.Reasons) && !cast.Ruled {
				t.Errorf("%q: %+v, then %+v, %v", text, cast, again, err)
			}
		}
		if k, err := parseVoter(voting.Voter{1}, text, text); err == nil && k.into != nil && joinedText(*k.into) != text {
			t.Errorf("%q is who? %v", text, *k.into)
		}
		if p, err := parseStandsAt(text); err == nil {
			if again, err := parseStandsAt(p.String()); err != nil || again != p {
				t.Errorf("%q: %+v, then %+v, %v", text, p, again, err)
			}
		}
		if gone, err := parseTrimmed(text); err == nil {
			if again, err := parseTrimmed(gone.String()); err != nil || again != gone {
				t.Errorf("%q: %+v, then %+v, %v", text, gone, again, err)
			}
		}
		if at, err := parsePlace(text); err == nil {
			if again, err := parsePlace(at.String()); err != nil || again != at {
				t.Errorf("%q: %+v, then %+v, %v", text, at, again, err)
			}
		}
		for _, kind := range []voting.Kind{voting.KindCast, voting.KindJoin, voting.KindOpen} {
			sheet, err := parseSheet(redis.XMessage{ID: "5-900", Values: map[string]any{string(kind): text}}, 7, 1)
			if err != nil {
				continue
			}
			if first, last := sheet.first(), sheet.last(); last != (place{5, 900}) || last.offset-first.offset != int64(len(sheet.records)-1) {
				t.Errorf("%q: %d records from %v to %v", text, len(sheet.records), first, last)
			}
		}
		_, _, _ = parseRules(text)
		_, _ = parsePast(text)
	})
}
