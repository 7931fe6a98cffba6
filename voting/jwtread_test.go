package voting

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
)

// usualClaims are those of partners, and ours.
var usualClaims = []string{
	`{"iss":"forum","sub":"ada","aud":"one","exp":1798804800,"iat":1798790000,"jti":"x","profile":{"followers":3,"created_at":"2026-01-01T00:00:00Z","name":"Zoé"}}`,
	`{"level":"email","school":"lumiere","made":1798790000,"sub":"00000000000000000000000000","aud":["one"],"exp":1798804800.5}`,
	`{"level":"device","present":true,"sub":"0198c0de-0000-7000-8000-000000000000","aud":["one","two"],"exp":1798804800,"nbf":1798790000}`,
}

func TestClaims_AreReadWithoutReflection(t *testing.T) {
	for _, text := range usualClaims {
		if !new(claims).read([]byte(text)) {
			t.Errorf("%s is left to the general parser", text)
		}
	}
}

// FuzzClaims holds what is read against the general parser, which goes by the tags.
func FuzzClaims(f *testing.F) {
	for _, text := range append(usualClaims, `{"aud":null}`, `{"aud":[]}`, `{"aud":[1]}`, `{"exp":1e9}`, `{"exp":-0}`, `{"exp":0.1}`, `{"iss":1}`, `{"iss":"a","iss":"a"}`) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want claims
		if !got.read(text) {
			return
		}
		if err := json.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, by the general parser as %+v, %v", text, got, want, err)
		}
	})
}
