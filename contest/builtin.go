package contest

// Numbers are the weights and thresholds of a policy, every one filled in.
type Numbers struct {
	Weights                 map[Signal]float64
	Challenge, Hold, Reject float64
}

// Numbers lays the document over its base.
func (p Policy) Numbers() Numbers {
	base := thresholds[p.Base]
	n := Numbers{Weights: make(map[Signal]float64, len(Signals)), Challenge: base.Challenge, Hold: base.Hold, Reject: base.Reject}
	for _, signal := range Signals {
		n.Weights[signal] = weights[signal]
		if own, ok := p.Weights[signal]; ok {
			n.Weights[signal] = own
		}
	}
	for _, one := range []struct {
		own  *float64
		into *float64
	}{{p.Thresholds.Challenge, &n.Challenge}, {p.Thresholds.Hold, &n.Hold}, {p.Thresholds.Reject, &n.Reject}} {
		if one.own != nil {
			*one.into = *one.own
		}
	}
	return n
}

// thresholds of the built-in policies.
//
// Standard asks for a challenge from 2.5 on. That is above what any crowd reaches
// that shares one thing: a voter in a data centre has 2, and thirty identical
// machines in one room 2.4 (a device and a block that strangers do not have). It
// holds from 4 on, which takes two things that have nothing to do with each other.
// From 6 on it rejects, and only who bears the signature of a known farm and has
// proven no address (antifraud.Policy).
//
// Strict asks everybody in a data centre, and holds the identical machines if they
// show anything else.
var thresholds = map[BasePolicy]struct{ Challenge, Hold, Reject float64 }{
	PolicyObserve:  {2.5, 4, 6}, // decides as standard, and does nothing
	PolicyStandard: {2.5, 4, 6},
	PolicyStrict:   {1.5, 3, 6},
}

// weights are those of all built-in policies: log-odds that a ballot is a farm's,
// ln P(seen | farm) - ln P(seen | honest). None is fitted on anything: each is a
// round number below what its reason says, as signals are not as independent as
// adding them up supposes. Those that scale (Strongest) bring log-odds of their own,
// and the weight only says how far they are believed: 1.
var weights = map[Signal]float64{
	SignalBase:     0,
	SignalUnproven: 0, // most of an honest crowd proves nothing

	// What is proven: an address costs a farm about what seven device passes do
	// (e^2), a partner's account more, and nobody sends a farm into the hall or has
	// the addresses that a school gives out.
	SignalEmail:        -2,
	SignalPartner:      -2.5,
	SignalPresent:      -4,
	SignalSchoolDomain: -4,

	// Some 3 in 100 people vote through a VPN or a company's relay; of a farm
	// that pays for machines, a third and more: ln 10. Of commercial VPNs a farm has
	// no more use than of proxies in homes: a third of that. Tor is as rare among
	// voters as it is handy for a script.
	SignalHosting: 2,
	SignalVPN:     1.2,
	SignalTor:     2,
	// A carrier's address is thousands of people, and what proxy sellers sell. A
	// campus is the crowd a contest is for, and where a lone cheater sits. Neither
	// says anything; a policy may have another opinion.
	SignalMobile: 0,
	SignalCampus: 0,

	SignalNetWindow: 1, SignalBlockWindow: 1, SignalDeviceWindow: 1, SignalAgentWindow: 1, SignalShareShape: 1,
	SignalDwellSame: 1, SignalConfirmSame: 1, SignalOldPasses: 1,

	// A browser that says that a program drives it is a farm that took no pains, or
	// somebody's test: 4 to 1.
	SignalDriven: 1.4,
	// People press what they see. A frame half out of the window may say that it is
	// hidden, so 3 to 1.
	SignalHidden: 1,
	// Below half a second from page to press a person has not read whom they vote
	// for (reaction and pointing alone take that); who comes back for a second
	// vote does it, so 3 to 1. Two presses within 80 ms are faster than fingers tap
	// (6 to 8 a second), but a mouse that bounces does it too.
	SignalDwellFast:   1,
	SignalConfirmFast: 1,

	// Half of what the scorecard says: its log-odds are of a fake account, and
	// people with poor accounts vote as well. It never holds alone.
	SignalAccount: 0.5,
	// Followers and followed that go up or down together are bought or traded ones;
	// fans of a campaign do it in its last week as well.
	SignalChurn: 1,

	// Two independent families, judged over the record, and a combination that one in
	// 150 strangers has at most (antifraud.Signature). It has to reject a partner's
	// member of the best looks (-2.5 and -1.5) too: accounts are what farms buy.
	SignalKnownFarm: 10,
}
