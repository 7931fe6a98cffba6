package contest

import (
	"reflect"
	"testing"
)

// sameContest compares all that is exported, not only what the document shows.
func sameContest(t *testing.T, want, got *Contest) {
	t.Helper()
	if w, g := string(want.DocumentWithSecret()), string(got.DocumentWithSecret()); w != g {
		t.Errorf("documents differ:\n%s\n%s", w, g)
	}
	w, g := *want, *got
	w.location, g.location = nil, nil
	if !reflect.DeepEqual(w, g) {
		t.Errorf("contests differ:\n%+v\n%+v", w, g)
	}
}
