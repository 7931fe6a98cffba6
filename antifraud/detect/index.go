package detect

import "slices"

// index finds voters by what they have in common.
type index struct {
	c      *crowd
	groups []*grouping // with members: cohorts, and ways from members to others
	pairs  [][]int32

	mark   int32
	marked []int32 // by voter: the last round that met it
	y      []float64
	met    []int32
}

func newIndex(c *crowd) *index {
	t := c.t
	x := &index{c: c, marked: make([]int32, c.n)}
	of := func(col *column) func(v, act int32) int32 {
		return func(v, _ int32) int32 { return col.of[v] }
	}
	alone := func(name string, col *column) func() *grouping {
		return func() *grouping { return t.alone(name, col.size(), of(col)) }
	}
	within := func(name string, value func(v, act int32) int32) func() *grouping {
		return func() *grouping { return t.within(name, value, false) }
	}
	known := func(g *grouping) func() *grouping { return func() *grouping { return g } }
	groups := []func() *grouping{
		func() *grouping {
			return t.alone("entry", t.entries.size(), func(_, act int32) int32 { return t.entry[act] })
		},
		alone("device", &t.device), alone("net", &t.net), alone("block", &t.block), alone("via", &t.via),
		known(c.byVia), known(c.byReferrer), known(c.byHour),
		within("entry-block", of(&t.block)), within("entry-agent", of(&t.agent)),
		within("entry-day", func(_, act int32) int32 { return t.hour[act] / 24 }),
		within("entry-night", func(_, act int32) int32 { return (t.hour[act] + 12) / 24 }),
		within(oneModel, of(&t.device)), within("entry-kind", of(&t.kind)),
	}
	x.groups = make([]*grouping, len(groups))
	inParallel(len(groups)+1, func(i int) {
		if i == 0 {
			x.pairs = t.pairs()
			return
		}
		x.groups[i-1] = groups[i-1]().list(t)
	})
	most := int32(0)
	for _, g := range x.groups {
		most = max(most, g.n)
	}
	x.y = make([]float64, most)
	return x
}

// crowded is a group so large that being in it, and nothing else, makes nobody a
// candidate: the work of a run stays that of the farms' size.
const crowded = 20_000

// linked are the voters, rising, in any group that members are in more often than
// the crowd is.
func (x *index) linked(h *hand) []int32 {
	var who []int32
	x.mark++
	for _, g := range x.groups {
		x.met = x.met[:0]
		for _, v := range h.who {
			w := h.w[v]
			if w < faint {
				continue
			}
			from, to := x.c.t.acts(v)
			for a := from; a < to; a++ {
				k := g.of[a]
				if k == unseen {
					continue
				}
				if x.y[k] == 0 {
					x.met = append(x.met, k)
				}
				x.y[k] += w
			}
		}
		for _, k := range x.met {
			y := x.y[k]
			x.y[k] = 0
			of := g.members(k)
			enriched := y / h.mass / (float64(len(of)) / float64(x.c.n))
			if y < max(0.8, 0.005*h.mass) || enriched < 2 && !(g.name == "entry" && y >= 0.02*h.mass) || len(of) > crowded && enriched < 4 {
				continue
			}
			for _, v := range of {
				if x.marked[v] != x.mark {
					x.marked[v] = x.mark
					who = append(who, v)
				}
			}
		}
	}
	for _, v := range h.who {
		if h.w[v] >= faint && x.marked[v] != x.mark {
			x.marked[v] = x.mark
			who = append(who, v)
		}
	}
	return x.rising(who)
}

// rising puts the voters marked last in order. Where they are many, marks are gone
// through instead, which costs what all voters are.
func (x *index) rising(who []int32) []int32 {
	if len(who) < len(x.marked)/64 {
		slices.Sort(who)
		return who
	}
	who = who[:0]
	for v, mark := range x.marked {
		if mark == x.mark {
			who = append(who, int32(v))
		}
	}
	return who
}

// group finds a grouping by its name.
func (x *index) group(name string) *grouping {
	for _, g := range x.groups {
		if g.name == name {
			return g
		}
	}
	panic("detect: no grouping " + name)
}

// oneModel is the name of cohorts of voters for one entry with one device.
const oneModel = "entry-device"

// cohort are voters who are looked at together, because they have something in common.
type cohort struct {
	name    string
	members []int32
	gain    float64 // in log-likelihood, of the mixture over the crowd alone
	share   float64 // of the cohort that is suspicious
	tries   int
	rented  bool // its members are one network's, where machines are rented
}

// leastCohort is the number of voters below which composition says nothing.
const leastCohort = 6

// cohorts are all that are large enough.
func (x *index) cohorts() []cohort {
	var list []cohort
	for _, g := range x.groups {
		if g.name == "net" || g.name == "device" || g.name == "block" {
			continue // within an entry they say more
		}
		for k := range g.n {
			if of := g.members(k); len(of) >= leastCohort {
				byNetwork := g.name == "entry-kind" || g.name == "entry-block"
				list = append(list, cohort{name: g.name, members: of, rented: byNetwork && x.c.t.isRented(of[0])})
			}
		}
	}
	for _, of := range x.pairs {
		if len(of) >= leastCohort {
			list = append(list, cohort{name: "pair", members: of})
		}
	}
	return list
}

// atOneAddress tells whether most of these have the same.
func (t *table) atOneAddress(members []int32) bool {
	at := map[int32]int{}
	for _, v := range members {
		if k := t.net.of[v]; k != unseen {
			if at[k]++; float64(at[k]) >= oneAddress*float64(len(members)) {
				return true
			}
		}
	}
	return false
}
