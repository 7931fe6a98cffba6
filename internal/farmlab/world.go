package farmlab

import (
	"fmt"
	"time"

	"github.com/joute/joute/antifraud/detect"
)

// world is a contest being played. It is for one goroutine.
type world struct {
	dice
	seed uint64
	mix  Mix

	calendar   calendar
	schools    []school
	entries    []entry
	liked      odds // entries, by what the public likes
	nets       nets
	gadgets    gadgets
	households []address // of honest voters, seen so far
	embeds     []string  // pages that show the vote
	agesTold   bool      // profiles say how old an account is
	opens      bool      // pages tell that a link was opened
	minting    struct{ picture, told float64 }
	habits     habits

	ballots []detect.Ballot
	labels  map[string]Label
}

type school struct {
	id      string
	campus  []address
	link    string // its own share link, which everybody may have
	entries []int
}

type entry struct {
	id     string
	school int
}

// habits are how the people of this contest are.
type habits struct {
	pace           float64 // median dwell on a phone, in seconds
	confirm        float64 // median delay before confirming, in milliseconds
	onMobile       float64 // shares of the voters
	onCampus       float64
	byTunnel       float64
	withFamily     float64
	emptyProfile   float64
	silent         float64 // whose browser runs no scripts: pages of theirs see nothing
	sharing        float64 // of the voters
	invited        float64 // who come by a share, on average
	loyal          float64 // of the invited, who vote for what they were invited to
	onlyOne        float64 // of the voters, who cast one ballot although more are allowed
	more           float64 // ballots beyond the first of the others, on average
	search, social float64
	direct, embed  float64
	linked         float64 // of those who come by a share, by the school's own link
}

func newWorld(mix Mix, seed uint64) *world {
	w := &world{mix: mix, labels: map[string]Label{}}
	m := &w.mix
	if m.Of != nil {
		m.asked()
	}
	m.Entries, m.Schools, m.Days = max(m.Entries, 2), max(m.Schools, 1), max(m.Days, 1)
	m.Schools = min(m.Schools, 512)
	m.Ballots, m.Voters = max(m.Ballots, 1), max(m.Voters, 50)
	w.seed = source(seed, m.Entries, m.Schools, m.Days, m.Ballots, m.Daily, m.Voters).Uint64() // contests differ also for one seed
	w.on("world")
	opens := time.Date(2026, time.Month(1+w.IntN(18)), w.between(1, 28), w.between(6, 18), 0, 0, 0, time.UTC)
	closes := opens.Add(time.Duration(m.Days) * 24 * time.Hour)
	if m.Of != nil {
		voting := m.Of.Phases.Voting
		opens, closes = voting.Opens.In(m.Of.Location()), voting.Closes
	}
	w.calendar = newCalendar(w.dice, opens, closes)
	w.newNets()
	w.newGadgets()
	w.newEntries()
	w.habits = habits{
		pace: w.real(4, 9), confirm: w.real(400, 1100),
		onMobile: w.real(0.15, 0.5), onCampus: w.real(0.02, 0.2), byTunnel: w.real(0.02, 0.05), withFamily: w.real(0.05, 0.25),
		emptyProfile: w.real(0.02, 0.06), silent: w.real(0.003, 0.04),
		sharing: w.real(0.1, 0.4), invited: w.real(0.8, 2), loyal: w.real(0.65, 0.95),
		onlyOne: w.real(0.5, 0.95), more: w.real(0.5, 4),
		search: w.real(0.02, 0.2), social: w.real(0.1, 0.4), direct: w.real(0.1, 0.4), embed: w.real(0, 0.15),
		linked: w.real(0.2, 0.6),
	}
	for range w.IntN(3) {
		w.embeds = append(w.embeds, fmt.Sprintf("https://page-%d.example", w.IntN(1000)))
	}
	w.agesTold, w.opens = w.chance(0.6), w.chance(0.5)
	w.minting.picture, w.minting.told = w.real(0.3, 0.85), w.real(0.05, 0.4)
	return w
}

// on takes dice of their own for a purpose: what comes before does not change
// what they show.
func (w *world) on(purpose ...any) { w.dice = dice{source(w.seed, purpose...)} }

func (w *world) newEntries() {
	for i := range w.mix.Schools {
		p := pick(w.dice, w.nets.homes)
		if w.chance(0.6) { // most campuses are on a network of universities or a block of their own
			p = provider{asn: p.asn + 1, blocks: []string{w.block("campus")}}
		}
		s := school{id: fmt.Sprintf("s%d", i), link: w.name()}
		p.blocks = p.blocks[:1]
		for range []int{1, 1, 1, 2, 4}[w.IntN(5)] {
			s.campus = append(s.campus, w.addressOf(p))
		}
		w.schools = append(w.schools, s)
	}
	for i := range w.mix.Entries {
		at := i % len(w.schools)
		if i >= len(w.schools) {
			at = w.IntN(len(w.schools))
		}
		w.entries = append(w.entries, entry{fmt.Sprintf("e%d", i), at})
	}
	if w.mix.Of != nil {
		w.entriesOf(w.mix.Of)
	}
	for i, e := range w.entries {
		w.schools[e.school].entries = append(w.schools[e.school].entries, i)
	}
	weights := zipf(w.dice, len(w.entries), w.real(0.6, 1.4))
	places := w.Perm(len(w.entries)) // the number of an entry says nothing about it
	w.liked = newOdds(len(w.entries), func(i int) float64 {
		at := places[i]
		if at == 0 {
			return weights[0]
		}
		return weights[at] - weights[at-1]
	})
}

// voted are the labels of those who have a ballot: a farm's worker who came too
// late for one is nobody.
func (w *world) voted() map[string]Label {
	labels := make(map[string]Label, len(w.labels))
	for i := range w.ballots {
		voter := w.ballots[i].Voter
		labels[voter] = w.labels[voter]
	}
	return labels
}
