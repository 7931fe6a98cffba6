package account

import "math"

// item is one line of the scorecard.
type item struct {
	fake, real string // reason codes: of what speaks for fake, and for real; empty: it never does
	weigh      func(looks) float64
}

const items = 9

// card is the scorecard. That an item tells fake from real, and in which
// direction, is its source's finding; how much is our judgement, written as the
// shares of fake and of real accounts that we believe to look so. Cheap to fake
// is worth little, for or against. docs/ANTIFRAUD.md has the sources in full.
var card = [items]item{
	// A picture is the first thing people add and costs a farm one more step: it
	// lacks for a third of the cheap fakes and one in twenty people.
	// Cresci 2015 (a rule of Camisani-Calzolari), SRF Data 2017.
	{"no-picture", "picture", func(l looks) float64 { return flag(l.picture, pair{.65, .95}) }},

	// Many people write no biography, most fakes neither. A line is easy to add, so
	// it weighs a third of a picture. Cresci 2015 (another of his).
	{"no-bio", "bio", func(l looks) float64 { return bio(l.bio, l.bioLength) }},

	// Farms follow and like; posts take work. But many people of a community read
	// only, so that none is a hint (seven fakes in ten, a third of people) and a
	// hundred are much. Cresci 2015 (50 posts in one rule, never posted in
	// another).
	{"few-posts", "posts", func(l looks) float64 {
		return curve{math.Log1p, []knot{{0, .8}, {9, 0}, {100, -1.6}}}.at(l.posts)
	}},

	// Nobody follows a fake for its own sake. 30 is where a published rule begins to
	// believe; followers can be bought for cents, so that a thousand say no more than
	// none. Cresci 2015 (30 followers).
	{"few-followers", "followers", func(l looks) float64 {
		return curve{math.Log1p, []knot{{0, 1}, {30, 0}, {1000, -1.2}}}.at(l.followers)
	}},

	// Following is what farms sell. Twice as many as follow back is ordinary; fifty
	// to one is a published mark of a fake. Ten are added to both, as 8 to 2 is no
	// ratio. Cresci 2015 (2 to 1 in one rule, 50 to 1 in another), SRF Data 2017.
	{"follows-many", "", func(l looks) float64 {
		return curve{math.Log, []knot{{2, 0}, {50, 2}}}.at((l.following + 10) / (l.followers + 10))
	}},

	// Followers and following both high, nearly equal, with little to follow them for:
	// grown by following and unfollowing in bulk, or in a ring that follows back. It
	// takes back what followers gave, and counts as much against it. Stringhini 2013, Elmas 2024,
	// Twitter's follow limit of 2019.
	{"follow-trading", "", trading},

	// Names made by the thousand carry numbers to be free. So do people's: a year of
	// birth in a short name is 0.4, and is a factor of two.
	// Gurajala 2015, SRF Data 2017.
	{"digits-in-name", "plain-name", func(l looks) float64 {
		return curve{unscaled, []knot{{0, -.4}, {.25, 0}, {.6, 1.4}}}.at(l.nameDigits)
	}},

	// Made for the occasion. Students join a community to vote for their school as
	// well, so that new is a factor of two at most; and as accounts sold a median of
	// 323 days after they were made by some merchants (Thomas 2013), a year clears
	// nobody.
	{"new-account", "old-account", func(l looks) float64 {
		return curve{math.Log1p, []knot{{0, .7}, {180, 0}, {365, -.1}, {1825, -.9}}}.at(l.ageDays)
	}},

	// A page of their own is what few people have and fewer fakes. Without one most
	// people are, and next to nothing is said. Cresci 2015 (one rule).
	{"", "link", func(l looks) float64 { return flag(l.url, pair{.08, .15}) }},
}

// pair are the shares of fake and of real accounts that have something.
type pair struct{ fake, real float64 }

// flag is the log-odds of having it, or of not having it.
func flag(has *bool, p pair) float64 {
	switch {
	case has == nil:
		return 0
	case *has:
		return math.Log(p.fake / p.real)
	}
	return math.Log((1 - p.fake) / (1 - p.real))
}

// bio is the kinder of what the flag and the length say, where both are known.
func bio(has *bool, length float64) float64 {
	said := flag(has, pair{.4, .7})
	written := curve{unscaled, []knot{{0, .7}, {20, 0}, {80, -.8}}}.at(length)
	switch {
	case has == nil:
		return written
	case math.IsNaN(length):
		return said
	}
	return min(said, written)
}

// trading is 2.4 where all of its parts hold, and fades as any of them does: counts
// from 5,000 down to 500, one up to twice the other, none to a hundred posts.
func trading(l looks) float64 {
	less, more := min(l.followers, l.following), max(l.followers, l.following)
	high := curve{math.Log1p, []knot{{500, 0}, {5000, 1}}}.at(less)
	near := curve{math.Log, []knot{{1, 1}, {2, 0}}}.at(more / max(less, 1)) // where less is 0, high is
	few := curve{math.Log1p, []knot{{0, 1}, {100, 0}}}.at(l.posts)
	return 2.4 * high * near * few
}

// curve is linear between its knots in a scale, and level before and after: no
// step that a farm could stand just behind.
type curve struct {
	scale func(float64) float64
	knots []knot // ascending
}

type knot struct{ x, logOdds float64 }

func unscaled(x float64) float64 { return x }

// at is 0 for what is not known.
func (c curve) at(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	before := c.knots[0]
	if x <= before.x {
		return before.logOdds
	}
	for _, after := range c.knots[1:] {
		if x < after.x {
			part := (c.scale(x) - c.scale(before.x)) / (c.scale(after.x) - c.scale(before.x))
			return before.logOdds + part*(after.logOdds-before.logOdds)
		}
		before = after
	}
	return before.logOdds
}
