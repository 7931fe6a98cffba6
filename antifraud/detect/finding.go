package detect

import (
	"iter"
	"math"
	"slices"

	"github.com/joute/joute/antifraud"
)

const (
	// unsure is the most that is believed of a voter whom two families of their own
	// do not speak against: below what voids.
	unsure = 0.89

	tempered = 0.5 // of log-odds in favour

	against = 0.5 // log-odds from which a family speaks against a member
	clearly = 1.0 // from which a look of their own keeps a member from being doubted
	pooled  = 1.3 // up to which an address is one that a single other member has: a home

	apparent = 0.05 // of a score: less is no change to tell of
	telling  = 0.1  // log-odds: less is no part to tell of
)

// suspicion is what the farms say of a voter.
type suspicion struct {
	score float64
	farm  int32   // place of the farm that says most; unseen: none
	in    int32   // place among its members
	most  float64 // that is believed of one farm
}

// judge looks for farms among records, and tells of each record, or of those only
// whose finding is another than the last.
func (d *Detector) judge(places []int32, changes bool) (r Report) {
	d.judged = len(d.log.records)
	if len(places) == 0 {
		return r
	}
	t := d.log.tabulate(places)
	c := newCrowd(t)
	farms := seek(c, newIndex(c))
	voters := suspect(t.n, farms)
	ids := d.identify(t, farms)
	clusters := make([]Cluster, len(farms))
	for k := range clusters {
		clusters[k].ID = d.ids[ids[k]]
	}
	voterOf := make([]int32, len(d.log.records))
	for n, i := range t.places {
		voterOf[i] = t.voterOf[n]
	}
	slices.Sort(t.places)
	for _, i := range t.places {
		s := &voters[voterOf[i]]
		standing := d.standing(s.score)
		is := said{score: float32(s.score), standing: uint8(slices.Index(standings[:], standing)), cluster: unseen}
		if standing != Counted {
			is.cluster = ids[s.farm]
			clusters[s.farm].meet(&d.log.records[i], standing)
			for family := range farms[s.farm].speaking(s.in) {
				is.families |= 1 << family
			}
		}
		was := d.said[i]
		if changes && is.standing == was.standing && is.cluster == was.cluster && is.families == was.families && math.Abs(float64(is.score-was.score)) < apparent {
			continue
		}
		d.said[i] = is
		r.Findings = append(r.Findings, d.finding(i, s, farms, is))
	}
	for v := range voters {
		r.Share += voters[v].score / float64(t.n)
	}
	for k := range clusters {
		if clusters[k].Void+clusters[k].Held > 0 {
			d.describe(&clusters[k], &farms[k], t)
			r.Clusters = append(r.Clusters, clusters[k])
		}
	}
	return r
}

// suspect adds up what farms say of voters: that they are of one of them.
func suspect(n int, farms []farm) []suspicion {
	voters := make([]suspicion, n)
	for v := range voters {
		voters[v].farm = unseen
	}
	for k := range farms {
		f := &farms[k]
		for m, v := range f.who {
			s, p := &voters[v], f.belief(m)
			if s.farm == unseen || p > s.most {
				s.farm, s.in, s.most = int32(k), int32(m), p
			}
			s.score = 1 - (1-s.score)*(1-p)
		}
	}
	for v := range voters {
		if s := &voters[v]; s.most <= unsure { // two hands of one family each are not two families of one
			s.score = min(s.score, unsure)
		}
	}
	return voters
}

func (d *Detector) standing(score float64) Standing {
	switch {
	case score >= d.void:
		return Void
	case score >= d.hold:
		return Held
	}
	return Counted
}

// belief is the probability that member n is one, as far as it may count: what a
// farm does as a whole is not enough against one of its voters.
func (f *farm) belief(n int) float64 {
	w := temper(f.w[n])
	if f.strong && f.condemns(n) {
		if sure := temper(f.confirmed[n].w); sure > unsure {
			return sure
		}
	}
	if !f.stands(n) {
		w *= f.sure[n] + (1-f.sure[n])*w // only the place: the honest who vote there are there, too
	}
	return min(w, unsure)
}

// temper takes back some of what is believed: features of one voter are not as
// independent as their product says. Even odds stay even.
func temper(w float64) float64 {
	if w <= 0.5 || w >= 1 {
		return w
	}
	return logistic(tempered * math.Log(w/(1-w)))
}

// speaking are the families that speak against member n, of those that speak
// against the farm.
func (f *farm) speaking(n int32) iter.Seq[int] {
	return func(yield func(int) bool) {
		for family, x := range f.by[n] {
			if x > against && f.evidence.some[family] && !yield(family) {
				return
			}
		}
	}
}

// stands tells whether a member stands out by a look of their own. Of a farm that is known
// by nothing but its pace and its way there, the way is one of who keeps the pace: so come
// honest people, at theirs.
func (f *farm) stands(n int) bool {
	way := f.by[n][byTempo] > against
	for _, family := range [...]int{byDevice, byNetwork, byAccount, byStructure} {
		way = way || f.evidence.firm[family]
	}
	for family, x := range f.by[n] {
		if x > clearly && family != byNetwork && (family != byProvenance || way) {
			return true
		}
	}
	return false
}

func (d *Detector) finding(i int32, s *suspicion, farms []farm, is said) Finding {
	rec := &d.log.records[i]
	f := Finding{
		Ballot: d.log.text(rec.id), Voter: d.log.voters.text(rec.voter), Entry: d.log.entries.text(rec.entry), At: rec.time(),
		Score: s.score, Standing: standings[is.standing],
	}
	if f.Standing == Counted {
		return f
	}
	of := &farms[s.farm]
	f.Cluster = d.ids[is.cluster]
	f.Reasons = []antifraud.Reason{antifraud.ReasonLockstep} // no more: it would tell a farm what was seen
	for family := range of.speaking(s.in) {
		f.Families = append(f.Families, familyOf[family])
	}
	for feature, x := range of.own[s.in] {
		if math.Abs(x) >= telling {
			f.Parts = append(f.Parts, Part{Signal: partOf[feature].signal, Family: partOf[feature].family, LogOdds: math.Round(x*100) / 100})
		}
	}
	return f
}

// partOf names the terms by which a member was judged.
var partOf = [features]struct {
	signal string
	family antifraud.Family
}{
	atDevice: {"device", antifraud.FamilyDevice}, atAgent: {"agent", antifraud.FamilyDevice},
	atKind: {"net-kind", antifraud.FamilyNetwork}, atNet: {"address", antifraud.FamilyNetwork}, atASN: {"asn", antifraud.FamilyNetwork},
	atDwell: {"dwell", antifraud.FamilyTempo}, atHour: {"hours", antifraud.FamilyTempo},
	atAccount: {"account", antifraud.FamilyAccount}, atProof: {"proof", antifraud.FamilyProof},
	atVia: {"link", antifraud.FamilyProvenance}, atReferrer: {"referrer", antifraud.FamilyProvenance},
	atEntries: {"entries", antifraud.FamilyStructure},
}
