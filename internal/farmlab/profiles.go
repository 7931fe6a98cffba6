package farmlab

import (
	"math"

	"github.com/joute/joute/antifraud"
)

// account is what a profile is of.
type account int

const (
	lived   account = iota // somebody's, for years or since school began
	empty                  // somebody's who only looks; they look like a farm's
	minted                 // made by a program last week
	aged                   // bought, with some years and some posts
	churned                // follows many, who follow back, and leaves them again
)

// profile is one of that kind of account. age is told in some communities only.
func (w *world) profile(kind account) *antifraud.EvidenceProfile {
	var followers, following, posts, age, digits, bio float64
	picture, told := 0.95, 0.65
	switch kind {
	case lived:
		followers, following = w.lognormal(220, 1.1), w.lognormal(310, 0.8)
		posts, age, digits, bio = w.lognormal(22, 1.4), w.lognormal(900, 0.8), w.few(0.35, 0.3), w.lognormal(40, 0.7)
	case empty:
		followers, following = w.lognormal(18, 1), w.lognormal(90, 1)
		posts, age, digits, bio = w.lognormal(0.7, 1), w.lognormal(60, 1.3), w.few(0.6, 0.4), 0
		picture, told = 0.5, 0.1
	case minted:
		followers, following = w.lognormal(12, 1.1), w.lognormal(600, 1)
		posts, age, digits, bio = w.lognormal(0.5, 1), w.lognormal(12, 0.9), w.few(0.75, 0.5), w.lognormal(12, 0.6)
		picture, told = w.minting.picture, w.minting.told
	case aged:
		followers, following = w.lognormal(90, 0.9), w.lognormal(400, 0.8)
		posts, age, digits, bio = w.lognormal(7, 1), w.lognormal(1100, 0.4), w.few(0.5, 0.35), w.lognormal(25, 0.6)
		picture, told = 0.85, 0.45
	case churned:
		following = w.lognormal(2400, 0.5)
		followers = following * w.real(0.85, 1.1)
		posts, age, digits, bio = w.lognormal(3, 0.9), w.lognormal(200, 0.6), w.few(0.6, 0.4), w.lognormal(18, 0.6)
		picture, told = 0.8, 0.4
	}
	p := &antifraud.EvidenceProfile{Followers: whole(followers), Following: whole(following), Posts: whole(posts), NameDigits: &digits}
	if w.agesTold {
		p.AgeDays = whole(age)
	}
	hasPicture, hasBio := w.chance(picture), w.chance(told)
	if !hasBio {
		bio = 0
	}
	p.HasPicture, p.HasBio, p.BioLength = &hasPicture, &hasBio, whole(min(bio, 150))
	return p
}

// few is the share of digits in a user name: none in most.
func (d dice) few(some, most float64) float64 {
	if !d.chance(some) {
		return 0
	}
	return math.Round(d.real(0.08, most)*1000) / 1000
}

func whole(x float64) *int64 {
	n := int64(math.Round(max(0, x)))
	return &n
}
