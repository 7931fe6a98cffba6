package sharing

// credit says of every ballot of f.brought whether its link's owner brought it,
// leaving aside whether it counts: such a ballot is credited while it is counted,
// and under review while it is held (docs/decisions/0007-credit.md).
//
//   - Its voter is not the owner, and cast it from no machine (the same network,
//     device and agent together) that the owner cast from.
//   - The voter is proven, or unsuspected: the link was opened. A code that a
//     program only writes down brings nobody.
//   - Voter and owner are not in one ring: there is no way from one to the other
//     and back over "came by a link of". Ballots of any standing make rings.
func (f *Fold) credit() []bool {
	nodes := map[uint64]int32{}
	node := func(id uint64) int32 {
		at, known := nodes[id]
		if !known {
			at = int32(len(nodes))
			nodes[id] = at
		}
		return at
	}
	type edge struct{ voter, owner int32 }
	edges := make([]edge, len(f.brought)) // a ballot's own, voter == owner where it has none
	for i, b := range f.brought {
		if r, known := f.codes[b.code]; b.channel > 0 && known && r.owner != b.voter {
			edges[i] = edge{node(b.voter), node(r.owner)}
		}
	}
	from := make([]int32, len(nodes)+1)
	for _, e := range edges {
		if e.voter != e.owner {
			from[e.voter+1]++
		}
	}
	for n := 1; n < len(from); n++ {
		from[n] += from[n-1]
	}
	to, next := make([]int32, from[len(from)-1]), make([]int32, len(nodes))
	for _, e := range edges {
		if e.voter != e.owner {
			to[from[e.voter]+next[e.voter]] = e.owner
			next[e.voter]++
		}
	}
	ring := rings(from, to)
	due := make([]bool, len(f.brought))
	for i, b := range f.brought {
		e := edges[i]
		if e.voter == e.owner || ring[e.voter] == ring[e.owner] {
			continue
		}
		if _, same := f.shown[f.pair(f.codes[b.code].owner, b.machine)]; same && b.machine != 0 {
			continue
		}
		due[i] = b.opened || f.voters[b.voter].proven
	}
	return due
}
