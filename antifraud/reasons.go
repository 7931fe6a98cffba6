package antifraud

import "slices"

// Step is something a voter can do about a ballot that does not count.
type Step string

// The steps, from what costs a voter least.
const (
	StepEmail     Step = "email"     // prove an e-mail address
	StepPresence  Step = "presence"  // be in the hall
	StepChallenge Step = "challenge" // let the device work
	StepAppeal    Step = "appeal"    // write to the organizers
)

// releasing are the steps that release a ballot held for a reason. A reason that is
// not here, such as an organizer's own, is for people to decide.
var releasing = map[string][]Step{
	"unproven": {StepEmail, StepPresence},
	"lockstep": {StepEmail, StepPresence},
}

// Releases tells whether a proof is enough against every reason a ballot is held
// for. One that has no reasons is not released by any.
func Releases(reasons []string, proof Step) bool {
	for _, reason := range reasons {
		if !slices.Contains(releasing[reason], proof) {
			return false
		}
	}
	return len(reasons) > 0
}
