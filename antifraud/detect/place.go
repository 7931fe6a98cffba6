package detect

import "math"

// The most and the least that each place may count for.
const (
	leastVia, mostVia           = -2.5, 3.5
	leastReferrer, mostReferrer = -2, 2
	leastHour, mostHour         = -2, 3
	leastEntries, mostEntries   = -8, 12
)

// judgePlace is about what honest communities have too: a link, a way there, an
// hour, entries. It tells members apart, and accuses nobody. It is false, and out is
// not whole, for who is no member and could not become one by any looks; it asks the
// cheapest first.
func (h *hand) judgePlace(v int32, w, own, prior float64, out *terms, learn *[features]poolCount, s *strangers) bool {
	c, t := h.c, h.c.t
	out[atEntries] = h.judgeEntries(v, w, own, s)
	if t.via.size() > 0 {
		k, ratio := at(c.via, t.via.of[v]), s.lacks[atVia]
		if y := h.via[k] - w; y > nothing {
			p := c.expected(v, c.byVia, c.inVia, (max(c.via[k]-own, 0)+0.5)/(c.mass+5), own)
			ratio = h.pools[atVia].ratio(y, h.mass-w, w, p, &learn[atVia])
		} else {
			learn[atVia].of += w
		}
		out[atVia] = clip(ratio, leastVia, mostVia)
	}
	if most := out[atEntries] + out[atVia] + mostHour + mostReferrer; w == 0 && hopeless(prior, most, most+h.common) {
		return false
	}
	out[atHour] = h.judgeHours(v, w, own, s)
	if w == 0 && hopeless(prior, out.place()+mostReferrer, out.mostThere()+mostReferrer+h.common) {
		return false
	}
	if t.referrer.size() > 0 {
		k, ratio := at(c.referrer, t.referrer.of[v]), s.lacks[atReferrer]
		if y := h.referrer[k] - w; y > nothing {
			p := c.expected(v, c.byReferrer, c.inReferrer, (max(c.referrer[k]-own, 0)+0.5)/(c.mass+5), own)
			ratio = h.pools[atReferrer].ratio(y, h.mass-w, w, p, &learn[atReferrer])
		} else {
			learn[atReferrer].of += w
		}
		out[atReferrer] = clip(ratio, leastReferrer, mostReferrer)
		if math.Abs(out[atVia]) > math.Abs(out[atReferrer]) {
			out[atReferrer] /= 2 // a link brings its referrer with it
		}
	}
	return !hopeless(prior, out.place(), out.mostThere()+h.common)
}

// placeWeight is how many voters of the whole crowd an entry's own crowd is mixed
// with, to say what can be expected where few have voted.
const placeWeight = 15

// expected is the crowd's probability of a value at a voter's entries, averaged:
// general is that of the whole crowd.
func (c *crowd) expected(v int32, g *grouping, in []float64, general, own float64) float64 {
	from, to := c.t.acts(v)
	p := 0.0
	for a := from; a < to; a++ {
		here, all := max(in[g.of[a]]-own, 0), max(c.entry[c.t.entry[a]]-own, 0)
		p += max((here+placeWeight*general)/(all+placeWeight), general/(1+all*general))
	}
	return p / float64(to-from)
}

// judgeEntries is of which entries a voter votes for, and of how many.
func (h *hand) judgeEntries(v int32, w, own float64, s *strangers) float64 {
	from, to := h.c.t.acts(v)
	n := float64(to - from)
	entries := 0.0
	stranger := s.are(w, own)
	for _, e := range h.c.t.entry[from:to] {
		if stranger && n <= usualErrands {
			entries += s.entry[e]
		} else {
			entries += h.judgeEntry(e, w, own, n)
		}
	}
	if k := min(to-from, countBins-1); stranger {
		entries += s.count[k]
	} else {
		entries += h.judgeCount(k, w, own)
	}
	return clip(entries, leastEntries, mostEntries)
}

// The hand's hours at an entry are mixed with as many acts of its hours anywhere, and
// those with as many of the crowd's at the entry.
const hourWeight, entryHourWeight = 10, 20

// judgeHours holds the hours of a voter's acts against the crowd's at the same entries.
func (h *hand) judgeHours(v int32, w, own float64, s *strangers) float64 {
	c, t := h.c, h.c.t
	from, to := t.acts(v)
	n := float64(to - from)
	acts := max(h.acts-w*n, 0) + hourWeight
	hours := 0.0
	for a := from; a < to; a++ {
		e, cell, hour := t.entry[a], c.byHour.of[a], c.hourCell(a)
		there := max(h.entry[e]-w, 0) + entryHourWeight
		if h.hour[hour]-w <= nothing { // no other member voted then: it is the same at every hour
			if s.are(w, own) {
				hours += s.idle[e]
			} else {
				hours += math.Log(hourWeight / acts * entryHourWeight / there)
			}
			continue
		}
		general := (c.hour[hour] + 0.5) / (c.acts + float64(len(c.hour)))
		p := (max(c.inHour[cell]-own, 0) + 10*general) / (max(c.entry[e]-own, 0) + 10)
		q := (max(h.hour[hour]-w, 0) + hourWeight*p) / acts
		q = (max(h.inHour[cell]-w, 0) + entryHourWeight*q) / there
		hours += math.Log(q / p)
	}
	return clip(hours/n, leastHour, mostHour)
}

// usualErrands are votes of one voter that are the farm's for sure: whoever casts
// more may cast the rest for anybody, to look like a person.
const usualErrands = 12

// judgeEntry is of one of a voter's n entries.
func (h *hand) judgeEntry(e int32, w, own, n float64) float64 {
	errands := min(1, usualErrands/n)
	p := (max(h.c.entry[e]-own, 0) + 0.5) / (h.c.acts + float64(len(h.c.entry)))
	q := (max(h.entry[e]-w, 0) + 6*p) / (max(h.acts-w*n, 0) + 6)
	return clip(math.Log(1-errands+errands*q/p), -3, 8)
}

// severalWeight is how many acts of everybody those of who votes for several entries are
// mixed with, to say what can be expected of somebody who does.
const severalWeight = 50

// together is what entries say of a voter who votes for several, held against others who do:
// a spike brings very many who vote once, for one, beside whom all others are in step.
func (h *hand) together(v int32) float64 {
	c := h.c
	w, own := h.w[v], 1-c.taken[v]
	from, to := c.t.acts(v)
	n, sum := float64(to-from), 0.0
	errands := min(1, usualErrands/n)
	for _, e := range c.t.entry[from:to] {
		general := (max(c.entry[e]-own, 0) + 0.5) / (c.acts + float64(len(c.entry)))
		p := (max(c.several[e]-own, 0) + severalWeight*general) / (max(c.severalActs-own*n, 0) + severalWeight)
		q := (max(h.entry[e]-w, 0) + 6*p) / (max(h.acts-w*n, 0) + 6)
		sum += clip(math.Log(1-errands+errands*q/p), -3, 8)
	}
	return clip(sum, leastEntries, mostEntries)
}

// judgeCount is of how many entries a voter votes for.
func (h *hand) judgeCount(k int32, w, own float64) float64 {
	return clip(predictive(h.count[k]-w, h.mass-w, h.c.count[k]-own, h.c.mass-own, 6), -2, 2)
}
