package detect

import (
	"math"
	"slices"

	"github.com/joute/joute/antifraud"
)

// column is one thing that is seen of voters, by a code for each value. Codes are
// those of the table, without gaps; log says which of the log's each is.
type column struct {
	of     []int32 // by voter; unseen is allowed
	log    []int32 // by code
	voters []int32 // by code: how many have it
}

func (c *column) size() int { return len(c.log) }

// recode turns codes of the log into codes of a table, as they come.
type recode struct{ to []int32 }

func (r *recode) code(c *column, logCode int32) int32 {
	if logCode == unseen {
		return unseen
	}
	for int(logCode) >= len(r.to) {
		r.to = append(r.to, slices.Repeat([]int32{unseen}, max(1024, int(logCode)+1-len(r.to)))...)
	}
	if r.to[logCode] == unseen {
		r.to[logCode] = int32(len(c.log))
		c.log = append(c.log, logCode)
	}
	return r.to[logCode]
}

// table is the record by voter: what is judged is a voter, by all their ballots.
// What is seen of a voter is what their first ballot that shows it shows.
//
// An act is that a voter votes for an entry, once or again: who votes for the same
// every day has chosen once. The acts of voter v, in time order, are at first[v] to
// first[v+1].
type table struct {
	places  []int32 // of the records that are judged, in the order of time
	voterOf []int32 // by place in places
	n       int     // voters
	voter   column  // log says which of the log's each is

	first []int32
	entry []int32   // by act
	hour  []int32   // by act: hours since 1970
	at    []float64 // by act: seconds since 1970

	entries column // of is not used

	device, agent, net, block, via, referrer, kind, asn column

	dwell   []float64 // by voter: ln of milliseconds; NaN: not seen
	confirm []float64 // the same
	account []float64 // by voter: log-odds of the profile; NaN: there is none
	proof   []float64 // by voter: log-odds of what is proven, never positive
	rented  []bool    // by kind of network: machines are rented there, people do not live there
	private []bool    // likewise: rented ones through which people go, too, to be private
	campus  []bool    // by kind of network
}

func (t *table) columns() [8]*column {
	return [...]*column{&t.device, &t.agent, &t.net, &t.block, &t.via, &t.referrer, &t.kind, &t.asn}
}

// acts are the places of a voter's acts.
func (t *table) acts(v int32) (from, to int32) { return t.first[v], t.first[v+1] }

// tabulate folds records, by their places, into a table. Their order does not matter.
func (l *log) tabulate(places []int32) *table {
	l.inOrder(places)
	t := &table{places: places, voterOf: make([]int32, len(places))}
	var voters recode
	var recodes [8]recode
	moves := moves{}
	for n, i := range places {
		r := &l.records[i]
		v := voters.code(&t.voter, r.voter)
		if int(v) == t.n {
			t.n++
			for _, c := range t.columns() {
				c.of = append(c.of, unseen)
			}
			t.dwell, t.confirm = append(t.dwell, math.NaN()), append(t.confirm, math.NaN())
			t.account, t.proof = append(t.account, math.NaN()), append(t.proof, 0)
		}
		t.voterOf[n] = v
		for k, code := range [...]int32{r.device, r.agent, r.net, r.block, r.via, r.way, r.kind, r.asn} {
			if c := t.columns()[k]; c.of[v] == unseen {
				c.of[v] = recodes[k].code(c, code)
			}
		}
		if math.IsNaN(t.dwell[v]) {
			t.dwell[v] = float64(r.dwell)
		}
		if math.IsNaN(t.confirm[v]) {
			t.confirm[v] = float64(r.confirm)
		}
		if math.IsNaN(t.account[v]) {
			t.account[v] = float64(r.account)
		}
		t.proof[v] = min(t.proof[v], float64(r.proof))
		moves.meet(v, r)
	}
	for v := range moves.churned {
		t.account[v] += churnOdds
	}
	t.layOut(l)
	for _, c := range t.columns() {
		c.voters = make([]int32, c.size())
		for _, k := range c.of {
			if k != unseen {
				c.voters[k]++
			}
		}
	}
	for _, k := range t.kind.log {
		kind := antifraud.NetKind(l.kinds.text(k))
		t.rented = append(t.rented, kind.Suspicious())
		t.private = append(t.private, kind == antifraud.NetVPN || kind == antifraud.NetTor)
		t.campus = append(t.campus, kind == antifraud.NetCampus)
	}
	return t
}

// layOut puts the acts of each voter side by side.
func (t *table) layOut(l *log) {
	var entries recode
	acts := make(map[int64]bool, len(t.places))
	firsts := make([]int32, 0, len(t.places)) // by place in places
	t.first = make([]int32, t.n+1)
	for n, i := range t.places {
		key := int64(t.voterOf[n])<<32 | int64(entries.code(&t.entries, l.records[i].entry))
		if acts[key] {
			continue
		}
		acts[key] = true
		firsts = append(firsts, int32(n))
		t.first[t.voterOf[n]+1]++
	}
	for v := range t.n {
		t.first[v+1] += t.first[v]
	}
	next := slices.Clone(t.first)
	t.entry, t.hour, t.at = make([]int32, len(firsts)), make([]int32, len(firsts)), make([]float64, len(firsts))
	for _, n := range firsts {
		r := &l.records[t.places[n]]
		at := next[t.voterOf[n]]
		next[t.voterOf[n]]++
		t.entry[at], t.hour[at], t.at[at] = entries.code(&t.entries, r.entry), int32(r.at/3_600_000), float64(r.at)/1000
	}
}

// isRented tells whether a voter comes from where machines are rented.
func (t *table) isRented(v int32) bool { k := t.kind.of[v]; return k != unseen && t.rented[k] }

func (t *table) isCampus(v int32) bool { k := t.kind.of[v]; return k != unseen && t.campus[k] }

// isPrivate tells whether a voter comes by a network that people use to be private.
func (t *table) isPrivate(v int32) bool { k := t.kind.of[v]; return k != unseen && t.private[k] }
