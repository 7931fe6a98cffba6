package detect

// grouping puts acts into groups: those of one entry with one value of something,
// or of one value alone. A voter with several acts in a group is in it once.
type grouping struct {
	name  string
	of    []int32 // by act: its group; unseen is allowed
	n     int32   // how many groups
	start []int32 // members of group g are at start[g] to start[g+1]
	who   []int32 // voters, rising within a group
}

// members are the voters of a group.
func (g *grouping) members(group int32) []int32 { return g.who[g.start[group]:g.start[group+1]] }

// within groups acts by entry and value, where the value was seen.
func (t *table) within(name string, value func(v, act int32) int32, keepUnseen bool) *grouping {
	g := &grouping{name: name, of: make([]int32, len(t.entry))}
	ids := map[int64]int32{}
	for v := range int32(t.n) {
		from, to := t.acts(v)
		for a := from; a < to; a++ {
			k := value(v, a)
			if k == unseen && !keepUnseen {
				g.of[a] = unseen
				continue
			}
			key := int64(t.entry[a])<<32 | int64(uint32(k))
			id, known := ids[key]
			if !known {
				id = g.n
				ids[key], g.n = id, g.n+1
			}
			g.of[a] = id
		}
	}
	return g
}

// alone groups acts by a code that they already have.
func (t *table) alone(name string, n int, value func(v, act int32) int32) *grouping {
	g := &grouping{name: name, of: make([]int32, len(t.entry)), n: int32(n)}
	for v := range int32(t.n) {
		from, to := t.acts(v)
		for a := from; a < to; a++ {
			g.of[a] = value(v, a)
		}
	}
	return g
}

// list fills in the members.
func (g *grouping) list(t *table) *grouping {
	g.start = make([]int32, g.n+1)
	last := make([]int32, g.n) // voter seen last in a group, plus one
	each := func(yield func(group, voter int32)) {
		clear(last)
		for v := range int32(t.n) {
			from, to := t.acts(v)
			for a := from; a < to; a++ {
				if k := g.of[a]; k != unseen && last[k] != v+1 {
					last[k] = v + 1
					yield(k, v)
				}
			}
		}
	}
	each(func(group, _ int32) { g.start[group+1]++ })
	for k := range g.n {
		g.start[k+1] += g.start[k]
	}
	g.who = make([]int32, g.start[g.n])
	next := append([]int32(nil), g.start...)
	each(func(group, voter int32) {
		g.who[next[group]] = voter
		next[group]++
	})
	return g
}

// pairs groups voters by two entries that they both voted for: what a co-vote
// index is about. Who votes for more than maxPaired entries says little by any
// two of them.
func (t *table) pairs() (members [][]int32) {
	const maxPaired = 10
	ids := map[int64]int32{}
	for v := range int32(t.n) {
		from, to := t.acts(v)
		if to-from > maxPaired {
			continue
		}
		for a := from; a < to; a++ {
			for b := a + 1; b < to; b++ {
				x, y := min(t.entry[a], t.entry[b]), max(t.entry[a], t.entry[b])
				if x == y {
					continue
				}
				key := int64(x)<<32 | int64(y)
				id, known := ids[key]
				if !known {
					id = int32(len(members))
					ids[key], members = id, append(members, nil)
				}
				if of := members[id]; len(of) == 0 || of[len(of)-1] != v {
					members[id] = append(of, v)
				}
			}
		}
	}
	return members
}
