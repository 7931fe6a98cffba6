package antifraud

import "time"

// MaxSignatures is how many a contest may have at once.
const MaxSignatures = 256

// Signatures are those of a contest, ready to be met by every cast: what an
// attempt does not show costs it nothing, however many there are. They are not
// changed once made, and may be shared. Nil has none.
type Signatures struct {
	all    []Signature
	others [][kinds]float64 // by place of all: of values that it does not name
	bears  map[feature][]bearer
}

type feature struct {
	kind  int
	value string
}

// bearer is a signature with a feature.
type bearer struct {
	place   int // of Signatures.all
	logOdds float64
}

// NewSignatures reads the signatures once, MaxSignatures at most. Features of no known kind are left out.
func NewSignatures(all []Signature) *Signatures {
	s := &Signatures{all: all, bears: map[feature][]bearer{}}
	for place := range all {
		s.others = append(s.others, all[place].others())
		for _, f := range all[place].Features {
			if kind, known := kindOf(f.Kind); known && f.Value != "" {
				key := feature{kind, f.Value}
				s.bears[key] = append(s.bears[key], bearer{place, f.LogOdds})
			}
		}
	}
	return s
}

// Match is the first of the signatures that an attempt for entry bears at now: the
// answers of [Signature.Match], of all at once.
func (s *Signatures) Match(entry string, e *Evidence, now time.Time) (id string, ok bool) {
	if s == nil || len(s.all) == 0 {
		return "", false
	}
	var near []int // places of signatures of which something shows
	var met []weighed
	at := make([]uint16, len(s.all)) // place -> place in near, from 1; 0: not there
	values := e.features()
	for kind, value := range values {
		if value == "" {
			continue
		}
		for _, b := range s.bears[feature{kind, value}] {
			if at[b.place] == 0 {
				if !particular[kind] || !s.all[b.place].against(entry, now) {
					continue
				}
				near, met = append(near, b.place), append(met, weighed{})
				at[b.place] = uint16(len(near))
			}
			met[at[b.place]-1].add(kind, b.logOdds)
		}
	}
	first := -1
	for i := range met {
		if met[i].rest(s.others[near[i]], &values); met[i].bears(e.NetKind) && (first < 0 || near[i] < first) {
			first = near[i]
		}
	}
	if first < 0 {
		return "", false
	}
	return s.all[first].ID, true
}
