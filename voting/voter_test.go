package voting

import "testing"

// What somebody wrote otherwise names nobody: as a key it would be another voter.
func TestVoter_HasOneText(t *testing.T) {
	var v Voter
	for i := range v {
		v[i] = byte(17 * i)
	}
	text := v.String()
	var back Voter
	if err := back.UnmarshalText([]byte(text)); err != nil || back != v {
		t.Fatalf("%s: %v, %v", text, back, err)
	}
	last := len(text) - 1
	for _, other := range []string{text[:last] + string(text[last]+1), text[:9] + "\n" + text[9:], text[:last] + "\n", text[:last], text + "0", "", "V" + text[1:]} {
		if err := back.UnmarshalText([]byte(other)); err == nil {
			t.Errorf("%q is a voter", other)
		}
	}
}

func FuzzVoter(f *testing.F) {
	f.Add(Voter{1, 2, 3}.String())
	f.Add("vvvvvvvvvvvvvvvvvvvvvvvvvs")
	f.Add("0123456789\nabcdefghijklmnop")
	f.Fuzz(func(t *testing.T, text string) {
		var v Voter
		if err := v.UnmarshalText([]byte(text)); err == nil && v.String() != text {
			t.Errorf("%q is read as %s", text, v)
		}
	})
}
