package detect

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
)

const goodLine = `{"ballot":"b17","at":"2026-11-03T18:04:05.123Z","voter":"v9","entry":"e1","school":"s1","level":"device","new":[1],
 "evidence":{"net":"n3","block":"k1","asn":3215,"net_kind":"residential","device":"d5","agent":"a2","via":"s7","referrer":"site","embed_origin":"https://b",
 "dwell_ms":5400,"confirm_ms":900,"visible":true,"present":false,"school_domain":true,"unheard":{"of":1},
 "profile":{"followers":10,"following":900,"posts":0,"age_days":3,"has_picture":false,"has_bio":false,"bio_length":0,"name_digits":0.4,"shoe":46}}}`

func TestLines_ReadWhatEvidenceWrites(t *testing.T) {
	var l Lines
	b, err := l.Parse([]byte(goodLine))
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Evidence antifraud.Evidence }
	if err := json.Unmarshal([]byte(goodLine), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(b.Evidence, want.Evidence) || b.Evidence.Profile == nil || *b.Evidence.DwellMS != 5400 || b.Evidence.ASN != 3215 {
		t.Errorf("%+v", b.Evidence)
	}
	if b.ID != "b17" || b.Voter != "v9" || b.Entry != "e1" || b.School != "s1" || b.Level != "device" || b.At.UnixMilli() != 1793729045123 {
		t.Errorf("%+v", b)
	}
	bare, err := l.Parse([]byte(`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"dwell_ms":null}}`))
	if err != nil || !reflect.DeepEqual(bare.Evidence, antifraud.Evidence{}) {
		t.Errorf("%+v, %v", bare, err)
	}
}

func TestLines_AbsurdNumbersAreTakenAsTheirBoundAndToldOnce(t *testing.T) {
	var told []string
	l := Lines{Clamped: func(member, found string, taken float64) {
		told = append(told, fmt.Sprint(member, " ", found, " ", taken))
	}}
	line := func(evidence string) antifraud.Evidence {
		b, err := l.Parse([]byte(`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":` + evidence + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return b.Evidence
	}
	e := line(`{"dwell_ms":1e400,"confirm_ms":-5,"asn":99999999999,"profile":{"followers":1e300,"age_days":-1,"name_digits":7}}`)
	if *e.DwellMS != mostMS || *e.ConfirmMS != 0 || e.ASN != 4294967295 || *e.Profile.Followers != mostPeople || *e.Profile.AgeDays != 0 || *e.Profile.NameDigits != 1 {
		t.Errorf("%+v %+v", e, e.Profile)
	}
	line(`{"dwell_ms":1e301}`)
	if len(told) != 6 || told[1] != "evidence.dwell_ms 1e400 8.64e+07" {
		t.Errorf("%q", told)
	}
	if e := line(`{"dwell_ms":12.7}`); *e.DwellMS != 12 || len(told) != 6 {
		t.Errorf("a fraction: %d, %q", *e.DwellMS, told)
	}
}

func TestLines_SayWhatWasExpected(t *testing.T) {
	for line, want := range map[string]string{
		`[]`: "expected a ballot as a JSON object, found array", `7`: "expected a ballot as a JSON object, found number", `{"ballot"`: "a ballot as a JSON object", `nope`: "a ballot as a JSON object", `null`: "ballot: expected 1 to",
		`{"ballot":7}`: "ballot: expected a text, found number",
		`{"ballot":"b","at":"yesterday","voter":"v","entry":"e"}`:                                                      "at: expected an instant",
		`{"ballot":"b","at":"0001-01-01T00:00:00Z","voter":"v","entry":"e"}`:                                           "at: expected an instant",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","entry":"e"}`:                                                       "voter: expected 1 to",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"dwell_ms":"long"}}`:            "evidence.dwell_ms: expected a number, found string",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"dwell_ms":"1200"}}`:            "evidence.dwell_ms: expected a number, found string",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"asn":true}}`:                   "evidence.asn: expected a number, found bool",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"profile":{"name_digits":""}}}`: "evidence.profile.name_digits: expected a number, found string",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"profile":{"posts":"7x"}}}`:     "evidence.profile.posts: expected a number, found string",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"visible":1}}`:                  "evidence.visible: expected true or false, found number",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"signals":5}}`:                  "evidence.signals: expected a list, found number",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":[]}`:                             "expected an object, found array",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"` + strings.Repeat("e", 300) + `"}`:            "entry: expected 1 to 256 bytes, found 300",
		`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"profile":{"posts":{}}}}`:       "expected a number, found object",
	} {
		if _, err := new(Lines).Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// plainLine has every member that is read without encoding/json.
var plainLine = []byte(`{"ballot":"b17","at":"2026-11-03T18:04:05.123Z","voter":"v9","entry":"e1","school":"s1","level":"device",
 "evidence":{"net":"n3","block":"k1","asn":3215,"net_kind":"residential","device":"d5","agent":"a2","via":"s7","referrer":"site",
 "dwell_ms":5400,"confirm_ms":-900.25,"visible":true,"present":false,"school_domain":true,"opened":true,
 "profile":{"followers":10,"following":900,"posts":0,"age_days":3,"has_picture":false,"has_bio":true,"bio_length":0,"name_digits":0.4}}} `)

func TestReadPlain_ReadsLikeEncodingJSON(t *testing.T) {
	var want wireLine
	if err := json.Unmarshal(plainLine, &want); err != nil {
		t.Fatal(err)
	}
	if got, ok := readPlain(plainLine); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %+v\n%+v", ok, got, want)
	}
	for _, other := range []string{
		``, `{`, `{}x`, `{"ballot":"b",}`, `{"Ballot":"b"}`, `{"ballot":null}`, `{"ballot":"\u0062"}`, `{"ballot":"é"}`, `{"ballot":"b" "at":"c"}`, `{"new":1}`,
		`{"evidence":{},"evidence":{}}`, `{"evidence":{"asn":01}}`, `{"evidence":{"asn":1.}}`, `{"evidence":{"asn":-}}`, `{"evidence":{"asn":1e3}}`,
		`{"evidence":{"profile":{},"profile":{}}}`, `{"evidence":{"visible":truth}}`, `{"evidence":{"visible":tru`,
	} {
		if w, ok := readPlain([]byte(other)); ok {
			t.Errorf("%s: %+v", other, w)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(`{"ballot":"b","at":"2026-11-03T18:04:05Z","voter":"v","entry":"e","evidence":{"dwell_ms":1e400,"profile":{"name_digits":-0}}}`))
	f.Add(plainLine)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var whole wireLine
		plainly, taken := readPlain(raw)
		if err := json.Unmarshal(raw, &whole); taken && (err != nil || !reflect.DeepEqual(plainly, whole)) {
			t.Errorf("%+v\n%+v, %v", plainly, whole, err)
		}
		b, err := new(Lines).Parse(raw)
		if err != nil {
			return
		}
		in := func(n *int64, most int64) bool { return n == nil || *n >= 0 && *n <= most }
		if e := b.Evidence; b.ID == "" || b.Voter == "" || b.Entry == "" || !in(e.DwellMS, mostMS) || !in(e.ConfirmMS, mostMS) {
			t.Errorf("%+v", b)
		}
		if p := b.Evidence.Profile; p != nil && (!in(p.Followers, mostPeople) || !in(p.AgeDays, mostDays) || p.NameDigits != nil && !(*p.NameDigits >= 0 && *p.NameDigits <= 1)) {
			t.Errorf("%+v", p)
		}
		// What was read is written and read again as the same.
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := new(Lines).Parse(text)
		if err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("%+v\n%+v, %v", b, again, err)
		}
	})
}
