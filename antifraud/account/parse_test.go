package account

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParse_SaysWhatWasExpected(t *testing.T) {
	for raw, says := range map[string]string{
		`{`:                                 "expected one JSON object: not JSON at byte 1",
		`nope`:                              "not JSON at byte",
		`{"id":"a"} {"id":"b"}`:             "not JSON at byte 11",
		`{"id":"a","posts":NaN}`:            "not JSON at byte", // as a text it may be
		"{\"id\":\"\xff\"}":                 "not JSON at byte",
		`{"id":"\ud83d","name":"\ud83d"}`:   "not JSON at byte",
		`{"name":"\ud83d","name":"\ud83d"}`: "not JSON at byte",
		`{"id":"a","name":"\ud83d",}`:       "not JSON at byte",
		`[]`:                                "expected one JSON object",
		`"a"`:                               "expected one JSON object",
		`null`:                              "id: expected a text",
		`{}`:                                "id: expected a text",
		`{"id":""}`:                         "id: expected a text",
		`{"id":null}`:                       "id: expected a text",
		`{"id":7}`:                          "id: expected a text",
		`{"id":"a","username":7}`:           "username: expected a text",
		`{"id":"a","id":"b"}`:               "expected each member once",
		`{"id":"a","posts":1,"posts":2}`:    "expected each member once",
		`{"id":"a","posts":"many secrets"}`: "posts: expected a number",
		`{"id":"a","posts":"7"}`:            "posts: expected a number",
		`{"id":"a","name_digits":true}`:     "name_digits: expected a number",
		`{"id":"a","followers":{}}`:         "followers: expected a number",
		`{"id":"a","has_bio":"yes"}`:        "has_bio: expected true or false",
		`{"id":"a","has_picture":1}`:        "has_picture: expected true or false",
	} {
		_, err := Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secrets") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected %q", raw, err, says)
		}
	}
}

func TestParse_AbsurdIsClampedAndSaid(t *testing.T) {
	for _, row := range []struct {
		members, as string // scored alike
		absurd      string
	}{
		{`"followers":-3`, `"followers":0`, "followers"},
		{`"followers":1e300`, `"followers":10000000000`, "followers"},
		{`"followers":1e999`, `"followers":10000000000`, "followers"},
		{`"followers":"Infinity"`, `"followers":10000000000`, "followers"},
		{`"posts":"-inf"`, `"posts":0`, "posts"},
		{`"posts":"NaN"`, ``, "posts"},
		{`"age_days":99999`, `"age_days":36525`, "age_days"},
		{`"bio_length":1e9`, `"bio_length":1000000`, "bio_length"},
		{`"name_digits":1.5`, `"name_digits":1`, "name_digits"},
		{`"name_digits":-1`, `"name_digits":0`, "name_digits"},
		{`"name_digits":"NaN","username":"a1"`, `"name_digits":0.5`, "name_digits"},
		{`"posts":-1,"followers":-1`, `"posts":0,"followers":0`, "followers posts"},
		{`"posts":2.9`, `"posts":2`, ""},
		{`"posts":null,"has_bio":null,"username":null`, ``, ""},
		{`"posts":2,"more":{"posts":-1},"verified":"NaN"`, `"posts":2`, ""},
		{`"username":""`, ``, ""},
		{`"name":"Zo\ud83d","posts":-1,"\udc00":"\ud83d"`, `"posts":0`, "posts"},
		{`"username":"a1\ud83d\ud83d"`, `"name_digits":0.25`, ""},
	} {
		line, err := Parse([]byte(`{"id":"a",` + row.members + `}`))
		if err != nil || strings.Join(line.Absurd, " ") != row.absurd {
			t.Errorf("%s: absurd %v, %v", row.members, line.Absurd, err)
			continue
		}
		if got, want := line.Profile.Score(), parsed(t, row.as).Score(); got.LogOdds != want.LogOdds || !slices.Equal(got.Reasons, want.Reasons) {
			t.Errorf("%s: %+v, want %+v", row.members, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a0","followers":404,"following":392,"posts":23,"has_picture":true,"has_bio":true,"bio_length":25,"name_digits":0.0}`,
		`{"id":"a","username":"u42","name":"U","is_private":true,"age_days":-3,"has_url":false}`,
		`{"id":"a","posts":1e999,"followers":"NaN","following":"-Infinity","x":[{"id":1}]}`,
		`{"id":"a","id":"b"}`, `[]`, `null`, `{"id":""}`, `{`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		line, err := Parse(raw)
		if err != nil {
			if text := err.Error(); len(text) > 100 || strings.ContainsAny(text, "\n\"") {
				t.Fatalf("%q", text)
			}
			return
		}
		v := line.Profile.Score()
		if line.ID == "" || !(v.Score > 0 && v.Score < .9) || math.Abs(v.LogOdds) > most {
			t.Fatalf("%+v of %+v", v, line)
		}
		for _, n := range []*int64{line.Profile.Followers, line.Profile.Following, line.Profile.Posts, line.Profile.AgeDays, line.Profile.BioLength} {
			if n != nil && (*n < 0 || *n > mostCount) {
				t.Fatalf("%d is left", *n)
			}
		}
	})
}
