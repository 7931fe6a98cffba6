package jsonread_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/joute/joute/internal/jsonread"
)

type thing struct {
	Text   string   `json:"text"`
	Int    int64    `json:"int"`
	Float  float64  `json:"float"`
	Flag   bool     `json:"flag"`
	Texts  []string `json:"texts"`
	Inside *thing   `json:"inside"`
}

func (t *thing) read(r *jsonread.Reader) {
	r.Object()
	for name, ok := r.Member(); ok; name, ok = r.Member() {
		switch string(name) {
		case "text":
			t.Text = r.Text()
		case "int":
			t.Int = r.Int()
		case "float":
			t.Float = r.Float()
		case "flag":
			t.Flag = r.Bool()
		case "texts":
			t.Texts = r.Texts()
		case "inside":
			t.Inside = &thing{}
			t.Inside.read(r)
		default:
			r.Fail()
		}
	}
}

var read = []string{
	`{}`, ` { } `, `{"text":"","int":0}`, "{\"text\" :\t\"é\u2028\" ,\n\"int\":-12}\r\n", `{"float":-0,"int":-0}`, `{"float":12.50,"flag":true,"texts":[]}`,
	`{"texts":["a", "b" ],"inside":{"inside":{"flag":false,"text":"x"},"text":"y"},"text":"z"}`, `{"int":999999999999999999,"float":9007199254740993}`,
}

func TestReader_ReadsWhatIsUsual(t *testing.T) {
	for _, text := range read {
		r := jsonread.New([]byte(text))
		var got thing
		if got.read(r); !r.End() {
			t.Errorf("%s was not read", text)
		}
	}
}

// What skims says the same of every text, and gives no strings.
func TestSkim_ReadsWhatNewReads(t *testing.T) {
	for _, text := range append(read, `{"text":"\n"}`, `{"texts":["a",]}`, `{"texts":["a"`, `{"text":"a","text":"b"}`, `{"none":1}`) {
		r, s := jsonread.New([]byte(text)), jsonread.Skim([]byte(text))
		var got, skimmed thing
		got.read(r)
		skimmed.read(s)
		if whole := r.End(); s.End() != whole || skimmed.Text != "" || len(skimmed.Texts) > 0 || whole && skimmed.Int != got.Int {
			t.Errorf("%s is read as %+v, skimmed as %+v", text, got, skimmed)
		}
	}
}

// FuzzReader holds that what is read is what the general parser reads.
func FuzzReader(f *testing.F) {
	for _, text := range append(read,
		``, `null`, `{"text":null}`, `{"text":"\n"}`, `{"text":"a","text":"b"}`, `{"inside":{"int":1,"int":2}}`, `{"int":01}`, `{"int":1.0}`, `{"int":1e3}`,
		`{"float":1.}`, `{"float":1e400}`, `{"float":.5}`, `{"flag":trueish}`, `{"texts":["a",]}`, `{"int":1,}`, `{,}`, `{"int":1}}`, `{"int":1`, `{"int" 1}`,
		`{"int":9223372036854775808}`, `{"int":-}`, "{\"text\":\"\xff\"}", "{\"text\":\"\x1f\"}", `{"none":1}`, `{"INT":1}`, `[]`, `"a"`, `{"texts":[1]}`,
		strings.Repeat(`{"inside":`, 5)+`{}`+strings.Repeat(`}`, 5), `{"int":1{"flag":true}}`, `{"inside":{}"int":1}`,
	) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := jsonread.New(text)
		var got, want thing
		if got.read(r); !r.End() {
			return
		}
		if err := json.Unmarshal(text, &want, json.RejectUnknownMembers(true)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, by the general parser as %+v, %v", text, got, want, err)
		}
	})
}
