package detect

import "math"

const (
	leastPool = 0.8 // members with a value besides the one who is judged
	mostStray = 3.0 // log-odds by one thing: what some dozens show cannot be known better
	passes    = 2   // a pool that was found whole says more of who is left
)

// strays adds to farms who votes from their machines and their addresses, wherever
// they vote. A farm that is hired for many entries falls into hands, and who votes for
// nothing that a hand is known for is in none. Here the place says nothing at all, so
// it takes both, a device and an address that hardly anybody else has, of farms that
// go through several of one: one machine in one home may be a family's.
func (c *crowd) strays(farms []farm) {
	for range passes {
		pools := newPools(c, farms)
		if pools.members < leastHand {
			return
		}
		for v := range int32(c.n) {
			if c.taken[v] < 0.5 {
				pools.judge(v, farms)
			}
		}
	}
}

// pools are the devices and addresses that farms share among their members.
type pools struct {
	c           *crowd
	members     float64
	device, net []float64 // by value: members who have it
	of          []int32   // by device: the farm that has most members with it
}

func newPools(c *crowd, farms []farm) *pools {
	p := &pools{c: c, device: make([]float64, c.t.device.size()), net: make([]float64, c.t.net.size()), of: make([]int32, c.t.device.size())}
	most, here := make([]float64, len(p.device)), make([]float64, len(p.device))
	for k := range farms {
		f := &farms[k]
		if !f.strong || f.evidence.pool < fewDevices && f.evidence.addresses < fewDevices {
			continue
		}
		for n, v := range f.who {
			p.members += f.w[n]
			if device := c.t.device.of[v]; device != unseen {
				p.device[device] += f.w[n]
				if here[device] += f.w[n]; here[device] > most[device] {
					p.of[device], most[device] = int32(k), here[device]
				}
			}
			if net := c.t.net.of[v]; net != unseen && !c.t.isCampus(v) {
				p.net[net] += f.w[n]
			}
		}
		for _, v := range f.who {
			if device := c.t.device.of[v]; device != unseen {
				here[device] = 0
			}
		}
	}
	return p
}

// judge adds a voter to the farm that has their device, if they are a stray.
func (p *pools) judge(v int32, farms []farm) {
	c := p.c
	device, net := c.t.device.of[v], c.t.net.of[v]
	if device == unseen || net == unseen || c.t.isCampus(v) {
		return
	}
	taken := c.taken[v]
	odds := func(members, crowd float64) float64 {
		if members -= taken; members < leastPool {
			return 0
		}
		crowd = max(crowd-(1-taken), 0) + 0.3 // a stranger could be the next one, as for a hand's devices
		return clip(math.Log(members/p.members*c.mass/crowd), 0, mostStray)
	}
	var out terms
	out[atDevice], out[atNet] = odds(p.device[device], c.device[device]), odds(p.net[net], c.net[net])
	if out[atDevice] <= clearly || out[atNet] <= clearly {
		return
	}
	out[atProof] = c.t.proof[v]
	w := logistic(math.Log((p.members+0.5)/(c.mass+1)) + out.looks())
	if w < 0.5 {
		return
	}
	f := &farms[p.of[device]]
	by := [families]float64{byDevice: out[atDevice], byNetwork: out[atNet]}
	// As of any member: with y others who have it a part 1/(1+y) is the stray's own.
	sure := confirmed{w, by}
	for family, y := range map[int]float64{byDevice: p.device[device] - taken, byNetwork: p.net[net] - taken} {
		sure.by[family] *= y / (1 + y)
	}
	if w < 1 {
		sure.w = logistic(math.Log(w/(1-w)) - (by[byDevice] - sure.by[byDevice]) - (by[byNetwork] - sure.by[byNetwork]))
	}
	f.who, f.w, f.own, f.sure = append(f.who, v), append(f.w, w), append(f.own, out), append(f.sure, 0)
	f.by, f.confirmed, f.wait = append(f.by, by), append(f.confirmed, sure), append(f.wait, 0)
	f.namesakes, f.excused = append(f.namesakes, c.namesakes(v)), append(f.excused, 0)
	c.take(v, 1-(1-taken)*(1-w))
}
