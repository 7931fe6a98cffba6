// Package account says how much an account looks like one that was made to be
// sold, from counts and flags of its profile alone.
//
// It is a scorecard: named log-odds, each with a written reason and a public
// source (items.go), added up. Nothing in it is fitted to data. It is one family
// of evidence, [antifraud.FamilyAccount], and holds nothing by itself.
package account

import (
	"cmp"
	"math"
	"slices"

	"github.com/joute/joute/antifraud"
)

const (
	// BaseRate is the share of fake accounts that a score takes for granted before
	// it looks at one. Platforms put theirs at 4 to 5 % (Meta, 10-K of 2022); a
	// contest with something to win draws more. See [Verdict.At] for another.
	BaseRate = 0.1

	// most bounds what looks can say, whatever they add up to. At BaseRate the
	// highest score is 0.86: below the 0.9 that voids, as looks can be inherited
	// (a quiet student) and bought (an aged account).
	most = 4

	// telling is the log-odds from which an item is told as a reason: a factor of 1.5.
	telling = 0.4
)

// Verdict is what is said of one account.
type Verdict struct {
	Score   float64  // probability that it is fake, where BaseRate of all are
	LogOdds float64  // what its looks add, -4 to 4: ln P(looks | fake) - ln P(looks | real); 0 when nothing is known
	Reasons []string // what moved it to the side it is on, strongest first: codes of items.go
}

// At is the score where a share base of all accounts is fake, between 0 and 1:
// by Bayes' rule the base moves every score, and never their order.
func (v Verdict) At(base float64) float64 {
	return 1 / (1 + math.Exp(-(math.Log(base/(1-base)) + v.LogOdds)))
}

// Profile is what a score can use of an account. A nil member is not known,
// and is never held against anybody.
type Profile struct {
	antifraud.EvidenceProfile
	HasURL *bool // a link to a page of their own; passes do not tell
}

// Score weighs the profile of a pass. Without one nothing is known: BaseRate.
func Score(p *antifraud.EvidenceProfile) Verdict {
	if p == nil {
		return Profile{}.Score()
	}
	return Profile{EvidenceProfile: *p}.Score()
}

// Score weighs what is known of p. Numbers that no account can have are put to
// the nearest that one can.
func (p Profile) Score() Verdict {
	looks := p.looks()
	var odds [items]float64
	sum := 0.0
	for i := range card {
		odds[i] = card[i].weigh(looks)
		sum += odds[i]
	}
	// Items are not independent: an empty profile is empty in all of them. So the
	// sum counts less the further it goes, without a point where more is nothing.
	v := Verdict{LogOdds: most * math.Tanh(sum/most)}
	v.Score = v.At(BaseRate)
	v.Reasons = reasons(odds, sum > 0)
	return v
}

// reasons are the codes of what speaks for fake, or else of what speaks for real.
func reasons(odds [items]float64, fake bool) []string {
	places := make([]int, 0, items)
	for i := range odds {
		if math.Abs(odds[i]) >= telling && (odds[i] > 0) == fake {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return nil
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(math.Abs(odds[b]), math.Abs(odds[a])) })
	told := make([]string, len(places))
	for i, at := range places {
		if told[i] = card[at].real; fake {
			told[i] = card[at].fake
		}
	}
	return told
}

// looks are a profile's members as numbers; NaN is one that is not known.
type looks struct {
	followers, following, posts, ageDays, bioLength, nameDigits float64
	picture, bio, url                                           *bool
}

func (p Profile) looks() looks {
	return looks{
		followers: count(p.Followers, mostCount), following: count(p.Following, mostCount), posts: count(p.Posts, mostCount),
		ageDays: count(p.AgeDays, mostDays), bioLength: count(p.BioLength, mostLength), nameDigits: share(p.NameDigits),
		picture: p.HasPicture, bio: p.HasBio, url: p.HasURL,
	}
}

// No account has more: mostCount is above the number of people, mostDays above
// the age of all platforms, mostLength above any field for a biography.
const (
	mostCount  = 10_000_000_000
	mostDays   = 36_525
	mostLength = 1_000_000
)

func count(n *int64, most float64) float64 {
	if n == nil {
		return math.NaN()
	}
	return min(max(float64(*n), 0), most)
}

func share(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return min(max(*x, 0), 1) // NaN stays NaN
}
