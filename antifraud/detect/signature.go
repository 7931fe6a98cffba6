package detect

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/joute/joute/antifraud"
)

// trait is a value that members of a hand have more often than the crowd, or less.
type trait struct {
	kind    string
	log     int32 // the value, by the log's code; of times, milliseconds; unseen: any that is not named
	logOdds float64
}

const (
	leastTrait = 1.5  // members: what only one has is no trait of the farm
	mostTraits = 400  // of one kind; those that members have most often
	clearTrait = 0.5  // log-odds: what says less is left out
	leastOther = -1.5 // log-odds of what is not named: of farms that mix with the crowd it says little
	leastBorne = 0.85 // of the members: what fewer of them bear are looks that honest voters have too
)

// traitOdds are log-odds of a value that y of the members and x of the crowd have.
func traitOdds(y, members, x, crowd float64) float64 {
	return math.Log((y + 0.5) / (members + 5) / ((x + 0.5) / (crowd + 5)))
}

// signature is what the hand's members have in common. Values that strangers have
// more often than members speak against a match.
func (h *hand) signature() []trait {
	c, t := h.c, h.c.t
	there := h.there()
	var traits []trait
	for _, one := range []struct {
		kind    string
		col     *column
		h, c    []float64
		against bool // also what speaks for the crowd: few values have room
		other   bool // also what any other value says: not of devices and addresses, of which a farm brings new ones
	}{
		{"device", &t.device, h.device, c.device, false, false}, {"agent", &t.agent, h.agent, c.agent, true, false}, {"net", &t.net, h.net, c.net, false, false},
		{"block", &t.block, h.block, c.block, false, true}, {"via", &t.via, h.via, there.via, false, true},
		{"net_kind", &t.kind, h.kinds(), c.kinds(), true, false}, {"referrer", &t.referrer, h.referrer, there.referrer, true, false},
	} {
		crowd := c.mass
		if one.kind == "via" || one.kind == "referrer" {
			crowd = there.mass
		}
		var of []trait
		var mass []float64
		var rest unnamed
		for k, code := range one.col.log {
			y, x := one.h[k], one.c[k]
			odds := traitOdds(y, h.mass, x, crowd)
			named := y >= leastTrait && odds > clearTrait || one.against && odds < -clearTrait
			if named {
				of, mass = append(of, trait{one.kind, code, odds}), append(mass, y)
			}
			rest.see(y, x, named)
		}
		if len(of) > mostTraits {
			order := make([]int, len(of))
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(mass[b], mass[a]) })
			kept := make([]trait, mostTraits)
			for i := range kept {
				kept[i] = of[order[i]]
			}
			of = kept
		} else if one.other {
			of = rest.add(of, one.kind)
		}
		traits = append(traits, of...)
	}
	if h.hasty() {
		traits = append(traits, h.paces("dwell", t.dwell)...)
		traits = append(traits, h.paces("confirm", t.confirm)...)
	}
	return traits
}

// unnamed counts who shows a kind of thing, and who of them a value that is no trait.
type unnamed struct{ members, crowd, otherMembers, otherCrowd float64 }

func (u *unnamed) see(y, x float64, named bool) {
	u.members, u.crowd = u.members+y, u.crowd+x
	if !named {
		u.otherMembers, u.otherCrowd = u.otherMembers+y, u.otherCrowd+x
	}
}

// add adds what any other value says to the traits of a kind, where there are any:
// what each member alone has is among it, so how many will come with something new
// is known (Good 1953).
func (u *unnamed) add(traits []trait, kind string) []trait {
	odds := traitOdds(u.otherMembers, u.members, u.otherCrowd, u.crowd)
	if len(traits) > 0 && odds < leastOther {
		traits = append(traits, trait{kind, unseen, odds})
	}
	return traits
}

// there is the crowd at the entries that the hand votes for: a school's own link is
// what its honest voters come by, too, whatever the rest of the contest does.
func (h *hand) there() (x struct {
	mass          float64
	via, referrer []float64
}) {
	c, t := h.c, h.c.t
	x.via, x.referrer = make([]float64, len(c.via)), make([]float64, len(c.referrer))
	for v := range int32(c.n) {
		from, to := t.acts(v)
		for a := from; a < to; a++ {
			if h.entry[t.entry[a]] >= target*h.acts {
				w := 1 - c.taken[v]
				x.mass += w
				x.via[at(x.via, t.via.of[v])] += w
				x.referrer[at(x.referrer, t.referrer.of[v])] += w
				break
			}
		}
	}
	return x
}

// paces are the times, of a kind that is seen by voter as ln of milliseconds, which
// members take more often than the crowd, in the steps of [antifraud.Evidence.Feature].
func (h *hand) paces(kind string, times []float64) (traits []trait) {
	type mass struct{ ms, h, c float64 }
	steps := map[string]*mass{}
	var order []string
	c := h.c
	for v := range int32(c.n) {
		if math.IsNaN(times[v]) {
			continue
		}
		ms := math.Round(math.Exp(times[v]))
		step := antifraud.TimeStep(int64(ms))
		if steps[step] == nil {
			steps[step], order = &mass{ms: ms}, append(order, step)
		}
		steps[step].h += h.w[v]
		steps[step].c += 1 - c.taken[v]
	}
	var rest unnamed
	for _, step := range order {
		m := steps[step]
		odds := traitOdds(m.h, h.mass, m.c, c.mass)
		named := m.h >= leastTrait && odds > clearTrait
		if named {
			traits = append(traits, trait{kind, int32(m.ms), odds})
		}
		rest.see(m.h, m.c, named)
	}
	return rest.add(traits, kind)
}

// kinds are, by kind of network, voters of the crowd. They are counted here, as
// nothing else needs them one by one.
func (c *crowd) kinds() []float64 {
	x := make([]float64, c.t.kind.size()+1)
	for v, k := range c.t.kind.of {
		if k != unseen {
			x[k] += 1 - c.taken[v]
		}
	}
	return x
}

func (h *hand) kinds() []float64 {
	x := make([]float64, h.c.t.kind.size()+1)
	for _, v := range h.who {
		if k := h.c.t.kind.of[v]; k != unseen {
			x[k] += h.w[v]
		}
	}
	return x
}

// fresh is how long a signature is good for after its farm was seen last: addresses
// change hands, and a phone is sold.
const fresh = 14 * 24 * time.Hour

// write puts traits into the texts of evidence.
func (l *log) write(traits []trait) []antifraud.Feature {
	texts := map[string]*names{
		"device": &l.devices, "agent": &l.agents, "net": &l.nets, "block": &l.blocks, "via": &l.vias, "net_kind": &l.kinds, "referrer": &l.ways,
	}
	features := make([]antifraud.Feature, len(traits))
	for i, t := range traits {
		features[i] = antifraud.Feature{Kind: t.kind, LogOdds: math.Round(t.logOdds*100) / 100}
		switch n := texts[t.kind]; {
		case t.log == unseen:
			features[i].Value = antifraud.OtherValue
		case n != nil:
			features[i].Value = n.text(t.log)
		default:
			features[i].Value = antifraud.TimeStep(int64(t.log))
		}
	}
	return features
}

// borne is the share of a farm's members who would be met by its signature.
func (l *log) borne(s *antifraud.Signature, t *table, f *farm) float64 {
	if len(s.Entries) == 0 {
		return 0
	}
	door := antifraud.NewSignatures([]antifraud.Signature{*s})
	members, met := 0.0, 0.0
	for n, v := range f.who {
		e := l.looks(t, v)
		members += f.w[n]
		if _, bears := door.Match(s.Entries[0], &e, s.Since); bears {
			met += f.w[n]
		}
	}
	return met / members
}

// looks are what was seen of a voter that a signature may name.
func (l *log) looks(t *table, v int32) antifraud.Evidence {
	text := func(c *column, n *names) string {
		if c.of[v] == unseen {
			return ""
		}
		return n.text(c.log[c.of[v]])
	}
	time := func(ln float64) *int64 {
		if math.IsNaN(ln) {
			return nil
		}
		ms := int64(math.Round(math.Exp(ln)))
		return &ms
	}
	return antifraud.Evidence{
		Device: text(&t.device, &l.devices), Agent: text(&t.agent, &l.agents), Net: text(&t.net, &l.nets), Block: text(&t.block, &l.blocks),
		Via: text(&t.via, &l.vias), NetKind: antifraud.NetKind(text(&t.kind, &l.kinds)), Referrer: antifraud.Referrer(text(&t.referrer, &l.ways)),
		DwellMS: time(t.dwell[v]), ConfirmMS: time(t.confirm[v]),
	}
}
