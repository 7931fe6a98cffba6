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
	Version    string // names the numbers and formulas: equal versions decide alike
	Weights    map[Signal]float64
	Thresholds Thresholds

	observe bool
	weights [signals]float64 // Weights by place, for Screen
}

// screening names the formulas by which signals are seen and added up.
const screening = 2

// PolicyOf fills in a contest's policy from its base.
func PolicyOf(document contest.Policy) Policy {
	n := document.Numbers()
	p := Policy{
		Name: document.Name, Weights: n.Weights, Thresholds: Thresholds{n.Challenge, n.Hold, n.Reject},
		observe: document.Base == contest.PolicyObserve,
	}
	for place, signal := range contest.Signals {
		p.weights[place] = n.Weights[signal]
	}
	p.Version = p.version()
	return p
}

// version is a hash of all that decides.
func (p Policy) version() string {
	text, err := json.Marshal(map[string]any{"screening": screening, "observe": p.observe, "weights": p.Weights, "thresholds": p.Thresholds})
	if err != nil {
		panic("antifraud: a policy's numbers are finite: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
