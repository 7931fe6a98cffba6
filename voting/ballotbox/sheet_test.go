package ballotbox

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/voting"
)

// A sheet has its records one behind another, whatever bytes their ids have, and each
// its own of what was seen.
func TestSheet_RecordsAreToldApart(t *testing.T) {
	ids := func(of string) string { return strings.Repeat(of, 32) } // a bar among them ends no value
	sheet, err := parseSheet(redis.XMessage{ID: "1700-9", Values: map[string]any{"cast": "voter|||counted|n-1|north|1|||" + ids("|") +
		"screen|a b||held|s-1|south||standard/1||" + ids("\n") + "voter|||counted|n-2|north||||" + ids("\x00")}}, 3, 2)
	if err != nil || len(sheet.records) != 3 || sheet.first() != (place{1700, 7}) || sheet.last() != (place{1700, 9}) {
		t.Fatalf("%+v, %v", sheet, err)
	}
	held := sheet.records[1]
	if held.Kind != voting.KindCast || held.Standing != voting.Held || strings.Join(held.Reasons, "+") != "a+b" || held.Policy != "standard/1" ||
		held.Position != (voting.Position{Epoch: 3, Box: 2, Millis: 1700, Offset: 8}) || held.Voter[0] != '\n' || sheet.records[2].Entry != "n-2" || !sheet.records[0].Present {
		t.Errorf("%+v", sheet.records)
	}

	seen := seenEntries{entries: []redis.XMessage{{ID: "1700-5", Values: map[string]any{"seen": "five\n"}}, {ID: "1700-9", Values: map[string]any{"seen": "eight\nnine\n"}}}}
	for i, want := range []string{"five", "", "", "eight", "nine", ""} { // records without evidence are between, and behind
		if got, err := seen.of(place{1700, 5 + int64(i)}); err != nil || string(got) != want {
			t.Errorf("of %d: %q, %v", 5+i, got, err)
		}
	}
}

func TestSheet_DamageIsAnError(t *testing.T) {
	good := "voter|||counted|n-1|north||||" + strings.Repeat("i", 32)
	for name, values := range map[string]map[string]any{
		"nothing":            {},
		"an empty value":     {"cast": ""},
		"no text":            {"cast": 7},
		"two kinds":          {"cast": good, "open": good},
		"ids cut":            {"cast": good[:len(good)-1]},
		"more behind them":   {"cast": good + "voter|"},
		"an unknown stand":   {"cast": strings.Replace(good, "counted", "won", 1)},
		"a version in words": {"open": "organizer|scheduled|one|||||||"},
		"ids of nothing":     {"open": "organizer|scheduled|1|||||||" + strings.Repeat("i", 32)},
		"half a join":        {"join": "voter|||||||||" + strings.Repeat("i", 16)},
	} {
		if sheet, err := parseSheet(redis.XMessage{ID: "1-1", Values: values}, 1, 0); err == nil {
			t.Errorf("%s: %+v", name, sheet)
		}
	}
	if _, err := parseSheet(redis.XMessage{ID: "1-1", Values: map[string]any{"cast": good}}, 1, 0); err != nil {
		t.Error(err)
	}
}
