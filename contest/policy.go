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
	// Weights are log-odds that a ballot is no honest voter's, added up over the
	// signals that are seen. Nil: all of them are the base's.
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

// Signal names what screening may see of an attempt.
type Signal string

// The signals that have a weight. What each of them means is said where they are
// seen, in antifraud.
const (
	SignalBase         Signal = "base"
	SignalUnproven     Signal = "unproven"
	SignalEmail        Signal = "email"
	SignalPartner      Signal = "partner"
	SignalPresent      Signal = "present"
	SignalSchoolDomain Signal = "school-domain"
)

// Signals are all of them, in the order in which they are added up.
var Signals = []Signal{SignalBase, SignalUnproven, SignalEmail, SignalPartner, SignalPresent, SignalSchoolDomain}

// Thresholds are the sums from which something is done.
type Thresholds struct {
	Challenge, Hold, Reject *float64
}

const (
	// MaxWeight bounds one signal: e^10 is more than any of them can know.
	MaxWeight = 10
	// MaxThreshold is more than all signals reach together: never.
	MaxThreshold = 100
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
	o := v.object()
	p := Policy{
		Name:       required(o, "name", "an id", policyName),
		Base:       optional(o, "base", PolicyStandard, base),
		Weights:    optional(o, "weights", nil, readWeights),
		Thresholds: optional(o, "thresholds", Thresholds{}, readThresholds),
	}
	o.end()
	return p
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
		x := decimal(-MaxThreshold, MaxThreshold)(member)
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

// BuiltIn tells whether p is a built-in policy and nothing more.
func (p Policy) BuiltIn() bool { return p.Name == string(p.Base) }

// wire is the name, or the document.
func (p Policy) wire() any {
	if p.BuiltIn() {
		return p.Name
	}
	w := wirePolicy{Name: p.Name, Base: p.Base, Weights: p.Weights}
	w.Thresholds.Challenge, w.Thresholds.Hold, w.Thresholds.Reject = p.Thresholds.Challenge, p.Thresholds.Hold, p.Thresholds.Reject
	return w
}
