package antifraud_test

import (
	"reflect"
	"testing"

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
