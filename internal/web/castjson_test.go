package web

import (
	"encoding/json"
	"testing"
	"testing/quick"
)

func TestCastAnswer_JSONIsWhatItsMembersSay(t *testing.T) {
	if err := quick.Check(func(a castAnswer) bool {
		want, err := json.Marshal(a)
		if got := a.appendJSON(nil); err != nil || string(got) != string(want)+"\n" {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
		return !t.Failed()
	}, nil); err != nil {
		t.Error(err)
	}
}
