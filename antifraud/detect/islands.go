package detect

import "math"

// islands are devices that members have at one address or two and hardly elsewhere, and the addresses
// where most have such ones: a family at its computer, a room of them, an office with its machines and
// its way out. Device and address are there for one reason, and that others there vote for the same is
// theirs: neither tells of a farm, which deals its devices out over its addresses. A hand that is at one
// address for the most part is no island: that is what it is.
type islands struct {
	devices   map[int32]stay
	addresses map[int32]bool
}

// stay is where a device stays.
type stay struct {
	at           [2]int32 // the address that most members with it have, and the next
	most, second float64  // how many have these
	pairs        float64  // the squares of how many have each of its addresses, summed up
	rented       bool     // machines are rented there
	read, timed  float64  // ln of their reading times, summed up, and how many have one
}

// sameAddress is how many of the pairs of members with a device are at one address, where that is at
// one or two: of two alike it is half. Of devices that are dealt out over many addresses hardly any are.
const sameAddress = 0.4

// islands finds those in a hand of many machines.
func (h *hand) islands() *islands {
	t := h.c.t
	type pair struct{ device, net int32 }
	at, squares, known := map[pair]float64{}, map[int32]float64{}, map[int32]float64{}
	rented := map[int32]bool{}
	var met []pair // as sums depend on their order
	for _, v := range h.who {
		device, net, w := t.device.of[v], t.net.of[v], h.w[v]
		if device == unseen || net == unseen || w < faint {
			continue
		}
		p := pair{device, net}
		if at[p] == 0 {
			met = append(met, p)
		}
		at[p] += w
		squares[device] += w * w
		known[net] += w
		rented[net] = t.isRented(v)
	}
	by := map[int32]stay{}
	for _, p := range met {
		b, y := by[p.device], at[p]
		b.pairs += y * y
		switch {
		case y > b.most:
			b.second, b.at[1] = b.most, b.at[0]
			b.most, b.at[0] = y, p.net
			b.rented = rented[p.net]
		case y > b.second:
			b.second, b.at[1] = y, p.net
		}
		by[p.device] = b
	}
	for _, v := range h.who {
		if ln := t.dwell[v]; !math.IsNaN(ln) && t.device.of[v] != unseen {
			b := by[t.device.of[v]]
			b.read, b.timed = b.read+h.w[v]*ln, b.timed+h.w[v]
			by[t.device.of[v]] = b
		}
	}
	found := &islands{map[int32]stay{}, map[int32]bool{}}
	for device, b := range by {
		y, own := h.device[device], squares[device]
		if b.rented && (y < roomful || h.quick(b)) {
			continue // nobody lives there: a program keeps a device to its address, too
		}
		if b.most+b.second >= oneRoom*y && y*y-own >= 1 && b.pairs-own >= sameAddress*(y*y-own) {
			found.devices[device] = b
		}
	}
	settled := map[int32]float64{}
	for _, p := range met {
		if _, stays := found.devices[p.device]; stays {
			settled[p.net] += at[p]
		}
	}
	for net, y := range settled {
		if 2*y >= known[net] && 2*known[net] <= h.mass {
			found.addresses[net] = true
		}
	}
	return found
}

// quick tells whether who has a device reads clearly less long than the crowd.
func (h *hand) quick(b stay) bool {
	c := h.c
	return b.timed > 0 && c.dwells > 0 && b.read/b.timed < c.dwellSum/c.dwells-clearlyQuick
}

const clearlyQuick = 0.35 // in ln: twelve people are as quick by chance once in twenty
