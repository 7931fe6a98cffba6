package antifraud_test

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

func TestSteps_OnlyWhatAnswersEveryReason(t *testing.T) {
	for _, row := range []struct{ reasons, steps string }{
		{"[unproven]", "[email presence appeal]"},
		{"[lockstep]", "[email presence appeal]"},
		{"[unproven lockstep]", "[email presence appeal]"},
		{"[unproven known-farm]", "[appeal]"},
		{"[known-farm]", "[appeal]"},
		{"[same-voter]", "[appeal]"},
		{"[policy]", "[appeal]"},
		{"[because-i-say-so]", "[appeal]"},
		{"[unproven because-i-say-so]", "[appeal]"},
		{"[]", "[appeal]"},
	} {
		steps := antifraud.Steps(fields(row.reasons))
		if got := fmt.Sprint(steps); got != row.steps {
			t.Errorf("%s: %s, want %s", row.reasons, got, row.steps)
		}
		for _, proof := range []antifraud.Step{antifraud.StepEmail, antifraud.StepPresence, antifraud.StepChallenge, antifraud.StepAppeal, "", "luck"} {
			offered := false
			for _, step := range steps {
				offered = offered || step == proof && proof != antifraud.StepAppeal
			}
			if got := antifraud.Releases(fields(row.reasons), proof); got != offered {
				t.Errorf("%s: %q releases: %v", row.reasons, proof, got)
			}
		}
	}
}
