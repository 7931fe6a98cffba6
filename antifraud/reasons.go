package antifraud

import "slices"

// Reason is a code that says why a ballot is held or void. It is an alias:
// ledger and boxes keep codes as text, those of organizers among them.
type Reason = string

// The reasons that Joute gives. An organizer may write any other code.
const (
	ReasonUnproven  Reason = "unproven"   // nothing shows yet that a person of their own is behind the ballot
	ReasonPolicy    Reason = "policy"     // the contest's own policy asks for it, by no signal that a voter could change
	ReasonLockstep  Reason = "lockstep"   // came with many others, as of one hand
	ReasonKnownFarm Reason = "known-farm" // bears the signature of a farm that is void
	ReasonSameVoter Reason = "same-voter" // over the limit of a voter who is several devices

	// Why a detector counts again what was held.
	ReasonCleared     Reason = "cleared"     // what spoke against it does not any more
	ReasonUnconfirmed Reason = "unconfirmed" // nothing of a second family came while it was held
)

// Step is something a voter can do about a ballot that does not count.
type Step string

// The steps, in the order in which they are offered: an appeal is the last, as a
// person has to read it.
const (
	StepEmail     Step = "email"     // prove an address
	StepPresence  Step = "presence"  // scan the code in the hall
	StepChallenge Step = "challenge" // solve a challenge
	StepAppeal    Step = "appeal"    // write to the organizers
)

var steps = []Step{StepEmail, StepPresence, StepChallenge}

// releasing are the proofs that answer a reason. What is not in it only a person
// releases: a code of an organizer's is a person's decision, and who is known
// for a farm or for voting twice has proven enough.
var releasing = map[Reason][]Step{
	ReasonUnproven: {StepEmail, StepPresence},
	ReasonLockstep: {StepEmail, StepPresence},
}

// Releases tells whether a proof answers every one of the reasons. No proof
// releases a ballot that is held for none, and an appeal is none.
func Releases(reasons []Reason, proof Step) bool {
	for _, reason := range reasons {
		if !slices.Contains(releasing[reason], proof) {
			return false
		}
	}
	return len(reasons) > 0
}

// Steps are what can be done about a ballot held for reasons: every proof that
// releases it, and an appeal always.
func Steps(reasons []Reason) []Step {
	var open []Step
	for _, step := range steps {
		if Releases(reasons, step) {
			open = append(open, step)
		}
	}
	return append(open, StepAppeal)
}
