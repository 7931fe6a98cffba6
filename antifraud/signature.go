package antifraud

import "time"

// Family is a kind of evidence. Two signals of one family may have one cause, of
// two families not easily: a ballot is void on two of them at least.
type Family string

// The families.
const (
	FamilyAccount    Family = "account"    // what the profile looks like
	FamilyNetwork    Family = "network"    // address, block, kind of network
	FamilyDevice     Family = "device"     // device and agent
	FamilyProvenance Family = "provenance" // link, referrer, page
	FamilyTempo      Family = "tempo"      // when, and how fast
	FamilyStructure  Family = "structure"  // who votes for the same as whom
	FamilyProof      Family = "proof"      // what is proven, or seems never to be
)

// Signature is what the members of a void cluster have in common: later attempts
// that bear it are rejected. It is the combination that counts, never one shared
// address or one model of phone: see [Signature.Match].
type Signature struct {
	ID       string    `json:"id"`                // the cluster's
	Entries  []string  `json:"entries"`           // it is known for these alone: votes for others are nobody's farm yet
	Members  int       `json:"members,omitempty"` // voters of the cluster, when it was written
	Features []Feature `json:"features"`
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
}

// Feature is one value that members of a cluster have more often than others, or
// less. Value is keyed, as evidence is, and dies with the contest's key; or it is
// OtherValue.
type Feature struct {
	Kind    string  `json:"kind"`     // one of featureKinds
	Value   string  `json:"value"`    // as Evidence.Feature gives it
	LogOdds float64 `json:"log_odds"` // ln P(value | member) - ln P(value | others)
}

// OtherValue is the value of a [Feature] that speaks of whatever else an attempt
// shows of its kind: where a farm has thirty phones, any other phone speaks against
// it being the farm's. What shows no value at all is not weighed.
const OtherValue = "*"

const (
	// maxFeature is the most that one value says, for or against: ln of 20. A
	// cluster of a few dozen voters knows its odds no better.
	maxFeature = 3

	// maxFamily is the most that all values of a family say: an address is of its
	// block and its kind of network, which are seen once, not three times.
	maxFamily = 4

	// speaks is from when a family is one of those that speak against an attempt:
	// the value is e times as common among members as among others.
	speaks = 1

	// owned is from when an address is the farm's own: seven times as common among members.
	// Hundreds are behind one of a carrier's, and some of them are a farm.
	owned = 2

	// bears is the sum from which an attempt bears a signature: e^6, about 400 to
	// one. It is above maxFamily, so that no family gets there alone.
	bears = 6
)

// Match tells whether an attempt for entry bears the signature at now: what it
// shows adds up, over two families of evidence at least, one of them the device,
// or else the network together with tempo. So it takes more than an address that a
// school shares or a phone that thousands have: who else is there votes at another
// pace, for other entries. A link is not enough beside an address, as a farm may use
// the school's own.
func (s *Signature) Match(entry string, e *Evidence, now time.Time) bool {
	if !s.against(entry, now) {
		return false
	}
	values := e.features()
	var met weighed
	for _, f := range s.Features {
		if kind, known := kindOf(f.Kind); known && f.Value != "" && f.Value == values[kind] {
			met.add(kind, f.LogOdds)
		}
	}
	met.rest(s.others(), &values)
	return met.bears(e.NetKind)
}

// against says that the signature speaks of votes for entry at now.
func (s *Signature) against(entry string, now time.Time) bool {
	if !now.Before(s.Expires) {
		return false
	}
	for _, known := range s.Entries {
		if known == entry {
			return true
		}
	}
	return false
}

// weighed is what an attempt shows of one signature, by kind of feature.
type weighed struct {
	odds [kinds]float64
	met  [kinds]bool
}

// add weighs one value. A kind that a signature names twice counts once, by what
// it says least.
func (w *weighed) add(kind int, logOdds float64) {
	logOdds = min(max(logOdds, -maxFeature), maxFeature)
	if w.met[kind] {
		logOdds = min(logOdds, w.odds[kind])
	}
	w.odds[kind], w.met[kind] = logOdds, true
}

// others is what the signature says of values that it does not name, by kind.
func (s *Signature) others() (odds [kinds]float64) {
	for _, f := range s.Features {
		if kind, known := kindOf(f.Kind); known && f.Value == OtherValue {
			odds[kind] = min(max(f.LogOdds, -maxFeature), odds[kind])
		}
	}
	return odds
}

// rest weighs what the attempt shows and the signature does not name. It is against
// its being of the farm, or nothing: that something is new speaks for nobody's farm.
func (w *weighed) rest(others [kinds]float64, values *[kinds]string) {
	for kind, value := range values {
		if value != "" && !w.met[kind] {
			w.odds[kind] = others[kind]
		}
	}
}

// bears tells whether it is enough of an attempt from that kind of network.
func (w *weighed) bears(from NetKind) bool {
	named := false
	for kind, met := range w.met {
		named = named || met && particular[kind]
	}
	if !named {
		return false
	}
	var device, network, provenance, tempo float64
	for kind, odds := range w.odds {
		switch featureFamilies[kind] {
		case FamilyDevice:
			device += odds
		case FamilyNetwork:
			network += odds
		case FamilyProvenance:
			provenance += odds
		case FamilyTempo:
			tempo += odds
		}
	}
	sum, families := 0.0, 0
	for _, odds := range []*float64{&device, &network, &provenance, &tempo} {
		*odds = min(*odds, maxFamily)
		sum += *odds
		if *odds >= speaks {
			families++
		}
	}
	if sum < bears || families < 2 {
		return false
	}
	names := func(kind int, least float64) bool { return w.met[kind] && w.odds[kind] >= least }
	rented := from.Suspicious() && names(kindNetKind, speaks)
	if device >= speaks && (rented || names(kindDevice, speaks)) {
		return true
	}
	if network < speaks || tempo < speaks {
		return false
	}
	return rented || names(kindNet, owned) && (device > -speaks/2.0 || tempo >= 2*speaks)
}
