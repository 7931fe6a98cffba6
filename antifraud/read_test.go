package antifraud_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/jsonread"
)

const (
	usualClient = `{"via":"k3x9","referrer":"site","embed_origin":"https://blog.example.org","dwell_ms":5400,"confirm_ms":900,"visible":true,"device":"fingerprint"}`
	usualSeen   = `{"net":"abcdefghijkl","block":"mnopqrstuvwx","asn":3215,"net_kind":"mobile","device":"yzABCDEFGHIJ","agent":"KLMNOPQRSTUV","via":"k3x9","referrer":"site",` +
		`"embed_origin":"https://blog.example.org","dwell_ms":5400,"confirm_ms":900,"visible":true,"email_verified":true,"present":true,"school_domain":true,"opened":true,"signals":["partner","device-window=1.5"]}`
	usualProfile = `{"followers":10,"following":900,"posts":0,"created_at":"2026-12-29T12:00:00Z","has_picture":false,"has_bio":true,"bio_length":3,"name":"Zoé","username":"zoe42","email_verified":true}`
)

func TestReadJSON_ReadsWhatIsUsual(t *testing.T) {
	var c antifraud.Client
	r := jsonread.New([]byte(usualClient))
	if c.ReadJSON(r); !r.End() {
		t.Errorf("not read: %s", usualClient)
	}
	var e antifraud.Evidence
	r = jsonread.New([]byte(usualSeen))
	if e.ReadJSON(r); !r.End() {
		t.Errorf("not read: %s", usualSeen)
	}
	var p antifraud.Profile
	r = jsonread.New([]byte(usualProfile))
	if p.ReadJSON(r); !r.End() {
		t.Errorf("not read: %s", usualProfile)
	}
}

// A member that only the general parser reads costs every ballot that has it three times
// the time, and nothing else would tell.
func TestReadJSON_ReadsEveryMember(t *testing.T) {
	e := whole[antifraud.Evidence]()
	e.Profile = nil // left to the general parser: few have one
	readsAll(t, whole[antifraud.Client](), (*antifraud.Client).ReadJSON)
	readsAll(t, whole[antifraud.Profile](), (*antifraud.Profile).ReadJSON)
	readsAll(t, e, (*antifraud.Evidence).ReadJSON)
}

func readsAll[T any](t *testing.T, want T, read func(*T, *jsonread.Reader)) {
	t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	r := jsonread.New(text)
	if read(&got, r); !r.End() || !reflect.DeepEqual(got, want) {
		t.Errorf("of %s is read %+v", text, got)
	}
}

// whole is a T of which every member says something.
func whole[T any]() (value T) {
	fill(reflect.ValueOf(&value).Elem())
	return value
}

func fill(v reflect.Value) {
	if _, instant := v.Interface().(time.Time); instant {
		v.Set(reflect.ValueOf(time.Date(2026, 12, 29, 12, 0, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("word")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Uint32:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		panic("a member of a kind that fill does not know: " + v.Type().String())
	}
}

// FuzzReadJSON holds what is read against the general parser, which goes by the tags.
func FuzzReadJSON(f *testing.F) {
	for _, text := range []string{
		usualClient, usualProfile, usualSeen, `{"asn":4294967296}`, `{"asn":-1}`, `{"signals":[]}`, `{"profile":{"posts":1}}`, `{"dwell_ms":1.5}`, `{"via":null}`, `{"created_at":"2026-02-30T12:00:00Z"}`,
		`{"created_at":"2026-12-29T12:00:00+01:00"}`, `{"created_at":"2026-12-29T24:00:00Z"}`, `{"created_at":"2026-12-29T1:00:00Z"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		same := func(got, want any, r *jsonread.Reader) {
			if !r.End() {
				return
			}
			if err := json.Unmarshal(text, want, json.RejectUnknownMembers(true)); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q is read as %+v, by the general parser as %+v, %v", text, got, want, err)
			}
		}
		var c antifraud.Client
		r := jsonread.New(text)
		c.ReadJSON(r)
		same(&c, &antifraud.Client{}, r)
		var e antifraud.Evidence
		r = jsonread.New(text)
		e.ReadJSON(r)
		same(&e, &antifraud.Evidence{}, r)
		var p antifraud.Profile
		r = jsonread.New(text)
		p.ReadJSON(r)
		same(&p, &antifraud.Profile{}, r)
	})
}
