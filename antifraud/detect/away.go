package detect

import (
	"math"
	"slices"
)

const (
	shortly  = 600  // seconds between votes of one sitting
	onTheWay = 0.05 // of one person's votes are cast elsewhere than at home, by the phone's carrier
	mostAway = 6.0  // ln by the device, as of any member
)

// away adds to farms of one machine who votes with it for the same, elsewhere, within
// minutes of the others: somebody's phone leaves their home's network for a carrier's between two
// votes. How many strangers with that device can be expected there then is told by those who vote for
// others with it, and by how many of the crowd vote in those minutes. They are held, never void: an
// address of theirs says nothing.
func (c *crowd) away(x *index, farms []farm) {
	for k := range farms {
		if f := &farms[k]; f.evidence.machine >= oneDevice {
			if f.evidence.seated {
				c.joinRest(x, f)
			}
			c.join(x, f)
		}
	}
}

// join adds them to one farm.
func (c *crowd) join(x *index, f *farm) {
	device, members := c.machineOf(f)
	entry, at := c.targetOf(f, device)
	if device == unseen || len(at) == 0 {
		return
	}
	followers := x.group("entry").members(entry)
	near, all := 1.0, 2.0
	for _, v := range followers {
		if left := 1 - c.taken[v]; left > 0 {
			all += left
			if c.within(v, entry, at) {
				near += left
			}
		}
	}
	elsewhere := 0.3 // a stranger could be the next one, as for a hand's devices
	var found []int32
	for _, v := range x.group("device").members(device) {
		switch {
		case c.taken[v] >= 0.5:
		case !c.votesFor(v, entry):
			elsewhere += 1 - c.taken[v]
		case c.within(v, entry, at):
			found = append(found, v)
		}
	}
	strangers := elsewhere * all / max(c.mass-all, all)
	byDeviceAlone, byTime := math.Log(members*onTheWay/strangers), math.Log(all/near)
	w := logistic(byDeviceAlone + byTime)
	if w < 0.5 || byDeviceAlone <= clearly || byTime <= clearly {
		return
	}
	var own terms
	own[atDevice], own[atHour] = min(byDeviceAlone, mostAway), min(byTime, mostHour)
	by := [families]float64{byDevice: own[atDevice], byTempo: own[atHour]}
	c.enlist(f, found, own, by, w)
}

// machineOf is the device that most members have, and how many do.
func (c *crowd) machineOf(f *farm) (device int32, members float64) {
	device = unseen
	by := map[int32]float64{}
	for n, v := range f.who {
		if k := c.t.device.of[v]; k != unseen {
			if by[k] += f.w[n]; by[k] > members {
				device, members = k, by[k]
			}
		}
	}
	return device, members
}

// targetOf is the entry that most members with a device vote for, and when they do, rising.
func (c *crowd) targetOf(f *farm, device int32) (entry int32, at []float64) {
	times := map[int32][]float64{}
	for n, v := range f.who {
		if c.t.device.of[v] != device || f.w[n] < 0.5 {
			continue
		}
		from, to := c.t.acts(v)
		for a := from; a < to; a++ {
			e := c.t.entry[a]
			if times[e] = append(times[e], c.t.at[a]); len(times[e]) > len(at) {
				entry, at = e, times[e]
			}
		}
	}
	slices.Sort(at)
	return entry, at
}

func (c *crowd) votesFor(v, entry int32) bool {
	from, to := c.t.acts(v)
	return slices.Contains(c.t.entry[from:to], entry)
}

// within tells whether a voter votes for an entry within minutes of one of these times.
func (c *crowd) within(v, entry int32, times []float64) bool {
	from, to := c.t.acts(v)
	for a := from; a < to; a++ {
		if c.t.entry[a] != entry {
			continue
		}
		n, _ := slices.BinarySearch(times, c.t.at[a]-shortly)
		if n < len(times) && times[n] <= c.t.at[a]+shortly {
			return true
		}
	}
	return false
}

// enlist adds voters to a farm, held and never void.
func (c *crowd) enlist(f *farm, found []int32, own terms, by [families]float64, w float64) {
	for _, v := range found {
		f.who, f.w, f.own, f.sure = append(f.who, v), append(f.w, w), append(f.own, own), append(f.sure, 0)
		f.by, f.confirmed, f.wait = append(f.by, by), append(f.confirmed, confirmed{by: by}), append(f.wait, 0)
		f.namesakes, f.excused = append(f.namesakes, c.namesakes(v)), append(f.excused, 0)
		c.take(v, 1-(1-c.taken[v])*(1-w))
	}
}
