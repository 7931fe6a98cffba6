package detect

import (
	"math"
	"slices"
)

// topDevice is the device that most members have, and how many do.
func (h *hand) topDevice() (device int32, members float64) {
	device = unseen
	for _, v := range h.who {
		if k := h.c.t.device.of[v]; k != unseen && h.device[k] > members {
			device, members = k, h.device[k]
		}
	}
	return device, members
}

// single leaves a hand that has few devices with the one that most members have:
// one person clears the storage of one machine, and another machine in the same room
// is another's. So is one of the same model that shows another browser, where nearly
// all members show one, or that is elsewhere, where most are at one address: a popular
// phone's other owners would hide how regularly one of them votes. It tells whether it did.
func (h *hand) single(x *index, others []float64) bool {
	t := h.c.t
	top, y := h.topDevice()
	if h.ownDevice > h.mass/2 && h.mechanical() {
		return false // a program's rhythm on devices of their own is no one machine's
	}
	if h.withDevice < oneDevice*h.mass || y < leastHand || h.spread(&t.device, h.device) >= fewDevices {
		return false
	}
	if h.dealsOut() {
		if e := h.weighEvidence(others); e.dealtInStep(h.mass) {
			return false
		}
	}
	agent := h.agentOf(top)
	h.retain(others, func(v int32) bool {
		return t.device.of[v] == top && (agent == unseen || t.agent.of[v] == unseen || t.agent.of[v] == agent)
	})
	if net := h.busiest()[0]; net >= 0 && h.net[net] >= leastHand && h.net[net] > h.mass/2 {
		h.retain(others, func(v int32) bool { return t.net.of[v] == net || t.net.of[v] == unseen })
	}
	if agent != unseen {
		h.browser = h.c.byModel(x, top, agent)
	}
	return true
}

const strangersHave = 0.1 // of what members have of a device: hardly anybody else has it

// dealsOut tells whether nearly all of a roomful or more have devices that hardly anybody else has, and each
// of these at several addresses. Of a few machines at home, in a room or in two each stays where it is.
func (h *hand) dealsOut() bool {
	t := h.c.t
	if h.mass < roomful || h.spread(&t.net, h.net) < moreThanExits {
		return false
	}
	type pair struct{ device, net int32 }
	at, dealt := map[pair]float64{}, 0.0
	for _, v := range h.who {
		at[pair{t.device.of[v], t.net.of[v]}] += h.w[v]
	}
	for _, v := range h.who {
		k, net := t.device.of[v], t.net.of[v]
		if k != unseen && h.c.device[k] <= strangersHave*h.device[k] && at[pair{k, net}] < oneDevice*h.device[k] {
			dealt += h.w[v]
		}
	}
	return dealt >= oneRoom*h.mass
}

// retain lets go of all but those to keep.
func (h *hand) retain(others []float64, keep func(v int32) bool) {
	kept := h.who[:0]
	for _, v := range h.who {
		if keep(v) {
			kept = append(kept, v)
			continue
		}
		h.set(v, 0)
		h.c.take(v, others[v])
	}
	h.who = kept
}

const (
	roomful = 12  // members with one device: of a pool of devices each has fewer, or is at many addresses
	oneRoom = 0.9 // of them, at one address
)

// leaveRooms leaves out of a hand of many devices those of its members who have one device
// at one address, where they are a roomful: a farm deals its devices out over its addresses,
// and that is a computer room at an address through which a farm votes too, or somebody
// else's machine. So are a school's own computers at its pupils' homes, see [hand.issued].
// Whoever they are, they are looked at by themselves. Of a hand that is all at one home, in a
// hurry, every device is there: it has no addresses to deal them out over. It tells whether it did.
func (h *hand) leaveRooms(others []float64) bool {
	if h.atOneHome() && h.haste() >= brisk*h.mass {
		return false
	}
	t, rooms := h.c.t, h.issued() // devices
	office := h.office(h.busiest())
	for k, stays := range h.islands().devices {
		one := stays.most >= oneRoom*h.device[k] || stays.rented || office[stays.at[0]] && office[stays.at[1]]
		if one && h.device[k] >= roomful && h.device[k] <= oneDevice*h.mass {
			rooms[k] = true
		}
	}
	if len(rooms) == 0 {
		return false
	}
	h.retain(others, func(v int32) bool { return !rooms[t.device.of[v]] })
	return true
}

// atOneHome tells whether nearly all members vote from one address, which is no campus.
func (h *hand) atOneHome() bool {
	net := h.busiest()[0]
	if net < 0 || h.net[net] < oneRoom*h.mass {
		return false
	}
	return !slices.ContainsFunc(h.who, func(v int32) bool { return h.c.t.net.of[v] == net && h.c.t.isCampus(v) })
}

const (
	atHome       = 1.5 // members at an address from which one is there alone
	mostlyAtHome = 0.5 // of those who have a device
	uneven       = 3.0 // times as many have it as have another of the hand's
)

// issued are the devices that a roomful of members and more have, and hardly as many strangers;
// most of them each at an address of their own, and several times as many as have any other of
// the hand's: a model that a school gave its pupils, whose votes and a farm's are one hand where
// both are for the same entry. A farm deals its devices out over its votes. Of a phone that people
// buy most owners are none of the hand's.
func (h *hand) issued() map[int32]bool {
	t := h.c.t
	alone, seen := map[int32]float64{}, map[int32]bool{}
	for _, v := range h.who {
		k, net := t.device.of[v], t.net.of[v]
		if k == unseen || h.device[k] < roomful {
			continue
		}
		seen[k] = true
		if net != unseen && h.net[net] < atHome {
			alone[k] += h.w[v]
		}
	}
	sum, squares, _ := h.shared(&t.device, h.device)
	found := map[int32]bool{}
	for k := range seen {
		y := h.device[k]
		others := (squares - y*y) / max(sum-y, 1)
		if alone[k] >= mostlyAtHome*y && y >= uneven*others && h.c.device[k] < y {
			found[k] = true
		}
	}
	return found
}

// agentOf is the agent that nearly all members with a device show; unseen: there is none.
func (h *hand) agentOf(device int32) int32 {
	t := h.c.t
	by, all := map[int32]float64{}, 0.0
	for _, v := range h.who {
		if k := t.agent.of[v]; t.device.of[v] == device && k != unseen {
			by[k] += h.w[v]
			all += h.w[v]
		}
	}
	for k, y := range by {
		if y > oneDevice*all { // of one at most
			return k
		}
	}
	return unseen
}

// byModel is what it says, in ln, that all who have a device show one agent: little,
// where everybody with that model of phone shows it.
func (c *crowd) byModel(x *index, device, agent int32) float64 {
	both := 0.0
	for _, v := range x.group("device").members(device) {
		if c.t.agent.of[v] == agent {
			both += 1 - c.taken[v]
		}
	}
	p := (c.agent[agent] + 0.5) / (c.mass + 5)
	return -math.Log((both + modelWeight*p) / (c.device[device] + modelWeight))
}

// modelWeight is how many voters of the whole crowd those with one model of phone are
// mixed with, to say which agent can be expected of it.
const modelWeight = 5

// together judges those who share a machine by their accounts together: where these, in
// all, do not speak against the farm, no single one does. A computer room at an address
// from which a farm votes too has a few newcomers and a few without a profile, as every
// crowd has; whoever clears the storage of one machine has little else.
func (f *farm) together(t *table) {
	users, said := map[int32]float64{}, map[int32]float64{}
	for n, v := range f.who {
		if k := t.device.of[v]; k != unseen {
			users[k] += f.w[n]
			said[k] += f.w[n] * f.by[n][byAccount]
		}
	}
	for n, v := range f.who {
		if k := t.device.of[v]; k != unseen && users[k] >= leastHand && said[k] <= 0 {
			f.by[n][byAccount] = min(f.by[n][byAccount], 0)
			f.confirmed[n].by[byAccount] = min(f.confirmed[n].by[byAccount], 0)
		}
	}
}
