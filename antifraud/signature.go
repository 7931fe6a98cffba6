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
	ID       string    `json:"id"`      // the cluster's
	Entries  []string  `json:"entries"` // it is known for these alone: votes for others are nobody's farm yet
	Features []Feature `json:"features"`
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
}

// Feature is one value that members of a cluster have more often than others.
// Value is keyed, as evidence is; it dies with the contest's key.
type Feature struct {
	Kind    string  `json:"kind"` // device, agent, net, block, via, referrer, net_kind or dwell
	Value   string  `json:"value"`
	LogOdds float64 `json:"log_odds"` // ln P(value | member) - ln P(value | others)
}

// Match tells whether an attempt for entry bears the signature at now.
func (s *Signature) Match(entry string, e *Evidence, now time.Time) bool {
	return false
}
