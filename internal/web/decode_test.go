package web

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode_NamesThePlaceAndWhatWasExpected(t *testing.T) {
	for body, want := range map[string]fault{
		`{"entry":1}`:                           {Path: "entry", Message: "expected a string"},
		`{"client":{"dwell_ms":"x"}}`:           {Path: "client.dwell_ms", Message: "expected a whole number"},
		`{"client":{"visible":1}}`:              {Path: "client.visible", Message: "expected true or false"},
		`{"client":[]}`:                         {Path: "client", Message: "expected an object"},
		`{"client":{"x":1}}`:                    {Path: "client.x", Message: "this member is not known here"},
		`{"entry":"a","entry":"b"}`:             {Path: "entry", Message: "expected this member once, found it twice"},
		`{"` + strings.Repeat("é", 90) + `":1}`: {Path: strings.Repeat("é", 50) + "…", Message: "this member is not known here"},
		`[]`:                                    {Message: "expected an object"},
		` null`:                                 {Message: "expected a JSON object"},
	} {
		var p *problem
		if err := decodeJSON([]byte(body), &castBody{}); !errors.As(err, &p) || len(p.errors) != 1 || p.errors[0] != want {
			t.Errorf("%s: %+v, want %+v", body, err, want)
		}
	}
	var p *problem
	if err := decodeJSON([]byte(`{"ballots":["a",2]}`), &standingsBody{}); !errors.As(err, &p) || p.errors[0].Path != "ballots[1]" {
		t.Errorf("%+v", err)
	}
}

// usualBody has all that a page sends.
const usualBody = `{"ballot":"0198c0de-0000-7000-8000-000000000000","entry":"lumiere-1","challenge":"c3R1ZmY=",
	"client":{"via":"k3x9","referrer":"site","embed_origin":"https://blog.example.org","dwell_ms":5400,"confirm_ms":900,"visible":true,"device":"Zoé's phone"}}`

func TestCastBody_IsReadWithoutReflection(t *testing.T) {
	if !new(castBody).read([]byte(usualBody)) {
		t.Errorf("%s is left to the general parser", usualBody)
	}
}

func BenchmarkCastBody(b *testing.B) {
	for name, read := range map[string]func() bool{
		"read":       func() bool { return new(castBody).read([]byte(usualBody)) },
		"decodeJSON": func() bool { return decodeJSON([]byte(usualBody), &castBody{}) == nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !read() {
					b.Fatal("not read")
				}
			}
		})
	}
}

// Whatever is sent, it is a body that encoding/json reads alike, or a problem
// that can be encoded.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{usualBody, `{"ballot":"0198c0de-0000-7000-8000-000000000000","entry":"a"}`, `{"entry":"a","entry":"b"}`, `{"client":{"via":"\u0000"}}`, "{", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, quick castBody
		err := decodeJSON(body, &b)
		if quick.read(body) && (err != nil || !reflect.DeepEqual(quick, b)) {
			t.Fatalf("%q is read without reflection as %+v, else as %+v, %v", body, quick, b, err)
		}
		if err == nil {
			var other castBody
			if err := json.Unmarshal(body, &other); err != nil {
				t.Fatalf("%q was read: %v", body, err)
			}
			if other.Entry != b.Entry || !utf8.ValidString(b.Entry) {
				t.Fatalf("%q: entry %q, by encoding/json %q", body, b.Entry, other.Entry)
			}
			_, err = b.check()
		}
		var p *problem
		if err != nil && !errors.As(err, &p) {
			t.Fatalf("%q: %v is no problem", body, err)
		}
		if p != nil && (p.status != 400 || len(p.errors) == 0 || len(p.errors[0].Path) > maxShownPath+3) {
			t.Fatalf("%q: %+v", body, p)
		}
	})
}
