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
	log     int32 // the value, by the log's code; of dwell, milliseconds
	logOdds float64
}

const (
	leastTrait = 1.5 // members: what only one has is no trait of the farm
	mostTraits = 400 // of one kind; those that members have most often
)

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
	}{
		{"device", &t.device, h.device, c.device, false}, {"agent", &t.agent, h.agent, c.agent, true}, {"net", &t.net, h.net, c.net, false},
		{"block", &t.block, h.block, c.block, false}, {"via", &t.via, h.via, there.via, false},
		{"net_kind", &t.kind, h.kinds(), c.kinds(), true}, {"referrer", &t.referrer, h.referrer, there.referrer, true},
	} {
		var of []trait
		var mass []float64
		for k, code := range one.col.log {
			y, x, mass0 := one.h[k], one.c[k], c.mass
			if one.kind == "via" || one.kind == "referrer" {
				mass0 = there.mass
			}
			odds := math.Log((y + 0.5) / (h.mass + 5) / ((x + 0.5) / (mass0 + 5)))
			if y >= leastTrait && odds > 0.5 || one.against && odds < -0.5 {
				of, mass = append(of, trait{one.kind, code, odds}), append(mass, y)
			}
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
		}
		traits = append(traits, of...)
	}
	if h.hasty() {
		traits = append(traits, h.paces()...)
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

// paces are the reading times that members have more often than the crowd, in the
// steps of [antifraud.Evidence.Feature].
func (h *hand) paces() (traits []trait) {
	type mass struct{ ms, h, c float64 }
	steps := map[string]*mass{}
	var order []string
	c := h.c
	for v := range int32(c.n) {
		if math.IsNaN(c.t.dwell[v]) {
			continue
		}
		ms := int64(math.Round(math.Exp(c.t.dwell[v])))
		e := antifraud.Evidence{DwellMS: &ms}
		step := e.Feature("dwell")
		if steps[step] == nil {
			steps[step], order = &mass{ms: float64(ms)}, append(order, step)
		}
		steps[step].h += h.w[v]
		steps[step].c += 1 - c.taken[v]
	}
	for _, step := range order {
		m := steps[step]
		odds := math.Log((m.h + 0.5) / (h.mass + 5) / ((m.c + 0.5) / (c.mass + 5)))
		if m.h >= leastTrait && odds > 0.5 {
			traits = append(traits, trait{"dwell", int32(m.ms), odds})
		}
	}
	return traits
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
		if n := texts[t.kind]; n != nil {
			features[i].Value = n.texts[t.log]
			continue
		}
		ms := int64(t.log)
		e := antifraud.Evidence{DwellMS: &ms}
		features[i].Value = e.Feature(t.kind)
	}
	return features
}
