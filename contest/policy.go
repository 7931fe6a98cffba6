package contest

import (
	"math"
	"strconv"
)

// Policy is what screening is asked to do with what it sees of an attempt. Only
// the organizer may read its numbers: they would tell a farm what to change.
type Policy struct {
	// Name is observe, standard or strict, or the one an organizer gave a policy
	// document of their own.
	Name string
	// Base is the built-in policy that Weights and Thresholds are laid over. It is
	// Name where the document only names a policy.
	Base BasePolicy
	// Weights are log-odds that a ballot is no honest voter's, each multiplied with
	// how strongly its signal is seen, and added up. Nil: all of them are the base's.
	Weights map[Signal]float64
	// Thresholds are what the sum is held against. Nil ones are the base's.
	Thresholds Thresholds
}

// BasePolicy is the name of a built-in policy.
type BasePolicy string

// The built-in policies.
const (
	PolicyObserve  BasePolicy = "observe"
	PolicyStandard BasePolicy = "standard"
	PolicyStrict   BasePolicy = "strict"
)

// Thresholds are the sums from which something is done.
type Thresholds struct {
	Challenge, Hold, Reject *float64
}

const (
	// MaxWeight bounds one signal: e^10 is more than any of them can know.
	MaxWeight = 10
	// maxThreshold is a sum that no policy has use for: never.
	maxThreshold = 100
)

// readPolicy reads the name of a built-in policy, or {name, base, weights,
// thresholds}.
func readPolicy(v value) Policy {
	base := choice(PolicyObserve, PolicyStandard, PolicyStrict)
	if v.kind != kindObject {
		if v.kind != kindString {
			v.expected("observe, standard or strict, or a policy document")
			return Policy{}
		}
		name := base(v)
		return Policy{Name: string(name), Base: name}
	}
	o, before := v.object(), len(v.r.faults)
	p := Policy{
		Name:       required(o, "name", "an id", policyName),
		Base:       optional(o, "base", PolicyStandard, base),
		Weights:    optional(o, "weights", nil, readWeights),
		Thresholds: optional(o, "thresholds", Thresholds{}, readThresholds),
	}
	o.end()
	if len(v.r.faults) == before { // else its numbers are not those that were meant
		p.checkReject(o)
		p.checkChallenge(o)
	}
	return p
}

// checkReject refuses a document by which signals of one family alone would reject.
// One family may have one honest cause: a campus, a spike, a popular phone. (What
// rejects is a known farm; a threshold that others reach says what nobody may mean.)
func (p Policy) checkReject(o *object) {
	n := p.Numbers()
	family, sum := alone(func(s Signal) float64 { return n.Weights[s] })
	if sum < n.Reject {
		return
	}
	at, _ := o.get("weights")
	if p.Thresholds.Reject != nil {
		thresholds, _ := o.get("thresholds")
		at, _ = thresholds.object().get("reject")
	}
	at.fault("expected a policy by which no one family of evidence rejects, found that %s alone reaches %s and reject is %s", family, formatDecimal(sum), formatDecimal(n.Reject))
}

// checkChallenge refuses a challenge that nobody would be asked for, as from lower on, by the base,
// ballots are held. Held is decided first.
func (p Policy) checkChallenge(o *object) {
	own, n := p.Thresholds.Challenge, p.Numbers()
	if own == nil || *own <= n.Hold || o.r.stored {
		return
	}
	thresholds, _ := o.get("thresholds")
	at, _ := thresholds.object().get("challenge")
	at.fault("expected at most %s, hold of %s, or a hold of its own that is higher, found %s", formatDecimal(n.Hold), p.Base, formatDecimal(*own))
}

// policyName keeps the names of the built-in policies for what they are.
func policyName(v value) string {
	name := id(v)
	switch BasePolicy(name) {
	case PolicyObserve, PolicyStandard, PolicyStrict:
		v.fault("expected a name of its own, found %q, which is a built-in policy: to change it, make it the base", name)
		return ""
	}
	return name
}

func readWeights(v value) map[Signal]float64 {
	o := v.object()
	weights := map[Signal]float64{}
	for _, signal := range Signals {
		if member, ok := o.get(string(signal)); ok {
			weights[signal] = decimal(-MaxWeight, MaxWeight)(member)
		}
	}
	o.end()
	if len(weights) == 0 {
		return nil // as if the member were missing
	}
	return weights
}

// readThresholds reads sums in the order of what they lead to.
func readThresholds(v value) Thresholds {
	o := v.object()
	var t Thresholds
	least, above := math.Inf(-1), ""
	for _, one := range []struct {
		name string
		into **float64
	}{{"challenge", &t.Challenge}, {"hold", &t.Hold}, {"reject", &t.Reject}} {
		member, ok := o.get(one.name)
		if !ok {
			continue
		}
		x := decimal(-maxThreshold, maxThreshold)(member)
		if x < least {
			member.fault("expected at least %s, %s", formatDecimal(least), above)
		}
		*one.into, least, above = &x, x, one.name
	}
	o.end()
	return t
}

// decimal reads a number that need not be whole.
func decimal(least, most float64) func(value) float64 {
	return func(v value) float64 {
		x, err := strconv.ParseFloat(v.text, 64)
		if v.kind != kindNumber || err != nil || !(x >= least && x <= most) { // neither is true of NaN
			v.expected("a number from %s to %s", formatDecimal(least), formatDecimal(most))
			return 0
		}
		return x + 0 // there is one zero
	}
}

func formatDecimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// wirePolicy is the document of an organizer's own policy.
type wirePolicy struct {
	Name       string             `json:"name"`
	Base       BasePolicy         `json:"base"`
	Weights    map[Signal]float64 `json:"weights,omitempty"`
	Thresholds struct {
		Challenge *float64 `json:"challenge,omitzero"`
		Hold      *float64 `json:"hold,omitzero"`
		Reject    *float64 `json:"reject,omitzero"`
	} `json:"thresholds,omitzero"`
}

// builtIn tells whether p is a built-in policy and nothing more.
func (p Policy) builtIn() bool { return p.Name == string(p.Base) }

// wire is the name, or the document.
func (p Policy) wire() any {
	if p.builtIn() {
		return p.Name
	}
	w := wirePolicy{Name: p.Name, Base: p.Base, Weights: p.Weights}
	w.Thresholds.Challenge, w.Thresholds.Hold, w.Thresholds.Reject = p.Thresholds.Challenge, p.Thresholds.Hold, p.Thresholds.Reject
	return w
}
