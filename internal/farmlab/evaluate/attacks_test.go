package main

import (
	"testing"

	"github.com/joute/joute/internal/farmlab/attack"
)

func TestDetection_NeverIsNoSuccess(t *testing.T) {
	soon, late := 100.0, 400.0
	for name, c := range map[string]struct {
		round attack.Round
		ok    bool
	}{
		"in time":                   {attack.Round{DetectSeconds: &soon, Void: 200}, true},
		"late":                      {attack.Round{DetectSeconds: &late, Void: 200}, false},
		"never":                     {attack.Round{Counted: 200}, false},
		"ended by the door":         {attack.Round{Void: 16, Rejected: 184}, true},
		"some few, and they count":  {attack.Round{Counted: 16, Refused: 184}, false},
		"half of it void, not more": {attack.Round{Void: 60, Counted: 140}, false},
	} {
		if row := detection(c.round); row.OK != c.ok {
			t.Errorf("%s: %+v", name, row)
		}
	}
}

func TestPriced_EndlessIsReached(t *testing.T) {
	if row := priced("x", func() (float64, bool) { return 0, true }); !row.OK || row.Figure != "none survives" {
		t.Errorf("%+v", row)
	}
	if row := priced("x", func() (float64, bool) { return 9.9, false }); row.OK {
		t.Errorf("%+v", row)
	}
}
