package detect

import "math"

// confirmed is what may void a member: less than what makes one, as a hold is answered and
// a void is not.
type confirmed struct {
	w  float64 // probability of being a member
	by [families]float64
}

// confirm takes back, of what a voter's device, agent and address say, what they say of
// each other with the other members who have them: two strangers at one home, or with one
// phone, who vote for the same would each be a member because of the other. With y others
// a part 1/(1+y) of it is the voter's own. An address that no member has says nothing by its
// block: neighbours are not members. And the device of one machine says nothing of who is
// elsewhere: one person is in one place, or on the way between two.
func (h *hand) confirm(v int32, out terms, busiest [2]int32, oneMachine bool, own *islands) confirmed {
	t, was := h.c.t, out.sum(h.common)
	for _, x := range [...]struct {
		feature int
		value   int32
		members []float64
	}{
		{atDevice, t.device.of[v], h.device}, {atAgent, t.agent.of[v], h.agent}, {atNet, t.net.of[v], h.net},
	} {
		if x.value != unseen && out[x.feature] > 0 {
			y := max(x.members[x.value]-h.w[v], 0)
			out[x.feature] *= y / (1 + y)
		}
	}
	if !oneMachine && own.addresses[t.net.of[v]] {
		out[atNet], out[atKind] = min(out[atNet], 0), min(out[atKind], 0)
		if _, stays := own.devices[t.device.of[v]]; stays {
			out[atDevice], out[atAgent] = min(out[atDevice], 0), min(out[atAgent], 0)
		}
	}
	f := confirmed{w: h.w[v], by: h.split(v, &out, busiest)}
	if d := was - out.sum(h.common); d > 0 && f.w < 1 {
		f.w = logistic(math.Log(f.w/(1-f.w)) - d)
	}
	if k := t.net.of[v]; oneMachine && (k != busiest[0] && k != busiest[1] || out[atHour] < atOtherHours) {
		f.by[byDevice] = min(f.by[byDevice], 0)
	}
	return f
}

// namesakes is how many strangers with a voter's device can be expected among those who
// vote for that entry of theirs for which most do.
func (c *crowd) namesakes(v int32) float64 {
	k := c.t.device.of[v]
	if k == unseen {
		return 0
	}
	own, busiest := 1-c.taken[v], 0.0
	from, to := c.t.acts(v)
	for _, e := range c.t.entry[from:to] {
		busiest = max(busiest, c.entry[e]-own)
	}
	return max(c.device[k]-own, 0.3) * busiest / c.mass // 0.3: as in judgeDevice
}
