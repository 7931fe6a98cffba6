package contest

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

	SignalHosting     Signal = "net-hosting"
	SignalVPN         Signal = "net-vpn"
	SignalTor         Signal = "net-tor"
	SignalMobile      Signal = "net-mobile"
	SignalCampus      Signal = "net-campus"
	SignalNetWindow   Signal = "net-window"
	SignalBlockWindow Signal = "block-window"

	SignalDriven       Signal = "driven"
	SignalDeviceWindow Signal = "device-window"
	SignalAgentWindow  Signal = "agent-window"

	SignalHidden     Signal = "hidden"
	SignalShareShape Signal = "share-shape"

	SignalDwellFast   Signal = "dwell-fast"
	SignalDwellSame   Signal = "dwell-same"
	SignalConfirmFast Signal = "confirm-fast"
	SignalConfirmSame Signal = "confirm-same"
	SignalOldPasses   Signal = "old-passes"

	SignalAccount Signal = "account"
	SignalChurn   Signal = "churn"

	SignalKnownFarm Signal = "known-farm"
)

// Signals are all of them, in the order in which they are added up.
var Signals = [...]Signal{
	SignalBase, SignalUnproven, SignalEmail, SignalPartner, SignalPresent, SignalSchoolDomain,
	SignalHosting, SignalVPN, SignalTor, SignalMobile, SignalCampus, SignalNetWindow, SignalBlockWindow,
	SignalDriven, SignalDeviceWindow, SignalAgentWindow,
	SignalHidden, SignalShareShape,
	SignalDwellFast, SignalDwellSame, SignalConfirmFast, SignalConfirmSame, SignalOldPasses,
	SignalAccount, SignalChurn,
	SignalKnownFarm,
}

// strengths are the most that a signal's weight is multiplied with. What is not
// listed is there or not: 1.
var strengths = map[Signal]float64{
	SignalNetWindow: 1, SignalBlockWindow: 0.9, SignalDeviceWindow: 1.5, SignalAgentWindow: 0.8, SignalShareShape: 0.7,
	SignalDwellSame: 1.5, SignalConfirmSame: 1, SignalOldPasses: 1.2, SignalAccount: 3,
}

// Strongest is the most that a signal's weight is multiplied with.
func (s Signal) Strongest() float64 {
	if most, scaled := strengths[s]; scaled {
		return most
	}
	return 1
}

// families are the signals that may have one cause; of those in one inner list
// an attempt shows one at most. The base is no evidence, and a known farm was void
// on two families before it was known.
var families = []struct {
	name    string
	signals [][]Signal
}{
	{"proof", [][]Signal{{SignalUnproven}, {SignalEmail, SignalPartner}, {SignalPresent}, {SignalSchoolDomain}}},
	{"network", [][]Signal{{SignalHosting, SignalVPN, SignalTor, SignalMobile, SignalCampus}, {SignalNetWindow}, {SignalBlockWindow}}},
	{"device", [][]Signal{{SignalDriven}, {SignalDeviceWindow, SignalAgentWindow}}},
	{"provenance", [][]Signal{{SignalHidden}, {SignalShareShape}}},
	{"tempo", [][]Signal{{SignalDwellFast}, {SignalDwellSame, SignalConfirmSame}, {SignalConfirmFast}, {SignalOldPasses}}},
	{"account", [][]Signal{{SignalAccount}, {SignalChurn}}},
}

// alone is the family whose signals, with the base and nothing else, reach the
// highest sum.
func alone(weight func(Signal) float64) (family string, sum float64) {
	for i, f := range families {
		reached := weight(SignalBase)
		for _, exclusive := range f.signals {
			most := 0.0
			for _, signal := range exclusive {
				most = max(most, min(weight(signal)*signal.Strongest(), MaxWeight))
			}
			reached += most
		}
		if i == 0 || reached > sum {
			family, sum = f.name, reached
		}
	}
	return family, sum
}
