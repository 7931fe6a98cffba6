package detect

import (
	"math"
	"slices"
)

// mostFamily is how many vote at the one computer of a home. From more on it is one person, who
// votes again and again.
const mostFamily = 5

// household is who has a device at an address.
type household struct {
	device int32
	voters []int32
}

// leaveFamilies leaves out of a hand of many devices those who vote at the computer of their home:
// a few at one device and one address, at one sitting and at the pace of people, where the hand has
// that device at no other address to speak of. That they share both is one thing, as they live together,
// and several such homes have nothing in common. A farm of so many devices deals them out over its
// addresses. tries is ln of how many cohorts there are, of which one is as quick by chance. It tells
// whether it left anybody out.
func (h *hand) leaveFamilies(x *index, others []float64, tries float64) bool {
	if _, most := h.topDevice(); most >= oneDevice*h.mass {
		return false // a machine that is most of a hand is judged as one
	}
	homes := h.households(x)
	// Of so many homes one is as quick by chance.
	chance := leastBrisk + math.Log(float64(max(1, len(homes))))
	family := map[int32]bool{}
	voters, hurry := 0.0, 0.0
	for _, home := range homes {
		y, said := float64(len(home.voters)), h.hurry(home.voters)
		if said >= max(chance, brisk*y) {
			continue
		}
		voters, hurry = voters+y, hurry+said
		for _, v := range home.voters {
			family[v] = true
		}
	}
	if len(family) == 0 || hurry >= max(leastBrisk+tries, brisk*voters) {
		return false
	}
	for _, v := range h.who {
		if family[v] && h.w[v] > 0.5 {
			h.kin = append(h.kin, v)
		}
	}
	h.retain(others, func(v int32) bool { return !family[v] })
	return true
}

// households are those of the hand's devices that stay at one address of it or at two, or that are a
// phone as people have, which more of the crowd have than members.
func (h *hand) households(x *index) (found []household) {
	t := h.c.t
	type place struct{ device, net int32 }
	here, met := map[place]float64{}, []place{}
	for _, v := range h.who {
		p := place{t.device.of[v], t.net.of[v]}
		if p.device == unseen || p.net == unseen || h.w[v] < faint || t.isRented(v) || t.isCampus(v) {
			continue
		}
		if here[p] == 0 {
			met = append(met, p)
		}
		here[p] += h.w[v]
	}
	stays, homes := map[int32]float64{}, map[int32]int{} // by device
	for _, p := range met {
		if 2*here[p] < h.net[p.net] {
			continue // most members there have another
		}
		if voters := x.atOneSitting(p.device, p.net); voters != nil {
			found = append(found, household{p.device, voters})
			stays[p.device] += here[p]
			homes[p.device]++
		}
	}
	return slices.DeleteFunc(found, func(home household) bool {
		y := h.device[home.device]
		return h.c.device[home.device] < y && (homes[home.device] > 2 || stays[home.device] < oneRoom*y)
	})
}

// atOneSitting are the voters with a device at an address, where they are as few as a family
// and vote one shortly after another; nil where they are not.
func (x *index) atOneSitting(device, net int32) []int32 {
	t := x.c.t
	var voters []int32
	for _, v := range x.group("net").members(net) {
		if t.device.of[v] == device {
			if voters = append(voters, v); len(voters) > mostFamily {
				return nil
			}
		}
	}
	if len(voters) < 2 {
		return nil
	}
	var at []float64
	for _, v := range voters {
		from, to := t.acts(v)
		at = append(at, t.at[from:to]...)
	}
	slices.Sort(at)
	for n := 1; n < len(at); n++ {
		if at[n]-at[n-1] >= session {
			return nil
		}
	}
	return voters
}

// hurry is the log-likelihood that a few read quicker than the crowd, as [hand.haste] is of a hand.
func (h *hand) hurry(voters []int32) float64 {
	c := h.c
	if c.dwells < 10 {
		return 0
	}
	sum, n := 0.0, 0.0
	for _, v := range voters {
		if ln := c.t.dwell[v]; !math.IsNaN(ln) {
			sum, n = sum+ln, n+1
		}
	}
	mean := c.dwellSum / c.dwells
	variance := max(c.dwellSquares/c.dwells-mean*mean, 0.25)
	if d := sum/max(n, 1) - mean; n > 0 && d < 0 {
		return n * d * d / variance / 2
	}
	return 0
}
