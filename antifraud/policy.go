package antifraud

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/joute/joute/contest"
)

// Signal names what can be seen of an attempt; Thresholds are what the sum of the
// weights of those seen is held against.
type Signal = contest.Signal

// Thresholds are the sums from which an attempt is challenged, held or rejected.
type Thresholds struct {
	Challenge float64 `json:"challenge"`
	Hold      float64 `json:"hold"`
	Reject    float64 `json:"reject"`
}

// Policy is a contest's policy with every number filled in, ready to screen. It is
// not changed once made, and may be shared. The zero value accepts everything.
type Policy struct {
	Name       string
	Version    string // names the numbers: equal versions decide alike
	Weights    map[Signal]float64
	Thresholds Thresholds

	observe bool
	weights [signals]float64 // Weights by place, for Screen
}

// builtIn are the policies that Joute brings.
//
// None of them holds an ordinary ballot or asks it for a challenge, and today they
// do so with none: what can be
// seen of one attempt alone is how much is proven of its voter, and a voter who
// proves nothing is most of a crowd. The signals that tell a farm from a crowd
// (counts, pace, looks) add to these sums once there are some. `unproven` is
// therefore zero, and proofs are below it: they answer what others will raise.
var builtIn = map[contest.BasePolicy]struct {
	weights    map[Signal]float64
	thresholds Thresholds
}{
	contest.PolicyObserve:  {proofs, Thresholds{Challenge: 2, Hold: 3, Reject: 8}}, // decides as standard, and does nothing
	contest.PolicyStandard: {proofs, Thresholds{Challenge: 2, Hold: 3, Reject: 8}},
	contest.PolicyStrict:   {proofs, Thresholds{Challenge: 1, Hold: 2, Reject: 6}},
}

// proofs are log-odds that a ballot is a farm's, given what is proven: an address
// costs a farm about what seven device passes do (e^2), a partner's account or a
// school's address more, and nobody sends a farm into the hall.
var proofs = map[Signal]float64{
	contest.SignalBase:         0,
	contest.SignalUnproven:     0,
	contest.SignalEmail:        -2,
	contest.SignalPartner:      -2.5,
	contest.SignalPresent:      -4,
	contest.SignalSchoolDomain: -3,
}

// PolicyOf fills in a contest's policy from its base.
func PolicyOf(document contest.Policy) Policy {
	base := builtIn[document.Base]
	p := Policy{
		Name: document.Name, Weights: map[Signal]float64{}, Thresholds: base.thresholds,
		observe: document.Base == contest.PolicyObserve,
	}
	for place, signal := range contest.Signals {
		weight, own := document.Weights[signal]
		if !own {
			weight = base.weights[signal]
		}
		p.Weights[signal], p.weights[place] = weight, weight
	}
	for own, into := range map[*float64]*float64{
		document.Thresholds.Challenge: &p.Thresholds.Challenge, document.Thresholds.Hold: &p.Thresholds.Hold, document.Thresholds.Reject: &p.Thresholds.Reject,
	} {
		if own != nil {
			*into = *own
		}
	}
	p.Version = p.version()
	return p
}

// version is a hash of all that decides.
func (p Policy) version() string {
	text, err := json.Marshal(map[string]any{"observe": p.observe, "weights": p.Weights, "thresholds": p.Thresholds})
	if err != nil {
		panic("antifraud: a policy's numbers are finite: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
