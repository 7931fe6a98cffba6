package detect

import (
	"cmp"
	"math"
	"slices"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/contest"
)

// unseen is the code of what was not seen.
const unseen = int32(-1)

// column is one thing that is seen of voters, as a small code for each value.
type column struct {
	of     []int32 // by voter; unseen is allowed
	values []string
	codes  map[string]int32
	voters []int32 // by value: how many have it
}

func (c *column) code(value string) int32 {
	if value == "" {
		return unseen
	}
	if c.codes == nil {
		c.codes = map[string]int32{}
	}
	k, known := c.codes[value]
	if !known {
		k = int32(len(c.values))
		c.codes[value], c.values = k, append(c.values, value)
	}
	return k
}

func (c *column) count() {
	c.voters = make([]int32, len(c.values))
	for _, k := range c.of {
		if k != unseen {
			c.voters[k]++
		}
	}
}

// table is the record by voter: what is judged is a voter, by all their ballots.
// What is seen of a voter is what their first ballot that shows it shows.
//
// An act is that a voter votes for an entry, once or again: who votes for the same
// every day has chosen once. The acts of voter v, in time order, are at first[v] to
// first[v+1].
type table struct {
	voters  []string
	voterOf []int32 // by ballot

	first []int32
	entry []int32   // by act
	hour  []int32   // by act: hours since 1970
	at    []float64 // by act: seconds since 1970

	entries column // of is not used

	device, agent, net, block, via, referrer, kind column

	dwell   []float64 // by voter: ln of milliseconds; NaN: not seen
	account []float64 // by voter: log-odds of the profile; NaN: there is none
	proof   []float64 // by voter: log-odds of what is proven, never positive
	rented  []bool    // by kind of network: machines are rented there, people do not live there
	campus  []bool    // by kind of network
}

func (t *table) columns() []*column {
	return []*column{&t.device, &t.agent, &t.net, &t.block, &t.via, &t.referrer, &t.kind}
}

// acts are the places of a voter's acts.
func (t *table) acts(v int32) (from, to int32) { return t.first[v], t.first[v+1] }

// Dwell outside of these is no reading time: it is taken for the nearer.
const minDwellMS, maxDwellMS = 50, 3_600_000

// tabulate folds ballots into a table. Their order does not matter: they are put
// in that of time, and of ids within a millisecond.
func tabulate(ballots []Ballot) *table {
	order := make([]int32, len(ballots))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := &ballots[a], &ballots[b]
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Voter, y.Voter))
	})
	t := &table{}
	place := make(map[string]int32, len(ballots))
	t.voterOf = make([]int32, len(ballots))
	for _, i := range order {
		b := &ballots[i]
		v, known := place[b.Voter]
		if !known {
			v = int32(len(t.voters))
			place[b.Voter], t.voters = v, append(t.voters, b.Voter)
			for _, c := range t.columns() {
				c.of = append(c.of, unseen)
			}
			t.dwell, t.account, t.proof = append(t.dwell, math.NaN()), append(t.account, math.NaN()), append(t.proof, 0)
		}
		t.voterOf[i] = v
		t.see(v, b)
	}
	t.layOut(ballots, order)
	for _, c := range t.columns() {
		c.count()
	}
	for _, k := range t.kind.values {
		kind := antifraud.NetKind(k)
		t.rented = append(t.rented, kind == antifraud.NetHosting || kind == antifraud.NetVPN || kind == antifraud.NetTor)
		t.campus = append(t.campus, kind == antifraud.NetCampus)
	}
	return t
}

func (t *table) see(v int32, b *Ballot) {
	e := &b.Evidence
	values := [...]string{e.Device, e.Agent, e.Net, e.Block, e.Via, string(e.Referrer), string(e.NetKind)}
	for i, c := range t.columns() {
		if c.of[v] == unseen && values[i] != string(antifraud.NetUnknown) {
			c.of[v] = c.code(values[i])
		}
	}
	if e.DwellMS != nil && math.IsNaN(t.dwell[v]) {
		t.dwell[v] = math.Log(float64(min(max(*e.DwellMS, minDwellMS), maxDwellMS)))
	}
	if e.Profile != nil && math.IsNaN(t.account[v]) {
		t.account[v] = account.Score(e.Profile).LogOdds
	}
	t.proof[v] = min(t.proof[v], proofOdds(b))
}

// proofOdds are log-odds against a farm: an inbox costs about what seven device
// passes do (e^2), an address of the school more, and nobody sends a farm into the hall.
func proofOdds(b *Ballot) float64 {
	odds := 0.0
	if b.Level == string(contest.LevelEmail) {
		odds -= 2
	}
	if b.Evidence.SchoolDomain {
		odds -= 3
	}
	if b.Evidence.Present {
		odds -= 4
	}
	return odds
}

// layOut puts the acts of each voter side by side.
func (t *table) layOut(ballots []Ballot, order []int32) {
	type act struct{ voter, entry int32 }
	known := make(map[act]bool, len(order))
	firsts := order[:0:0]
	t.first = make([]int32, len(t.voters)+1)
	for _, i := range order {
		a := act{t.voterOf[i], t.entries.code(ballots[i].Entry)}
		if known[a] {
			continue
		}
		known[a] = true
		firsts = append(firsts, i)
		t.first[a.voter+1]++
	}
	for v := range t.voters {
		t.first[v+1] += t.first[v]
	}
	next := slices.Clone(t.first)
	t.entry, t.hour, t.at = make([]int32, len(firsts)), make([]int32, len(firsts)), make([]float64, len(firsts))
	for _, i := range firsts {
		b := &ballots[i]
		at := next[t.voterOf[i]]
		next[t.voterOf[i]]++
		t.entry[at], t.hour[at], t.at[at] = t.entries.code(b.Entry), int32(b.At.Unix()/3600), float64(b.At.UnixMilli())/1000
	}
}
