package sharing

// credit says of every ballot of f.brought whether its link's owner brought it,
// leaving aside whether it counts: such a ballot is credited while it is counted,
// and under review while it is held (docs/decisions/0007-credit.md).
//
//   - Its voter is not the owner, and cast it from no machine (the same network,
//     device and agent together) that the owner cast from; unless most who cast
//     from there came otherwise: see ownMachines.
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
		if r, known := f.codes[b.code]; b.channel > 0 && known && f.one(r.owner) != f.one(b.voter) {
			edges[i] = edge{node(f.one(b.voter)), node(f.one(r.owner))}
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
	own := f.ownMachines()
	due := make([]bool, len(f.brought))
	for i, b := range f.brought {
		e := edges[i]
		if e.voter == e.owner || ring[e.voter] == ring[e.owner] {
			continue
		}
		if b.machine != 0 && own[machineOf{b.machine, f.one(f.codes[b.code].owner)}] {
			continue
		}
		due[i] = b.opened || f.proven(f.one(b.voter))
	}
	return due
}

// machineOf is a machine, and somebody who cast from it.
type machineOf struct{ machine, owner uint64 }

// ownMachines tells which machines with ballots by an owner's links are the owner's:
// the owner cast from there, and of the others who did, most came by these links.
// Where most came otherwise it is no machine but a model of phone: on a campus of
// one address, a popular one is in many hands.
func (f *Fold) ownMachines() map[machineOf]bool {
	came, counted := map[machineOf]int32{}, map[uint64]struct{}{}
	for _, b := range f.brought {
		r, known := f.codes[b.code]
		if b.machine == 0 || b.channel == 0 || !known {
			continue
		}
		of := machineOf{b.machine, f.one(r.owner)}
		if f.one(b.voter) == of.owner || !f.castFrom(of.owner, of.machine) {
			continue
		}
		once := f.pair(f.pair(of.machine, of.owner), b.voter)
		if _, already := counted[once]; !already {
			counted[once] = struct{}{}
			came[of]++
		}
	}
	own := make(map[machineOf]bool, len(came))
	for of, n := range came {
		others := f.crowds[of.machine] - 1 // all but the owner
		own[of] = 2*n > others
	}
	return own
}
