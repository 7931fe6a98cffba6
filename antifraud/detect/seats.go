package detect

import "math"

// seats are, by device, the address that nearly all have who have it; unseen: there is none. Whoever has
// such a device and address has the machine that stands there.
func (t *table) seats() []int32 {
	seat, lead := make([]int32, t.device.size()), make([]int32, t.device.size())
	for v, k := range t.device.of { // the value of more than half is what is left (Boyer and Moore 1991)
		net := t.net.of[v]
		switch {
		case k == unseen || net == unseen:
		case lead[k] == 0:
			seat[k], lead[k] = net, 1
		case seat[k] == net:
			lead[k]++
		default:
			lead[k]--
		}
	}
	there := make([]int32, len(seat))
	for v, k := range t.device.of {
		if k != unseen && t.net.of[v] == seat[k] {
			there[k]++
		}
	}
	for k := range seat {
		if float64(there[k]) < oneRoom*float64(t.device.voters[k]) {
			seat[k] = unseen
		}
	}
	return seat
}

// joinRest adds to a farm of one machine that stands at one address whoever else votes with it, by the
// same browser, for the same: on another day no other member voted, which spoke against them. They are
// held, never void. Where they are more than the farm has, the machine is a room's, and it keeps to itself.
func (c *crowd) joinRest(x *index, f *farm) {
	device, members := c.machineOf(f)
	entry, at := c.targetOf(f, device)
	if device == unseen || len(at) == 0 {
		return
	}
	browsers := map[int32]bool{}
	for n, v := range f.who {
		if f.w[n] >= 0.5 && c.t.device.of[v] == device {
			browsers[c.t.agent.of[v]] = true
		}
	}
	others := 0.3 // a stranger could be the next one, as for a hand's devices
	var found []int32
	for _, v := range x.group("device").members(device) {
		switch {
		case c.taken[v] >= 0.5 || c.t.net.of[v] != c.seat[device] || !browsers[c.t.agent.of[v]]:
		case c.votesFor(v, entry):
			found = append(found, v)
		default:
			others += 1 - c.taken[v]
		}
	}
	odds := math.Log(members / others)
	if float64(len(found)) > members || odds <= clearly {
		return
	}
	var own terms
	own[atDevice] = min(odds, mostAway)
	c.enlist(f, found, own, [families]float64{byDevice: own[atDevice]}, logistic(odds))
}
