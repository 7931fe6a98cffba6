package contest

import (
	"os"
	"path/filepath"
	"testing"
	_ "time/tzdata" // the package leaves zones to the binary; its tests must not depend on the machine
)

// samples finds documents beside the repository, when they are there.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../shared/samples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]byte)
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(p)] = data
	}
	return found
}

func TestParse_SamplesRoundTrip(t *testing.T) {
	for name, data := range samples(t) {
		c, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := Parse(c.DocumentWithSecret())
		if err != nil {
			t.Errorf("%s: its own document: %v", name, err)
			continue
		}
		sameContest(t, c, again)
	}
}
