package antifraud

import (
	"log/slog"

	"github.com/joute/joute/contest"
)

// Action is what becomes of an attempt.
type Action string

// The actions. Reject takes signals that one attempt alone does not have: Screen
// does not ask for it yet.
const (
	Accept       Action = "accept"
	AskChallenge Action = "challenge" // accept, once a challenge is solved
	Hold         Action = "hold"
)

// Verdict is what screening says of an attempt.
type Verdict struct {
	Action  Action
	Reasons []Reason // why it is held; shared: read them only
	Score   float64  // the sum of the weights of the signals that were seen
	Policy  string   // version of the policy that decided

	// Would is what Action would be, were it not for a policy that only observes.
	Would Action
}

// LogValue implements [slog.LogValuer]: the decision, and nothing of the attempt.
func (v Verdict) LogValue() slog.Value {
	return slog.GroupValue(slog.String("action", string(v.Action)), slog.String("would", string(v.Would)), slog.Any("reasons", v.Reasons),
		slog.Float64("score", v.Score), slog.String("policy", v.Policy))
}

// signals is how many there are: the places of contest.Signals.
const signals = 6

const (
	atBase = iota
	atUnproven
	atEmail
	atPartner
	atPresent
	atSchoolDomain
)

// seen tells by place which signals an attempt shows. They are independent:
// somebody in the hall with an address of the school shows three.
func seen(a Attempt) (is [signals]bool) {
	is[atBase] = true
	is[atEmail] = a.Level == string(contest.LevelEmail)
	is[atPartner] = a.Level == string(contest.LevelPartner)
	is[atPresent] = a.Present
	is[atSchoolDomain] = a.School
	is[atUnproven] = !is[atEmail] && !is[atPartner] && !is[atPresent] && !is[atSchoolDomain]
	return is
}

var (
	becauseUnproven = []Reason{ReasonUnproven}
	becausePolicy   = []Reason{ReasonPolicy}
)

// Screen decides on an attempt by what it shows. It knows nothing of other
// attempts, remembers none, and allocates nothing.
func (p *Policy) Screen(a Attempt) Verdict {
	is := seen(a)
	v := Verdict{Action: Accept, Would: Accept, Policy: p.Version}
	for place, shown := range is {
		if shown {
			v.Score += p.weights[place]
		}
	}
	switch {
	case p.Version == "":
	case v.Score >= p.Thresholds.Hold: // also where the document puts it below Challenge
		v.Would = Hold
	case v.Score >= p.Thresholds.Challenge:
		v.Would = AskChallenge
	}
	if p.observe {
		return v
	}
	v.Action = v.Would
	if v.Action != Hold {
		return v
	}
	v.Reasons = becausePolicy
	if is[atUnproven] && p.weights[atUnproven] > 0 {
		v.Reasons = becauseUnproven
	}
	return v
}
