package detect

import (
	"math"
	"slices"

	"github.com/joute/joute/antifraud"
)

// none is the code of what was not seen.
const none = int32(-1)

// column is one categorical feature of all voters: a small code for each value.
type column struct {
	of     []int32 // by voter
	values []string
	codes  map[string]int32
}

func (c *column) code(value string) int32 {
	if value == "" {
		return none
	}
	if c.codes == nil {
		c.codes = map[string]int32{}
	}
	k, ok := c.codes[value]
	if !ok {
		k = int32(len(c.values))
		c.codes[value], c.values = k, append(c.values, value)
	}
	return k
}

// act is one ballot of a voter.
type act struct {
	ballot int32 // place among the ballots
	entry  int32
	hour   int32 // since the first ballot
}

// table is the record by voter: what is judged is a voter, by all their ballots.
// What is seen of a voter is that of their first ballot that shows it.
type table struct {
	voters  []string
	acts    [][]act // by voter, in time order
	entries column  // codes only: of is not used

	device, agent, net, block, asn, via, referrer, kind column
	dwell                                               []float64 // ln ms; NaN: not seen
	account                                             []float64 // log-odds of the profile; NaN: there is none
	proof                                               []float64 // log-odds of what is proven
	bad                                                 []bool    // kinds of network where machines are rented
	hours                                               int32
	entryOf                                             [][]int32 // voters by entry
}

func (t *table) columns() []*column {
	return []*column{&t.device, &t.agent, &t.net, &t.block, &t.asn, &t.via, &t.referrer, &t.kind}
}

// tabulate folds ballots, which are in time order, into a table.
func tabulate(ballots []Ballot) *table {
	t := &table{}
	place := make(map[string]int, len(ballots))
	for i := range ballots {
		b := &ballots[i]
		v, known := place[b.Voter]
		if !known {
			v = len(t.voters)
			place[b.Voter], t.voters = v, append(t.voters, b.Voter)
			t.acts = append(t.acts, nil)
			for _, c := range t.columns() {
				c.of = append(c.of, none)
			}
			t.dwell, t.account, t.proof = append(t.dwell, math.NaN()), append(t.account, math.NaN()), append(t.proof, 0)
		}
		hour := int32(b.At.Sub(ballots[0].At).Hours())
		t.hours = max(t.hours, hour+1)
		t.acts[v] = append(t.acts[v], act{int32(i), t.entries.code(b.Entry), hour})
		e := &b.Evidence
		for _, one := range []struct {
			c     *column
			value string
		}{{&t.device, e.Device}, {&t.agent, e.Agent}, {&t.net, e.Net}, {&t.block, e.Block}, {&t.via, e.Via}, {&t.referrer, string(e.Referrer)}, {&t.kind, string(e.NetKind)}} {
			if one.c.of[v] == none {
				one.c.of[v] = one.c.code(one.value)
			}
		}
		if e.DwellMS != nil && math.IsNaN(t.dwell[v]) {
			t.dwell[v] = math.Log(float64(min(max(*e.DwellMS, 50), 3_600_000)))
		}
		if e.Profile != nil && math.IsNaN(t.account[v]) {
			t.account[v] = accountOdds(e.Profile)
		}
		t.proof[v] = min(t.proof[v], proofOdds(b))
	}
	for _, k := range t.kind.values {
		t.bad = append(t.bad, k == "hosting" || k == "vpn" || k == "tor")
	}
	t.entryOf = make([][]int32, len(t.entries.values))
	for v, acts := range t.acts {
		for _, a := range acts {
			if of := t.entryOf[a.entry]; len(of) == 0 || of[len(of)-1] != int32(v) {
				t.entryOf[a.entry] = append(of, int32(v))
			}
		}
	}
	return t
}

func proofOdds(b *Ballot) float64 {
	odds := 0.0
	if b.Level == "email" {
		odds -= 2
	}
	if b.Evidence.Present {
		odds -= 4
	}
	if b.Evidence.SchoolDomain {
		odds -= 3
	}
	return odds
}

// accountOdds is a stand-in until account.Score.
func accountOdds(p *antifraud.EvidenceProfile) float64 {
	s := -2.0
	if p.HasPicture != nil && !*p.HasPicture {
		s += 2
	}
	if p.HasBio != nil && !*p.HasBio {
		s += 0.7
	}
	if p.Posts != nil && *p.Posts == 0 {
		s += 1.2
	}
	if p.Followers != nil && p.Following != nil {
		r := math.Log(float64(*p.Following+10) / float64(*p.Followers+10))
		s += math.Max(-1, math.Min(2, 0.8*r))
		if *p.Followers < 60 {
			s += 0.7
		}
	}
	if p.NameDigits != nil {
		s += math.Min(1.5, *p.NameDigits*4)
	}
	return math.Max(-4, math.Min(4, s))
}

func sortedCopy(x []float64) []float64 {
	y := slices.Clone(x)
	y = slices.DeleteFunc(y, math.IsNaN)
	slices.Sort(y)
	return y
}
