package antifraud

import (
	"slices"
	"strings"
)

// Suspect is what is looked at of one held ballot.
type Suspect struct {
	Entry    string
	Reasons  []Reason
	Evidence *Evidence // nil once it has expired
}

// Group are suspects that are judged together.
type Group struct {
	Entry   string
	Reasons []Reason
	Members []int // places in the list, in its order
}

// Key names a group: the same as long as the same kind of ballots is in it.
func (g Group) Key() string { return g.Entry + " " + strings.Join(g.Reasons, " ") }

// Cluster puts together the ballots for one entry that are held for the same
// reasons, whatever the order in which those are told. Groups come in the order
// of their first members.
func Cluster(suspects []Suspect) []Group {
	var groups []Group
	place := map[string]int{}
	for i, s := range suspects {
		reasons := slices.Compact(slices.Sorted(slices.Values(s.Reasons)))
		g := Group{Entry: s.Entry, Reasons: reasons}
		at, known := place[g.Key()]
		if !known {
			at = len(groups)
			place[g.Key()], groups = at, append(groups, g)
		}
		groups[at].Members = append(groups[at].Members, i)
	}
	return groups
}

// Sharing is how many of a list have the same as one of it, itself included; zero
// for what was not seen of it.
type Sharing struct {
	Net    int `json:"net"`
	Block  int `json:"block"`
	Device int `json:"device"`
}

// Shared counts, for each suspect, those of the list that share its address, its
// block and its device. A number is no accusation: a campus shares an address,
// and thousands the model of their phone.
func Shared(suspects []Suspect) []Sharing {
	nets, blocks, devices := map[string]int{}, map[string]int{}, map[string]int{}
	for _, s := range suspects {
		if e := s.Evidence; e != nil {
			nets[e.Net]++
			blocks[e.Block]++
			devices[e.Device]++
		}
	}
	for _, counts := range []map[string]int{nets, blocks, devices} {
		delete(counts, "") // not seen is not the same
	}
	shared := make([]Sharing, len(suspects))
	for i, s := range suspects {
		if e := s.Evidence; e != nil {
			shared[i] = Sharing{nets[e.Net], blocks[e.Block], devices[e.Device]}
		}
	}
	return shared
}
