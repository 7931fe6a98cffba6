package antifraud

import (
	"log/slog"
)

// Action is what becomes of an attempt.
type Action string

// The actions.
const (
	Accept       Action = "accept"
	AskChallenge Action = "challenge" // accept, once a challenge is solved
	Hold         Action = "hold"
	Reject       Action = "reject" // only of known farms, and not who has proven an address
)

// Verdict is what screening says of an attempt.
type Verdict struct {
	Action  Action
	Reasons []Reason // why it is held or rejected, and nil otherwise; shared: read them only
	Score   float64  // the sum of the weights of the signals that were seen
	Policy  string   // version of the policy that decided
	Signals []string // what was seen, for [Policy.Weigh]; nil: nothing, and nothing is proven

	// Would is what Action would be, were it not for a policy that only observes.
	Would Action
}

// LogValue implements [slog.LogValuer]: the decision, and nothing of the attempt
// but the names of what was seen.
func (v Verdict) LogValue() slog.Value {
	return slog.GroupValue(slog.String("action", string(v.Action)), slog.String("would", string(v.Would)), slog.Any("reasons", v.Reasons),
		slog.Float64("score", v.Score), slog.String("policy", v.Policy), slog.Any("signals", v.Signals))
}

var (
	becauseUnproven  = []Reason{ReasonUnproven}
	becausePolicy    = []Reason{ReasonPolicy}
	becauseKnownFarm = []Reason{ReasonKnownFarm}
)

// Screen decides on an attempt by what it shows, and by what was counted of others
// in each window that there is. It asks nobody, and remembers nothing.
func (p *Policy) Screen(a Attempt, windows ...Counts) Verdict {
	seen := see(a, windows)
	v := p.weigh(&seen)
	v.Signals = seen.texts()
	return v
}

// Weigh decides again, by the signals that another policy's verdict told: what
// Screen of this one would have decided, bit for bit. Signals that this version
// does not know are passed over, as they have no weight; one that cannot be read
// is an error.
func (p *Policy) Weigh(signals ...string) (Verdict, error) {
	seen, err := parseStrengths(signals)
	if err != nil {
		return Verdict{}, err
	}
	v := p.weigh(&seen)
	v.Signals = seen.texts()
	return v, nil
}

// weigh adds up, each term clipped, in the order of contest.Signals: the same
// signals give the same sum.
func (p *Policy) weigh(seen *strengths) Verdict {
	v := Verdict{Action: Accept, Would: Accept, Policy: p.Version}
	raised := false // by something of the attempt, which a proof may outweigh
	for place, strength := range seen {
		if strength == 0 {
			continue
		}
		term := clip(p.weights[place]*strength, -maxTerm, maxTerm)
		v.Score += term
		raised = raised || term > 0 && place != atBase
	}
	switch {
	case p.Version == "":
	case v.Score >= p.Thresholds.Reject && seen[atKnownFarm] > 0 && seen[atEmail] == 0:
		// Nothing else rejects, however much of it there is. Who is taken for a farm and
		// proves an address, as they were told to, is heard by a person.
		v.Would = Reject
	case v.Score >= p.Thresholds.Hold: // also where the document puts it below Challenge
		v.Would = Hold
	case v.Score >= p.Thresholds.Challenge:
		v.Would = AskChallenge
	}
	if p.observe {
		return v
	}
	v.Action = v.Would
	switch {
	case v.Action != Hold && v.Action != Reject:
	case seen[atKnownFarm] > 0:
		v.Reasons = becauseKnownFarm
	case seen[atUnproven] > 0 && raised:
		v.Reasons = becauseUnproven
	default:
		v.Reasons = becausePolicy
	}
	return v
}
