package sweep

import (
	"testing"
	"time"
)

// A sweep is kept before what it decided: whoever goes by it alone asks too soon.
func TestSweep_IsWrittenWhenItsDecisionsAre(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	s := Sweep{AtMS: at.UnixMilli(), Decided: 2}
	before, after := at.Add(-time.Second), at.Add(time.Second)
	for name, c := range map[string]struct {
		decisions []time.Time
		written   bool
	}{
		"none":                 {nil, false},
		"of the sweep before":  {[]time.Time{before, before}, false},
		"one is on its way":    {[]time.Time{before, at}, false},
		"both":                 {[]time.Time{before, at, after}, true},
		"and more of the next": {[]time.Time{at, after, after}, true},
	} {
		if got := s.Written(c.decisions); got != c.written {
			t.Errorf("%s: %v", name, got)
		}
	}
	if idle := (Sweep{AtMS: s.AtMS}); !idle.Written(nil) {
		t.Error("a sweep that decided nothing is not over")
	}
}
