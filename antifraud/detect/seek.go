package detect

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
)

type cohort struct {
	name    string
	members []int32
	gain    float64
	pi      float64
	tries   int
}

// looks are log-odds that each voter is a farm's by generic looks, before any farm is known.
func (m *model) looks() []float64 {
	t := m.t
	r := make([]float64, m.n)
	sum := 0.0
	bad := 0.0
	isBad := func(k int32) bool {
		return k >= 0 && (t.kind.values[k] == "hosting" || t.kind.values[k] == "vpn" || t.kind.values[k] == "tor")
	}
	for k, x := range m.kind0[:len(m.kind0)-1] {
		if isBad(int32(k)) {
			bad += x
		}
	}
	bad = (bad + 1) / (m.n0 + 2)
	type dk struct{ d, e int32 }
	devE, netE := map[dk]float64{}, map[dk]float64{}
	size := make([]float64, len(t.entries.values))
	for i, acts := range t.acts {
		for _, a := range acts {
			if d := t.device.of[i]; d >= 0 {
				devE[dk{d, a.entry}] += 1 - m.farm[i]
			}
			if d := t.net.of[i]; d >= 0 {
				netE[dk{d, a.entry}] += 1 - m.farm[i]
			}
			size[a.entry] += 1 - m.farm[i]
		}
	}
	together := func(n []float64, in map[dk]float64, d int32, acts []act, own float64) float64 {
		best := -9.0
		for _, a := range acts {
			size := size[a.entry]
			y := in[dk{d, a.entry}] - own
			x := math.Max(n[d]-own-y, 0)
			if y < 0.7 {
				continue
			}
			e := (x + 0.3) * size / math.Max(m.n0-size, size)
			best = math.Max(best, math.Log(y/e))
		}
		if best < -8 {
			return -0.4
		}
		return clip(best, -0.4, 3.5)
	}
	for i := range r {
		if b := m.dwellBin[i]; b >= 0 {
			u := (float64(b) + 0.5) / float64(len(m.dwellCuts)+1)
			r[i] += clip(math.Log(2*(1-u)), -1.5, 0.7)
		}
		if k := t.kind.of[i]; k >= 0 {
			if isBad(k) {
				r[i] += clip(math.Log(0.3/bad), 0, 2.5)
			} else {
				r[i] += math.Log(0.7 / (1 - bad))
			}
		}
		if !math.IsNaN(t.account[i]) {
			r[i] += clip(t.account[i], -2, 2.5)
		}
		if d := t.device.of[i]; d >= 0 {
			r[i] += together(m.dev0, devE, d, t.acts[i], 1-m.farm[i])
		}
		if d := t.net.of[i]; d >= 0 && t.kind.of[i] >= 0 && t.kind.values[t.kind.of[i]] != "campus" {
			r[i] += together(m.net0, netE, d, t.acts[i], 1-m.farm[i]) / 2
		}
		r[i] += t.proof[i]
		sum += (1 - m.farm[i]) * math.Exp(r[i])
	}
	shift := math.Log(sum / m.n0)
	for i := range r {
		r[i] -= shift
	}
	return r
}

// judge estimates the suspicious share of a cohort by EM over looks, and what it gains.
func (m *model) judge(c *cohort, r []float64) {
	pi := 0.3
	var w float64
	for range 30 {
		s := 0.0
		w = 0
		for _, i := range c.members {
			h := 1 - m.farm[i]
			x := pi * math.Exp(r[i])
			s += h * x / (x + 1 - pi)
			w += h
		}
		next := s / (w + 1)
		if math.Abs(next-pi) < 1e-4 {
			pi = next
			break
		}
		pi = next
	}
	c.pi, c.gain = pi, 0
	for _, i := range c.members {
		c.gain += (1 - m.farm[i]) * math.Log(1-pi+pi*math.Exp(r[i]))
	}
}

func (m *model) cohorts() []cohort {
	t := m.t
	type key struct {
		kind int
		a, b int32
	}
	groups := map[key][]int32{}
	put := func(k key, i int) {
		if of := groups[k]; len(of) == 0 || of[len(of)-1] != int32(i) {
			groups[k] = append(of, int32(i))
		}
	}
	for i, acts := range t.acts {
		for j, a := range acts {
			put(key{0, a.entry, 0}, i)
			if v := t.via.of[i]; v >= 0 {
				put(key{1, a.entry, v}, i)
				put(key{2, v, 0}, i)
			}
			if v := t.referrer.of[i]; v >= 0 {
				put(key{3, a.entry, v}, i)
			}
			if v := t.block.of[i]; v >= 0 {
				put(key{4, a.entry, v}, i)
			}
			if v := t.agent.of[i]; v >= 0 {
				put(key{5, a.entry, v}, i)
			}
			put(key{6, a.entry, a.hour / 24}, i)
			put(key{7, a.entry, (a.hour + 12) / 24}, i)
			if v := t.kind.of[i]; v >= 0 {
				put(key{8, a.entry, v}, i)
			}
			put(key{11, a.entry, a.hour / 3}, i)
			if len(acts) <= 10 {
				for _, b := range acts[j+1:] {
					if a.entry != b.entry {
						put(key{9, min(a.entry, b.entry), max(a.entry, b.entry)}, i)
					}
				}
			}
			if d := t.device.of[i]; d >= 0 && m.devN[d] > 5 {
				put(key{10, a.entry, d}, i)
			}
		}
	}
	names := []string{"entry", "entry-via", "via", "entry-referrer", "entry-block", "entry-agent", "entry-day", "entry-day2", "entry-kind", "covote", "entry-device", "entry-3h"}
	var list []cohort
	for k, members := range groups {
		if len(members) < 6 {
			continue
		}
		list = append(list, cohort{name: fmt.Sprint(names[k.kind], " ", k.a, " ", k.b), members: members})
	}
	slices.SortFunc(list, func(a, b cohort) int { return cmp.Compare(a.name, b.name) })
	return list
}

var trace = os.Getenv("JOUTE_TRACE") != ""

func tell(format string, args ...any) {
	if trace {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}

// find looks for farms, one after another, the plainest first.
func (m *model) find() []*hand {
	r := m.looks()
	list := m.cohorts()
	for k := range list {
		m.judge(&list[k], r)
	}
	limit := math.Log(float64(len(list))) + 4
	tell("%d voters, %d cohorts, limit %.1f", m.n, len(list), limit)
	var found []*hand
	tried := 0
	for tried < 60 {
		best := -1
		for k := range list {
			if list[k].gain > 2 && (best < 0 || list[k].gain*list[k].pi*list[k].pi > list[best].gain*list[best].pi*list[best].pi) {
				best = k
			}
		}
		if best < 0 {
			break
		}
		tried++
		c := &list[best]
		gain := c.gain
		h := m.newHand(c.name)
		for _, i := range c.members {
			x := c.pi * math.Exp(r[i])
			h.w[i] = (1 - m.farm[i]) * x / (x + 1 - c.pi)
		}
		c.tries++
		// candidates: whoever votes for what they vote for
		h.fit()
		if h.total < 4 {
			c.gain, c.tries = -1, 9
			continue
		}
		before := slices.Clone(m.farm)
		start := slices.Clone(h.w)
		ok := false
		for _, within := range [][]int32{nil, c.members} {
			copy(h.w, start)
			copy(m.farm, before)
			m.honest()
			h.fit()
			m.settle(h, before, within)
			by, all := h.evidence()
			ok = m.convincing(h, by, all, limit)
			tell("%s: gain %.1f pi %.2f -> total %.1f of %d evidence %.1f dev %.1f tempo %.1f net %.1f acc %.1f struct %.1f accepted %v", c.name, gain, c.pi, h.total, len(c.members), all, by[qDevice], by[qTempo], by[qNetwork], by[qAccount], by[qStructure], ok)
			if ok || h.total < 1.2*float64(len(c.members)) {
				break
			}
		}
		if !ok {
			copy(m.farm, before)
			m.honest()
			c.gain, c.tries = -1, 9
			continue
		}
		found = append(found, h)
		r = m.looks()
		for k := range list {
			if list[k].tries < 3 {
				m.judge(&list[k], r)
			} else {
				list[k].gain = -1
			}
		}
	}
	m.debug(list, r)
	return found
}

// convincing tells whether a hand's composition is another than everybody's.
func (m *model) convincing(h *hand, by [qs]float64, all, limit float64) bool {
	if h.total < 4 || all < limit+4 {
		return false
	}
	need := [qs]float64{qDevice: 1.5, qTempo: 0.12, qNetwork: 1, qAccount: 0.3, qStructure: 1.5}
	families, other := 0, 0.0
	for f, x := range by {
		if x > math.Max(8, need[f]*h.total) {
			families++
		}
		if f != qNetwork {
			other += x
		}
	}
	for _, f := range []int{qDevice, qTempo, qAccount} {
		if by[f] < -math.Max(2, 0.02*h.total) {
			return false
		}
	}
	return families >= 2 && other > 0.8*h.total
}

// settle runs EM for one hand beside the farms that are known.
func (m *model) settle(h *hand, others []float64, within []int32) {
	mark := make([]bool, m.n)
	for round := range 25 {
		// candidates
		if within != nil {
			h.cand = append(h.cand[:0], within...)
			clear(mark)
			for _, i := range within {
				mark[i] = true
			}
			for i := range h.w {
				if !mark[i] {
					h.w[i] = 0
				}
			}
		} else if round%5 == 0 {
			h.cand = h.cand[:0]
			clear(mark)
			for e, of := range m.t.entryOf {
				if h.entry[e] < 0.02*h.total || h.entry[e] < 1 {
					continue
				}
				for _, i := range of {
					if !mark[i] {
						mark[i] = true
						h.cand = append(h.cand, i)
					}
				}
			}
			slices.Sort(h.cand)
			for i := range h.w {
				if !mark[i] {
					h.w[i] = 0
				}
			}
		}
		for i := range m.farm {
			m.farm[i] = 1 - (1-others[i])*(1-h.w[i])
		}
		m.honest()
		h.fit()
		moved := h.step()
		for _, i := range h.cand {
			h.w[i] *= 1 - others[i]
		}
		if moved < 0.005*h.total {
			break
		}
	}
	for i := range m.farm {
		m.farm[i] = 1 - (1-others[i])*(1-h.w[i])
	}
	m.honest()
	h.fit()
}

func (m *model) debug(list []cohort, r []float64) {
	for k := range list {
		c := list[k]
		if len(c.members) > 150 {
			m.judge(&c, r)
			s, q := 0.0, 0.0
			for _, i := range c.members {
				s += (1 - m.farm[i]) * r[i]
				q += (1 - m.farm[i])
			}
			if c.gain > 1 || list[k].gain > 1 {
				tell("   %s n %d honest %.1f pi %.3f gain %.2f mean r %.2f (was %.2f, tries %d)", c.name, len(c.members), q, c.pi, c.gain, s/q, list[k].gain, c.tries)
			}
		}
	}
}
