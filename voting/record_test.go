package voting_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

var castRecord = voting.Record{
	Position: voting.Position{Epoch: 7, Box: 3, Millis: 1_800_000_000_123, Offset: 42},
	Kind:     voting.KindCast, Ballot: uuid.MustParse("0198c0de-0000-7000-8000-000000000001"),
	Entry: "n-1", School: "north", Voter: voting.Voter{1, 2, 3}, Standing: voting.Held,
	Reasons: []string{"lockstep"}, Actor: voting.ActorScreen,
}

// The line is the leaf that is hashed and signed: another form of it, however equal,
// is another ledger.
func TestRecord_LineOfTheLedger(t *testing.T) {
	for _, row := range []struct {
		record voting.Record
		line   string
	}{
		{castRecord, `{"position":"7-3-1800000000123-42","kind":"cast","ballot":"0198c0de-0000-7000-8000-000000000001",` +
			`"at":"2027-01-15T08:00:00.123Z","entry":"n-1","school":"north","voter":"04106000000000000000000000",` +
			`"standing":"held","reasons":["lockstep"],"actor":"screen"}`},
		{voting.Record{Position: voting.Position{Epoch: 7, Millis: 1_800_000_000_000, Offset: 1}, Kind: voting.KindRules,
			Actor: voting.ActorOrganizer, Version: 2},
			`{"position":"7-0-1800000000000-1","kind":"rules","at":"2027-01-15T08:00:00.000Z","actor":"organizer","version":2}`},
		{voting.Record{Position: voting.Position{Epoch: 7, Millis: 1_800_000_000_000, Offset: 2}, Kind: voting.KindCast, Ballot: castRecord.Ballot,
			Entry: "n-1", School: "north", Voter: castRecord.Voter, Standing: voting.Counted, Actor: voting.ActorVoter, Present: true},
			`{"position":"7-0-1800000000000-2","kind":"cast","ballot":"0198c0de-0000-7000-8000-000000000001","at":"2027-01-15T08:00:00.000Z",` +
				`"entry":"n-1","school":"north","voter":"04106000000000000000000000","standing":"counted","actor":"voter","present":true}`},
		{voting.Record{Position: voting.Position{Epoch: 7, Box: 63, Millis: 1_800_000_000_999, Offset: 3}, Kind: voting.KindVoid, Ballot: castRecord.Ballot,
			Entry: "n-1", School: "north", Voter: castRecord.Voter, Standing: voting.Void, Reasons: []string{"lockstep", "<&>\u2028é"}, Actor: voting.ActorDetector,
			Policy: "p1", Model: "m2"},
			`{"position":"7-63-1800000000999-3","kind":"void","ballot":"0198c0de-0000-7000-8000-000000000001","at":"2027-01-15T08:00:00.999Z",` +
				`"entry":"n-1","school":"north","voter":"04106000000000000000000000","standing":"void","reasons":["lockstep","\u003c\u0026\u003e\u2028é"],` +
				`"actor":"detector","policy":"p1","model":"m2"}`},
		{voting.Record{Position: voting.Position{Epoch: 7, Millis: 1_800_000_000_000, Offset: 4}, Kind: voting.KindJoin, Voter: castRecord.Voter,
			Into: voting.Voter{4}, Actor: voting.ActorVoter},
			`{"position":"7-0-1800000000000-4","kind":"join","at":"2027-01-15T08:00:00.000Z","voter":"04106000000000000000000000",` +
				`"into":"0g000000000000000000000000","actor":"voter"}`},
	} {
		line, err := json.Marshal(row.record)
		if err != nil || string(line) != row.line {
			t.Errorf("%v\n%s\n%s", err, line, row.line)
		}
		var back voting.Record
		if err := json.Unmarshal(line, &back); err != nil || !reflect.DeepEqual(back, row.record) {
			t.Errorf("read back %+v, %v", back, err)
		}
	}
}

func TestRecord_ReadersSkipWhatTheyDoNotKnow(t *testing.T) {
	var r voting.Record
	err := json.Unmarshal([]byte(`{"position":"7-0-5-1","kind":"blessing","at":"2027-01-15T08:00:00.000Z","actor":"pope","halo":[1]}`), &r)
	if err != nil {
		t.Fatal(err)
	}
	f := voting.NewFold()
	f.Add(r)
	if tally := f.Tally(); tally.Offset != 1 || tally.Counted != 0 {
		t.Fatalf("%+v", tally)
	}
}

func TestFold_CountsBallotsByTheirLastStanding(t *testing.T) {
	f := voting.NewFold()
	add := func(kind voting.Kind, voter byte, standing voting.Standing) {
		r := castRecord
		r.Kind, r.Voter, r.Standing = kind, voting.Voter{voter}, standing
		r.Position.Offset++
		f.Add(r)
	}
	// One ballot id, sent by five voters: five ballots.
	add(voting.KindCast, 1, voting.Counted)
	add(voting.KindCast, 2, voting.Counted)
	add(voting.KindVoid, 2, voting.Void)
	add(voting.KindCast, 3, voting.Held)
	add(voting.KindRelease, 3, voting.Counted)
	add(voting.KindCast, 4, voting.Counted)
	add(voting.KindWithdraw, 4, voting.Withdrawn)
	add(voting.KindCast, 5, voting.Held)
	tally := f.Tally()
	if tally.Votes["n-1"] != 2 || tally.Counted != 2 || tally.Held != 1 || tally.Void != 1 || tally.Withdrawn != 1 || tally.Offset != 8 {
		t.Fatalf("%+v", tally)
	}
}

func TestParsePosition(t *testing.T) {
	for _, bad := range []string{
		"7", "7-1", "7-0-5", "7-0-5-1-2", "a-0-5-1", "7-64-5-1", "7-0-5--1", "-7-0-5-1", "07-0-5-1", "7-0-5-1 ",
		"9223372036854775808-0-5-1", "+7-0-5-1", "７-0-5-1",
	} {
		if p, err := voting.ParsePosition(bad); !errors.Is(err, voting.ErrPosition) {
			t.Errorf("%q: %+v, %v", bad, p, err)
		}
	}
	if p, err := voting.ParsePosition(""); err != nil || p != (voting.Position{}) {
		t.Errorf("the beginning: %+v, %v", p, err)
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("7-3-1800000000123-42")
	f.Add("")
	f.Add("----")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := voting.ParsePosition(text); err == nil && p.String() != text && text != "0-0-0-0" {
			t.Fatalf("%q is read as %q", text, p)
		}
	})
}

func FuzzRecord_UnmarshalJSON(f *testing.F) {
	line, err := json.Marshal(castRecord)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"position":"","kind":"cast"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r, back voting.Record
		if json.Unmarshal(line, &r) != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}

func TestFormatTime_IsTheFormat(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.UnixMilli(1_800_000_000_007), time.Date(2026, 12, 29, 23, 59, 59, 999_999_999, time.FixedZone("", 3600)),
		time.UnixMilli(-1), time.Date(9999, 1, 2, 3, 4, 5, 60_000_000, time.UTC), time.Date(-1, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(12345, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		if got, want := voting.FormatTime(at), at.UTC().Format(voting.TimeFormat); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}
