package detect

import (
	"math"
	"slices"
	"sort"
)

// ---- features of a voter, coded ----

const (
	fDevice = iota
	fAgent
	fKind
	fDwell
	fAccount
	fNet
	fBlock
	fVia
	fReferrer
	fHour
	fEntry
	fProof
	features
)

var featureName = [features]string{"device", "agent", "kind", "dwell", "account", "net", "block", "via", "referrer", "hour", "entry", "proof"}

const (
	dwellBins   = 24
	accountBins = 13
)

// model has the honest side: how often what is seen among those who are no farm's.
type model struct {
	t *table
	n int

	farm []float64 // by voter: probability so far of being some farm's

	dwellCuts []float64
	dwellBin  []int8
	accBin    []int8
	bin3      func(int32) int32

	// honest weights
	n0                                          float64
	dev0, agent0, kind0, net0, blk0, via0, ref0 []float64
	dwell0, acc0                                []float64
	entry0                                      []float64
	hour0                                       []float64
	count0                                      [8]float64
	acts0                                       float64
	unique0                                     float64 // share of honest voters whose device nobody shares
	uniqueN0, uniqueB0, bad0                    float64
	devN, netN, blkN                            []int32 // voters by value

	// cells: value within an entry, by act
	cellNet, cellBlk, cellVia, cellRef, cellHour [][]int32 // [voter][act]
	cn, cb, cv, cr, ch                           []float64
	ent                                          []float64 // honest acts by entry (same as entry0)
}

func newModel(t *table) *model {
	m := &model{t: t, n: len(t.voters)}
	m.farm = make([]float64, m.n)
	d := sortedCopy(t.dwell)
	m.dwellBin, m.accBin = make([]int8, m.n), make([]int8, m.n)
	if len(d) > 0 {
		for k := 1; k < dwellBins; k++ {
			m.dwellCuts = append(m.dwellCuts, d[len(d)*k/dwellBins])
		}
		m.dwellCuts = slices.Compact(m.dwellCuts)
	}
	for i := range m.n {
		m.dwellBin[i], m.accBin[i] = -1, accountBins
		if !math.IsNaN(t.dwell[i]) {
			m.dwellBin[i] = int8(sort.SearchFloat64s(m.dwellCuts, t.dwell[i]))
		}
		if !math.IsNaN(t.account[i]) {
			m.accBin[i] = int8(math.Round((t.account[i] + 4) / 8 * (accountBins - 1)))
		}
	}
	cells := func(of func(v int, a act) int32) ([][]int32, int) {
		ids := map[int64]int32{}
		out := make([][]int32, m.n)
		for v, acts := range t.acts {
			row := make([]int32, len(acts))
			for j, a := range acts {
				key := int64(a.entry)<<32 | int64(uint32(of(v, a)))
				id, ok := ids[key]
				if !ok {
					id = int32(len(ids))
					ids[key] = id
				}
				row[j] = id
			}
			out[v] = row
		}
		return out, len(ids)
	}
	var n int
	m.cellNet, n = cells(func(v int, a act) int32 { return t.net.of[v] })
	m.cn = make([]float64, n)
	m.cellBlk, n = cells(func(v int, a act) int32 { return t.block.of[v] })
	m.cb = make([]float64, n)
	m.cellVia, n = cells(func(v int, a act) int32 { return t.via.of[v] })
	m.cv = make([]float64, n)
	m.cellRef, n = cells(func(v int, a act) int32 { return t.referrer.of[v] })
	m.cr = make([]float64, n)
	m.cellHour, n = cells(func(v int, a act) int32 { return a.hour / 3 })
	m.ch = make([]float64, n)
	mk := func(c *column) []float64 { return make([]float64, len(c.values)+1) }
	m.dev0, m.agent0, m.kind0, m.net0, m.blk0, m.via0, m.ref0 = mk(&t.device), mk(&t.agent), mk(&t.kind), mk(&t.net), mk(&t.block), mk(&t.via), mk(&t.referrer)
	m.dwell0, m.acc0 = make([]float64, dwellBins), make([]float64, accountBins+1)
	m.entry0 = make([]float64, len(t.entries.values))
	m.hour0 = make([]float64, t.hours/3+1)
	cnt := func(c *column) []int32 {
		x := make([]int32, len(c.values))
		for _, v := range c.of {
			if v >= 0 {
				x[v]++
			}
		}
		return x
	}
	m.devN, m.netN, m.blkN = cnt(&t.device), cnt(&t.net), cnt(&t.block)
	m.honest()
	return m
}

// at maps "not seen" to a place of its own, the last.
func at(x []float64, code int32) int {
	if code < 0 {
		return len(x) - 1
	}
	return int(code)
}

func zero(x []float64) {
	clear(x)
}

// honest counts again with the present farm weights.
func (m *model) honest() {
	t := m.t
	for _, x := range [][]float64{m.dev0, m.agent0, m.kind0, m.net0, m.blk0, m.via0, m.ref0, m.dwell0, m.acc0, m.entry0, m.hour0, m.cn, m.cb, m.cv, m.cr, m.ch} {
		zero(x)
	}
	m.bad0 = 0
	m.n0, m.acts0, m.count0 = 0, 0, [8]float64{}
	var uniq, withDev, uniqN, withN, uniqB float64
	for i := range m.n {
		w := 1 - m.farm[i]
		m.n0 += w
		m.dev0[at(m.dev0, t.device.of[i])] += w
		m.agent0[at(m.agent0, t.agent.of[i])] += w
		m.kind0[at(m.kind0, t.kind.of[i])] += w
		m.net0[at(m.net0, t.net.of[i])] += w
		m.blk0[at(m.blk0, t.block.of[i])] += w
		m.via0[at(m.via0, t.via.of[i])] += w
		m.ref0[at(m.ref0, t.referrer.of[i])] += w
		if m.dwellBin[i] >= 0 {
			m.dwell0[m.dwellBin[i]] += w
		}
		m.acc0[m.accBin[i]] += w
		m.count0[min(len(t.acts[i]), 7)] += w
		if d := t.device.of[i]; d >= 0 {
			withDev += w
			if m.devN[d] == 1 {
				uniq += w
			}
		}
		if d := t.net.of[i]; d >= 0 {
			withN += w
			if k := t.kind.of[i]; k >= 0 && t.bad[k] {
				m.bad0 += w
			}
			if m.netN[d] == 1 {
				uniqN += w
			}
			if m.blkN[t.block.of[i]] == 1 {
				uniqB += w
			}
		}
		for j, a := range t.acts[i] {
			m.entry0[a.entry] += w
			m.hour0[a.hour/3] += w
			m.acts0 += w
			m.cn[m.cellNet[i][j]] += w
			m.cb[m.cellBlk[i][j]] += w
			m.cv[m.cellVia[i][j]] += w
			m.cr[m.cellRef[i][j]] += w
			m.ch[m.cellHour[i][j]] += w
		}
	}
	m.unique0 = (uniq + 1) / (withDev + 2)
	m.uniqueN0 = (uniqN + 1) / (withN + 2)
	m.uniqueB0 = (uniqB + 1) / (withN + 2)
}

// hand is one farm: how often what is seen among its members.
type hand struct {
	m     *model
	name  string
	w     []float64 // by voter
	total float64

	dev, agent, kind, net, blk, via, ref, dwell, acc, entry, hour []float64
	cells                                                         []float64 // (entry, 3 hours)
	count                                                         [8]float64
	acts                                                          float64
	uniq, withDev, uniqN, withN, uniqB, badN                      float64
	cand                                                          []int32
	pools                                                         [features]pool
}

func (m *model) newHand(name string) *hand {
	h := &hand{m: m, name: name, w: make([]float64, m.n)}
	h.dev, h.agent, h.kind, h.net, h.blk, h.via, h.ref = make([]float64, len(m.dev0)), make([]float64, len(m.agent0)), make([]float64, len(m.kind0)), make([]float64, len(m.net0)), make([]float64, len(m.blk0)), make([]float64, len(m.via0)), make([]float64, len(m.ref0))
	h.dwell, h.acc, h.entry, h.hour = make([]float64, dwellBins), make([]float64, accountBins+1), make([]float64, len(m.entry0)), make([]float64, len(m.hour0))
	h.cells = make([]float64, len(m.ch))
	for f := range h.pools {
		h.pools[f].own = 0.7
	}
	return h
}

func (h *hand) fit() {
	m, t := h.m, h.m.t
	for _, x := range [][]float64{h.dev, h.agent, h.kind, h.net, h.blk, h.via, h.ref, h.dwell, h.acc, h.entry, h.hour, h.cells} {
		zero(x)
	}
	h.total, h.acts, h.count = 0, 0, [8]float64{}
	h.uniq, h.withDev, h.uniqN, h.withN, h.uniqB, h.badN = 0, 0, 0, 0, 0, 0
	for i := range m.n {
		w := h.w[i]
		if w < 1e-4 {
			continue
		}
		h.total += w
		h.dev[at(h.dev, t.device.of[i])] += w
		h.agent[at(h.agent, t.agent.of[i])] += w
		h.kind[at(h.kind, t.kind.of[i])] += w
		h.net[at(h.net, t.net.of[i])] += w
		h.blk[at(h.blk, t.block.of[i])] += w
		h.via[at(h.via, t.via.of[i])] += w
		h.ref[at(h.ref, t.referrer.of[i])] += w
		if m.dwellBin[i] >= 0 {
			h.dwell[m.dwellBin[i]] += w
		}
		h.acc[m.accBin[i]] += w
		h.count[min(len(t.acts[i]), 7)] += w
		if d := t.device.of[i]; d >= 0 {
			h.withDev += w
			if m.devN[d] == 1 {
				h.uniq += w
			}
		}
		if d := t.net.of[i]; d >= 0 {
			h.withN += w
			if k := t.kind.of[i]; k >= 0 && t.bad[k] {
				h.badN += w
			}
			if m.netN[d] == 1 {
				h.uniqN += w
			}
			if m.blkN[t.block.of[i]] == 1 {
				h.uniqB += w
			}
		}
		for j, a := range t.acts[i] {
			h.entry[a.entry] += w
			h.hour[a.hour/3] += w
			h.acts += w
			h.cells[m.cellHour[i][j]] += w
		}
	}
}

func clip(x, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, x)) }

// pool is a feature of which a hand takes some from few values of its own, and the
// rest as everybody does.
type pool struct{ own, sum, of float64 }

func (p *pool) ratio(y, Y, w, p0 float64) float64 {
	lam := p.own
	q := 0.0
	if Y-w > 1e-9 {
		q = math.Max(y-w, 0) / (Y - w)
	}
	r := lam*q/p0 + 1 - lam
	p.sum += w * lam * q / p0 / r
	p.of += w
	return math.Log(r)
}

func (p *pool) learn() {
	if p.of > 0 {
		p.own = clip((p.sum+0.5)/(p.of+1), 0.02, 0.97)
	}
	p.sum, p.of = 0, 0
}

// cat is the log ratio of two leave-one-out predictive probabilities of one value.
func cat(y, Y, w, x, X, own, c float64) float64 {
	p0 := (math.Max(x-own, 0) + 0.5) / (math.Max(X-own, 0) + 5)
	ph := (math.Max(y-w, 0) + c*p0) / (math.Max(Y-w, 0) + c)
	return math.Log(ph / p0)
}

// terms are the log-odds that i is this hand's rather than honest, by feature.
func (h *hand) terms(i int, out *[features]float64) {
	m, t := h.m, h.m.t
	w, own := h.w[i], 1-m.farm[i]
	*out = [features]float64{}
	if d := t.device.of[i]; d >= 0 {
		uh := (h.uniq + 4*m.unique0) / (h.withDev + 4)
		if m.devN[d] == 1 {
			out[fDevice] = math.Log(uh / m.unique0)
		} else {
			p0 := math.Max(m.dev0[d]-own, 0.3) / (m.n0 * (1 - m.unique0))
			out[fDevice] = math.Log((1-uh)/(1-m.unique0)) + h.pools[fDevice].ratio(h.dev[d], h.withDev-h.uniq, w, p0)
		}
		out[fDevice] = clip(out[fDevice], -4, 6)
	}
	k := at(m.agent0, t.agent.of[i])
	if t.agent.of[i] >= 0 {
		p0 := (math.Max(m.agent0[k]-own, 0) + 0.5) / (m.n0 + 5)
		out[fAgent] = clip(h.pools[fAgent].ratio(h.agent[k], h.total, w, p0), -2.5, 2.5)
	}
	if t.kind.of[i] >= 0 {
		var y, x float64
		bad := t.bad[t.kind.of[i]]
		for k, b := range t.bad {
			if b == bad {
				y, x = y+h.kind[k], x+m.kind0[k]
			}
		}
		out[fKind] = clip(cat(y, h.total, w, x, m.n0, own, 6), -2.5, 3.5)
	}
	if b := m.dwellBin[i]; b >= 0 {
		// smoothed over neighbours
		var y, x float64
		for d := max(0, int(b)-1); d <= min(dwellBins-1, int(b)+1); d++ {
			y, x = y+h.dwell[d], x+m.dwell0[d]
		}
		out[fDwell] = clip(cat(y, h.total*1.0, w, x, m.n0, own, 10), -2.5, 2.5)
	}
	if m.accBin[i] < accountBins {
		b := int(m.accBin[i])
		var y, x, Y, X float64
		for d := max(0, b-1); d <= min(accountBins-1, b+1); d++ {
			y, x = y+h.acc[d], x+m.acc0[d]
		}
		Y, X = h.total-h.acc[accountBins], m.n0-m.acc0[accountBins]
		out[fAccount] = clip(cat(y, Y, w, x, X, own, 10), -2.5, 2.5)
	} else if m.acc0[accountBins] < m.n0*0.98 {
		out[fAccount] = clip(cat(h.acc[accountBins], h.total, w, m.acc0[accountBins], m.n0, own, 10), -1, 1)
	}
	acts := t.acts[i]
	n := float64(len(acts))
	if d := t.net.of[i]; d >= 0 {
		// the honest expectation is that of the entry; a share of everybody
		lam := 15.0
		bad := t.kind.of[i] >= 0 && t.bad[t.kind.of[i]]
		ofKind, ofKindU, ofKindB := h.withN, h.uniqN, h.uniqB
		if bad {
			ofKind, ofKindU, ofKindB = h.badN, 0, 0
		}
		loc := func(cells []int32, mass []float64, x float64) float64 {
			g := math.Max(x-own, 0.3) / m.n0
			if bad && m.bad0 > 0 {
				g = math.Max(x-own, 0.3) / m.bad0
			}
			p := 0.0
			for j, a := range acts {
				e := math.Max(m.entry0[a.entry]-own, 0)
				if bad {
					p += g
					continue
				}
				p += (math.Max(mass[cells[j]]-own, 0) + lam*g) / (e + lam)
			}
			return p / n
		}
		uh := (h.uniqN + 4*m.uniqueN0) / (h.withN + 4)
		var l float64
		if m.netN[d] == 1 {
			l = math.Log(uh / m.uniqueN0)
		} else {
			p0 := loc(m.cellNet[i], m.cn, m.net0[d])
			l = math.Log((1-uh)/(1-m.uniqueN0)) + h.pools[fNet].ratio(h.net[d], ofKind-ofKindU, w, p0)
		}
		out[fNet] = clip(l, -4, 5)
		b := t.block.of[i]
		uh = (h.uniqB + 4*m.uniqueB0) / (h.withN + 4)
		if m.blkN[b] == 1 {
			l = math.Log(uh / m.uniqueB0)
		} else {
			p0 := loc(m.cellBlk[i], m.cb, m.blk0[b])
			l = math.Log((1-uh)/(1-m.uniqueB0)) + h.pools[fBlock].ratio(h.blk[b], ofKind-ofKindB, w, p0)
		}
		out[fBlock] = clip(l, -4, 5)
		// an address is in one block: the stronger of both
		if math.Abs(out[fNet]) >= math.Abs(out[fBlock]) {
			out[fBlock] = 0
		} else {
			out[fNet] = 0
		}
	}
	given := func(f int, code int32, hx []float64, gx []float64, cells []int32, mass []float64) float64 {
		k := at(gx, code)
		g := (math.Max(gx[k]-own, 0) + 0.5) / (m.n0 + 5)
		p := 0.0
		lam := 15.0
		for j, a := range acts {
			e := math.Max(m.entry0[a.entry]-own, 0)
			p += (math.Max(mass[cells[j]]-own, 0) + lam*g) / (e + lam)
		}
		p /= n
		return h.pools[f].ratio(hx[k], h.total, w, p)
	}
	if len(t.via.values) > 0 {
		out[fVia] = clip(given(fVia, t.via.of[i], h.via, m.via0, m.cellVia[i], m.cv), -2.5, 3.5)
	}
	if len(t.referrer.values) > 0 {
		out[fReferrer] = clip(given(fReferrer, t.referrer.of[i], h.ref, m.ref0, m.cellRef[i], m.cr), -2, 2)
		if math.Abs(out[fVia]) > math.Abs(out[fReferrer]) { // a link makes the referrer
			out[fReferrer] /= 2
		}
	}
	// time, given the entry
	s := 0.0
	for j, a := range acts {
		c := m.cellHour[i][j]
		e0 := math.Max(m.entry0[a.entry]-own, 0)
		g := (m.hour0[a.hour/3] + 0.5) / (m.acts0 + float64(len(m.hour0)))
		p0 := (math.Max(m.ch[c]-own, 0) + 10*g) / (e0 + 10)
		gh := (math.Max(h.hour[a.hour/3]-w, 0) + 10*p0) / (math.Max(h.acts-w*n, 0) + 10)
		ph := (math.Max(h.cells[c]-w, 0) + 20*gh) / (math.Max(h.entry[a.entry]-w, 0) + 20)
		s += math.Log(ph / p0)
	}
	out[fHour] = clip(s/n, -2, 3)
	// which entries, and how many
	s = 0
	for _, a := range acts {
		p0 := (math.Max(m.entry0[a.entry]-own, 0) + 0.5) / (m.acts0 + float64(len(m.entry0)))
		ph := (math.Max(h.entry[a.entry]-w, 0) + 6*p0) / (math.Max(h.acts-w*n, 0) + 6)
		s += clip(math.Log(ph/p0), -3, 8)
	}
	k = min(len(acts), 7)
	s += clip(cat(h.count[k], h.total, w, m.count0[k], m.n0, own, 6), -2, 2)
	out[fEntry] = clip(s, -8, 12)
	out[fProof] = t.proof[i]
}

// families of evidence by which a cohort is judged
const (
	qDevice = iota
	qTempo
	qNetwork
	qAccount
	qStructure
	qs
)

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// step gives every candidate its weight; it returns how much they moved.
func (h *hand) step() float64 {
	m := h.m
	prior := math.Log((h.total + 0.5) / (m.n0 + 1))
	var out [features]float64
	moved := 0.0
	next := make([]float64, len(h.cand))
	for k, i := range h.cand {
		h.terms(int(i), &out)
		x := prior
		for _, v := range out {
			x += v
		}
		next[k] = logistic(x)
	}
	for f := range h.pools {
		h.pools[f].learn()
	}
	for k, i := range h.cand {
		moved += math.Abs(next[k] - h.w[i])
		h.w[i] = next[k]
	}
	return moved
}

// evidence is the gain in log-likelihood by feature that composition brings, over
// what place alone says: the likelihood ratio of the cohort as a mixture.
func (h *hand) evidence() (by [qs]float64, all float64) {
	m := h.m
	prior := math.Log((h.total + 0.5) / (m.n0 + 1))
	var out [features]float64
	for _, i := range h.cand {
		h.terms(int(i), &out)
		acts := m.t.acts[i]
		var q [qs]float64
		q[qDevice] = out[fDevice] + out[fAgent]
		q[qTempo] = out[fDwell]
		q[qNetwork] = out[fKind]
		if k := m.t.kind.of[i]; k < 0 || m.t.kind.values[k] != "campus" {
			q[qNetwork] += out[fNet] + out[fBlock]
		}
		q[qAccount] = out[fAccount]
		if len(acts) > 1 {
			q[qStructure] = out[fEntry] * float64(len(acts)-1) / float64(len(acts))
		}
		x := prior
		for _, v := range out {
			x += v
		}
		sum := 0.0
		for _, v := range q {
			sum += v
		}
		pi := logistic(x - sum)
		all += math.Log(1 - pi + pi*math.Exp(sum))
		for f, v := range q {
			pi := logistic(x - v) // given all the rest
			by[f] += math.Log(1 - pi + pi*math.Exp(v))
		}
	}
	return by, all
}
