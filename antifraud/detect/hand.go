package detect

import "math"

// The features of a voter that a hand is known by.
const (
	atDevice = iota
	atAgent
	atKind
	atNet
	atASN
	atDwell
	atAccount
	atVia
	atReferrer
	atHour
	atEntries
	atProof
	features
)

// terms are log-odds, by feature, that a voter is one hand's rather than one of the crowd.
type terms [features]float64

// common is what of a place the hand's entry cannot say, see [hand.common].
func (t *terms) sum(common float64) float64 {
	return t.place() + min(t.looks(), mostLooks(t.there()+common))
}

// mostLooks is how much looks may count for who votes at a place.
func mostLooks(place float64) float64 { return 1.5 + 1.5*max(place, 0) }

// place are the terms that say where a voter votes, and by which way they came.
func (t *terms) place() float64 { return t[atVia] + t[atReferrer] + t[atHour] + t[atEntries] }

// there is what a place makes of looks: that no other member voted at an hour does not make
// those of somebody else. Nor does it that they came by another way, where both their device and
// their address say that they are.
func (t *terms) there() float64 {
	if t[atDevice] > clearly && t[atNet] > clearly {
		return t.mostThere()
	}
	return t.place() - min(t[atHour], 0)
}

// mostThere is that whatever looks say.
func (t *terms) mostThere() float64 {
	return t.place() - min(t[atHour], 0) - min(t[atVia]+t[atReferrer], 0)
}

// looks are all others. They do not count beyond what the place makes likely: a
// farm's voters vote where the farm does, and whoever only has an address or a phone
// like theirs is a stranger.
func (t *terms) looks() float64 {
	return t[atDevice] + t[atAgent] + t[atKind] + t[atNet] + t[atASN] + t[atDwell] + t[atAccount] + t[atProof]
}

// A pool is a feature of which a hand takes a share from few values of its own, and
// the rest as everybody does. The share is learned.
type pool struct{ own float64 }

// poolCount is what one pass over voters teaches of a pool.
type poolCount struct{ own, of float64 }

// nothing is what rounding leaves of a sum from which all was taken again.
const nothing = 1e-9

// lacks is the ratio for a value that no other member has, whatever the crowd has of it.
func (p pool) lacks() float64 { return math.Log(1 - p.own) }

// ratio is ln of P(value | hand) / P(value | crowd). y of Y is what the other
// members have of the value, p what the crowd has; w is how much of a member this
// voter is, which only says how much there is to learn.
func (p pool) ratio(y, others, w, crowd float64, learn *poolCount) float64 {
	q := 0.0
	if others > nothing {
		q = max(y, 0) / others
	}
	r := p.own*q/crowd + 1 - p.own
	learn.own += w * p.own * q / crowd / r
	learn.of += w
	return math.Log(r)
}

// hand is one farm: whoever casts the ballots of many, as one. It is a component
// of a mixture whose other one is the crowd, and is fitted by EM (Dempster, Laird
// and Rubin 1977). What is counted of the members leaves out the voter that is
// judged: nobody is a member because of themselves.
type hand struct {
	composition // of the members: mass is how many they are

	c   *crowd
	w   []float64 // by voter: probability of being a member
	who []int32   // who may have any: the candidates

	pools   [features]pool
	browser float64 // of a hand of one machine: what its agent says beyond its model
	abroad  bool    // it began with networks from which hardly anybody else votes
	banded  bool    // it began with a rhythm: its members are of one band of reading times
	kin     []int32 // who were left out of it as people of one home
	common  float64 // what its place cannot say, as the entry that it began at is one that very many vote for
}

// begin notes at which entry a hand begins that has its first members. Who votes for the
// leader of a contest, or in a spike that is most of it, votes where everybody does: that
// is no sign that a hand has drifted, nor that those who look like it are elsewhere.
func (h *hand) begin() {
	most, y := 0, 0.0
	for e, n := range h.entry {
		if n > y {
			most, y = e, n
		}
	}
	h.common = clip(leastPlace-math.Log(h.c.acts/max(h.c.entry[most], 1)), 0, leastPlace)
}

// newHand has the room for a hand, and no member.
func newHand(c *crowd) *hand {
	return &hand{composition: newComposition(c), c: c, w: make([]float64, c.n), browser: math.Inf(1)}
}

// clear takes all members out.
func (h *hand) clear() {
	for _, v := range h.who {
		h.set(v, 0)
	}
	h.who, h.kin, h.browser, h.common = h.who[:0], h.kin[:0], math.Inf(1), 0
	for f := range h.pools {
		h.pools[f].own = 0.7
	}
}

// set makes v a member to the degree w.
func (h *hand) set(v int32, w float64) {
	d := w - h.w[v]
	if d == 0 {
		return
	}
	h.w[v] = w
	h.add(h.c, v, d)
}

// dubious tells whether the members' accounts are worse than the crowd's, or
// wanting where the crowd has them: good ones are no tell, however many a farm has.
func (h *hand) dubious() bool {
	c := h.c
	none, crowdNone := h.account[noAccount], c.account[noAccount]
	if none/h.mass > crowdNone/c.mass+0.3 {
		return true
	}
	return h.mass-none > 1 && c.mass-crowdNone > 1 && h.accountSum/(h.mass-none) > c.accountSum/(c.mass-crowdNone)+0.3
}

// sharing tells whether fewer members than of the crowd have a device to themselves.
func (h *hand) sharing() bool {
	return h.ownDevice*h.c.withDevice < h.c.ownDevice*h.withDevice
}

// leastMadeUp is how many devices it takes to say that they are made up.
const leastMadeUp = 20

// madeUp tells whether hardly a member has a device that anybody else has, where the crowd
// has phones of a few models. Whoever draws a new one for each vote draws none that people
// have; of no number of people does each have a phone that nobody else bought.
func (h *hand) madeUp() bool {
	if h.withDevice < leastMadeUp {
		return false
	}
	shared := (h.withDevice - h.ownDevice) / h.withDevice
	return 4*shared < 1-(h.c.ownDevice+1)/(h.c.withDevice+2)
}

// predictive is ln of the ratio of two predictive probabilities of one of few
// values, the hand's smoothed towards the crowd's by a weight of c voters.
func predictive(y, others, x, crowd, c float64) float64 {
	p := (max(x, 0) + 0.5) / (max(crowd, 0) + 5)
	return math.Log((max(y, 0) + c*p) / (max(others, 0) + c) / p)
}

// judge fills in the terms of a voter, and counts what they teach of the pools. same
// is of the hand as it is now.
func (h *hand) judge(v int32, out *terms, learn *[features]poolCount, same *strangers) {
	*out = terms{}
	w, own := h.w[v], 1-h.c.taken[v]
	h.judgePlace(v, w, own, anybody, out, learn, same)
	h.judgeLooks(v, w, own, out, learn, same)
}

// anybody is a prior by which nobody is hopeless.
var anybody = math.Inf(1)

// hopeless tells whether no looks could make a member of a voter who votes where
// place says, and there makes likely, at the most. Nearly all voters are: the rest of the work is done for few.
func hopeless(prior, place, there float64) bool { return prior+place+mostLooks(there) < lnFaint }

func (h *hand) judgeLooks(v int32, w, own float64, out *terms, learn *[features]poolCount, s *strangers) {
	c, t := h.c, h.c.t
	if k := t.device.of[v]; k != unseen {
		out[atDevice] = clip(h.judgeDevice(k, w, own, learn, s), -4, 6)
	}
	agent, kind, dwell := t.agent.of[v], t.kind.of[v], int(c.dwellBin[v])
	if s.are(w, own) {
		if agent != unseen {
			out[atAgent] = s.agent[agent]
		}
		if kind != unseen {
			out[atKind] = s.kind[kind]
		}
		if out[atDwell] = s.pageless; dwell >= 0 {
			out[atDwell] = s.dwell[dwell]
		}
		out[atAccount] = s.account[c.accBin[v]]
	} else {
		if agent != unseen {
			out[atAgent] = h.judgeAgent(agent, w, own, &learn[atAgent])
		}
		if kind != unseen {
			out[atKind] = h.judgeKind(kind, w, own)
		}
		if dwell >= 0 {
			out[atDwell] = h.judgeDwell(dwell, w, own)
		} else {
			out[atDwell] = h.judgePageless(w, own)
		}
		out[atAccount] = h.judgeAccount(int(c.accBin[v]), w, own)
	}
	if t.net.of[v] != unseen {
		out[atNet] = clip(h.judgeNet(v, w, own, learn, s), -4, 2.5)
		if h.abroad {
			out[atASN] = h.judgeASN(v, w, own, out[atNet], &learn[atASN], s)
		}
	}
	out[atProof] = h.judgeProof(v, w, own)
}

// judgeProof is what a proof says for a voter, and never against one. An inbox says nothing
// where as many of the hand have one as of the crowd: then it buys them.
func (h *hand) judgeProof(v int32, w, own float64) float64 {
	proof := h.c.t.proof[v]
	if proof != mailOdds {
		return proof
	}
	return clip(predictive(h.mailed-w, h.mass-w, h.c.mailed-own, h.c.mass-own, 6), proof, 0)
}

func (h *hand) judgeAgent(k int32, w, own float64, learn *poolCount) float64 {
	p := (max(h.c.agent[k]-own, 0) + 0.5) / (h.c.mass + 5)
	return clip(h.pools[atAgent].ratio(h.agent[k]-w, h.mass-w, w, p, learn), -2.5, 2.5)
}

func (h *hand) judgeKind(k int32, w, own float64) float64 {
	y, x := h.rented, h.c.rented
	if !h.c.t.rented[k] {
		y, x = h.known-h.rented, h.c.known-h.c.rented
	}
	return clip(predictive(y-w, h.known-w, x-own, h.c.known-own, 6), -2.5, 3.5)
}

// judgeDwell holds a reading time and those next to it against the crowd's.
func (h *hand) judgeDwell(b int, w, own float64) float64 {
	y, x := 0.0, 0.0
	for n := max(0, b-1); n <= min(dwellBins-1, b+1); n++ {
		y, x = y+h.dwell[n], x+h.c.dwell[n]
	}
	return clip(predictive(y-w, h.mass-w, x-own, h.c.mass-own, 10), -2.5, 2.5)
}

// judgePageless is of a vote without a reading time, where pages tell one: it came by a
// call, or from a browser that runs no scripts. It says something of a hand that is
// pageless: a few of any other are people who run none.
func (h *hand) judgePageless(w, own float64) float64 {
	if !h.pageless() {
		return 0
	}
	return clip(predictive(h.mass-h.dwells-w, h.mass-w, h.c.mass-h.c.dwells-own, h.c.mass-own, 10), -1, 2)
}

// judgeDevice holds a device against what strangers share.
func (h *hand) judgeDevice(k int32, w, own float64, learn *[features]poolCount, s *strangers) float64 {
	c, of := h.c, &s.devices
	if c.t.device.voters[k] == 1 {
		return of.owns
	}
	if h.device[k]-w <= nothing {
		learn[atDevice].of += w
		return of.shares + s.lacks[atDevice]
	}
	p := max(c.device[k]-own, 0.3) / (c.mass * (1 - of.alone)) // 0.3: a device no stranger has could be the next one's
	return of.shares + h.pools[atDevice].ratio(h.device[k]-w, h.withDevice-h.ownDevice-w, w, p, &learn[atDevice])
}

// judgeAccount holds an account's score against the crowd's, and so the want of one.
func (h *hand) judgeAccount(b int, w, own float64) float64 {
	c := h.c
	if b == noAccount {
		if c.account[noAccount] >= 0.98*c.mass {
			return 0 // no profiles here
		}
		return clip(predictive(h.account[noAccount]-w, h.mass-w, c.account[noAccount]-own, c.mass-own, 10), -1, 2)
	}
	y, x := 0.0, 0.0
	for n := max(0, b-1); n <= min(accountBins-1, b+1); n++ {
		y, x = y+h.account[n], x+c.account[n]
	}
	return clip(predictive(y-w, h.mass-h.account[noAccount]-w, x-own, c.mass-c.account[noAccount]-own, 10), -2.5, 2.5)
}

// judgeNet holds an address, or its block where that says more, against the crowd
// of the same entries: so does a campus not stand out at its own. Among rented
// networks strangers share exits whatever they vote for: those are held against
// each other.
func (h *hand) judgeNet(v int32, w, own float64, learn *[features]poolCount, s *strangers) float64 {
	c, t := h.c, h.c.t
	rented := t.isRented(v)
	term := func(k int32, col *column, f int, members, crowd []float64, memberOwn float64, of *apart, g *grouping, in []float64, learn *poolCount) float64 {
		if col.voters[k] == 1 {
			return of.owns
		}
		if members[k]-w <= nothing {
			learn.of += w
			return of.shares + s.lacks[f]
		}
		x, others := max(crowd[k]-own, 0.3), h.withNet-memberOwn
		p := 0.0
		if rented && c.rented > 0 {
			p, others = x/c.rented, h.rented
		} else {
			p = c.expected(v, g, in, x/c.mass, own)
		}
		return of.shares + h.pools[f].ratio(members[k]-w, others-w, w, p, learn)
	}
	net := term(t.net.of[v], &t.net, atNet, h.net, c.net, h.ownNet, &s.nets, c.byNet, c.inNet, &learn[atNet])
	b := t.block.of[v]
	if b == unseen {
		return net
	}
	var unlearned poolCount
	block := term(b, &t.block, atNet, h.block, c.block, h.ownBlock, &s.blocks, c.byBlock, c.inBlock, &unlearned)
	if math.Abs(block) > math.Abs(net) {
		return block
	}
	return net
}

// prior is the log-odds that any voter is a member.
func (h *hand) prior() float64 { return math.Log((h.mass + 0.5) / (h.c.mass + 1)) }
