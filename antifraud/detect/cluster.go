package detect

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/joute/joute/antifraud"
)

// renown is the share of a farm's members, of those who were in any before, that
// names it by what they were called.
const renown = 0.3

// identify gives each farm a name that stays the same from run to run, as long as
// enough of its members do: the place of its id in ids.
func (d *Detector) identify(t *table, farms []farm) []int32 {
	names := make([]int32, len(farms))
	used := map[int32]bool{}
	for k := range farms {
		f := &farms[k]
		votes, all := map[int32]int{}, 0
		first := unseen
		for n, v := range f.who {
			if f.w[n] < d.hold {
				continue
			}
			if first == unseen || v < first {
				first = v // voters of a table are in the order of their first ballots
			}
			if id := d.cluster[t.voter.log[v]]; id != unseen {
				votes[id]++
				all++
			}
		}
		best := unseen
		for id, n := range votes {
			if !used[id] && float64(n) >= renown*float64(all) && (best == unseen || n > votes[best] || n == votes[best] && id < best) {
				best = id
			}
		}
		if best == unseen && first != unseen {
			best = d.id(d.log.voters.text(t.voter.log[first]), used)
		}
		names[k] = best
		if best == unseen {
			names[k] = d.id("", used) // nobody is believed to be in it: it is never told
		}
		used[names[k]] = true
		for n, v := range f.who {
			if f.w[n] >= d.hold {
				d.cluster[t.voter.log[v]] = names[k]
			}
		}
	}
	return names
}

// id makes a name from that of a farm's first voter. It says nothing of them: a
// pseudonym hashed.
func (d *Detector) id(voter string, used map[int32]bool) int32 {
	for salt := byte(0); ; salt++ {
		sum := sha256.Sum256(append([]byte{salt}, voter...))
		text := "f" + base64.RawURLEncoding.EncodeToString(sum[:6])
		at := slices.Index(d.ids, text)
		if at < 0 {
			d.ids = append(d.ids, text)
			return int32(len(d.ids) - 1)
		}
		if !used[int32(at)] {
			return int32(at)
		}
	}
}

// meet counts a ballot of the cluster.
func (c *Cluster) meet(r *record, standing Standing) {
	if standing == Void {
		c.Void++
	} else {
		c.Held++
	}
	at := r.time()
	if c.From.IsZero() || at.Before(c.From) {
		c.From = at
	}
	if at.After(c.To) {
		c.To = at
	}
}

// target is the share of a farm's votes from which an entry is one of those that it
// is known for. Camouflage goes to many others.
const target = 0.05

// describe fills in what the farm is.
func (d *Detector) describe(c *Cluster, f *farm, t *table) {
	votes, all := make([]float64, t.entries.size()), 0.0
	for n, v := range f.who {
		if f.w[n] < d.hold {
			continue
		}
		c.Voters++
		from, to := t.acts(v)
		for a := from; a < to; a++ {
			votes[t.entry[a]]++
			all++
		}
	}
	for e, n := range votes {
		if n >= target*all && n >= 2 {
			c.Entries = append(c.Entries, d.log.entries.text(t.entries.log[e]))
		}
	}
	slices.Sort(c.Entries)
	for family, firm := range f.evidence.firm {
		if firm {
			c.Families = append(c.Families, familyOf[family])
		}
	}
	if f.strong && c.Void > 0 {
		s := antifraud.Signature{
			ID: c.ID, Entries: c.Entries, Members: c.Voters, Features: d.log.write(f.signature), Since: c.From, Expires: c.To.Add(fresh),
		}
		if d.log.borne(&s, t, f) >= leastBorne {
			c.Signature = &s
		}
	}
}
