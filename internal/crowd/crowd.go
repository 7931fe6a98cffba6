// Package crowd simulates school mates who come to vote: for demonstrations. It
// decides who comes when and what they do; casting is somebody else's.
//
// Each school has a size, a popularity and a rhythm of its own, and now and then
// somebody shares an entry: then its mates come in a wave that ebbs away. The
// crowd is the same for the same seed.
package crowd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
)

const (
	// calm is how many come without any wave, against 1 at the height of a rhythm.
	calm = 0.2

	// waveEvery is the mean time between two shares in one school; waveEbb is
	// how long it takes until a third of a wave is left. Real ones take hours:
	// nobody watches a demonstration for so long.
	waveEvery = 40 * time.Second
	waveEbb   = 8 * time.Second

	// loyalty is the share of visitors who vote for their own school.
	loyalty = 0.85

	// Some take their ballot back and vote for another, some try to vote twice.
	regret  = 0.02
	another = 0.03
)

// Visitor is one person who comes to vote.
type Visitor struct {
	School, Entry string
	Regrets       string // another entry: take the ballot back and vote for this one; else ""
	Again         bool   // tries a second ballot, which the rules refuse
	Address       string // as a proxy would write it
	Agent         string
	Client        antifraud.Client
}

// Crowd is all who may come. It is for one goroutine.
type Crowd struct {
	random  *rand.Rand
	rate    float64
	clock   time.Duration
	schools []school
	weight  float64 // of all schools
}

type school struct {
	id      string
	number  int
	weight  float64 // students times popularity
	period  float64 // of the rhythm, in seconds
	phase   float64
	wave    float64 // how high the wave is now
	entries []string
}

// New makes the crowd of a contest: about rate visitors come a second, over some
// minutes. It begins with a wave in every school, as contests do.
func New(c *contest.Contest, rate float64, seed uint64) *Crowd {
	crowd := &Crowd{random: rand.New(rand.NewPCG(seed, 0)), rate: rate}
	for i, s := range c.Schools {
		one := school{
			id: s.ID, number: i, weight: float64(max(s.Students, 1000)) * math.Exp(crowd.random.NormFloat64()*0.5),
			period: 30 + 60*crowd.random.Float64(), phase: crowd.random.Float64(), wave: 2 * crowd.random.Float64(),
		}
		for _, e := range c.Entries {
			if e.School == s.ID && !e.Hidden {
				one.entries = append(one.entries, e.ID)
			}
		}
		if len(one.entries) > 0 {
			crowd.schools = append(crowd.schools, one)
			crowd.weight += one.weight
		}
	}
	return crowd
}

// Step lets time pass and returns who came meanwhile.
func (c *Crowd) Step(passed time.Duration) []Visitor {
	c.clock += passed
	seconds := passed.Seconds()
	var came []Visitor
	for i := range c.schools {
		s := &c.schools[i]
		s.wave *= math.Exp(-seconds / waveEbb.Seconds())
		if c.random.Float64() < 1-math.Exp(-seconds/waveEvery.Seconds()) {
			s.wave += 1 + 3*c.random.Float64()
		}
		rhythm := (1 - calm) * (1 + math.Sin(2*math.Pi*(c.clock.Seconds()/s.period+s.phase))) / 2
		expected := c.rate * s.weight / c.weight * (calm + rhythm + s.wave) * seconds
		for range c.poisson(expected) {
			came = append(came, c.visitor(s))
		}
	}
	return came
}

// poisson draws how many come when so many are expected (Knuth's method, whose
// steps are as many as come).
func (c *Crowd) poisson(expected float64) int {
	n, limit, product := 0, math.Exp(-min(expected, 500)), c.random.Float64()
	for product > limit {
		n++
		product *= c.random.Float64()
	}
	return n
}

func (c *Crowd) visitor(home *school) Visitor {
	v := Visitor{School: home.id, Entry: c.entry(home), Agent: agents[c.random.IntN(len(agents))], Again: c.random.Float64() < another}
	if c.random.Float64() < regret {
		if other := c.entry(c.school()); other != v.Entry {
			v.Regrets = other
		}
	}
	v.Address = c.address(home)
	v.Client = c.seen(home)
	return v
}

func (c *Crowd) entry(home *school) string {
	if c.random.Float64() > loyalty {
		home = c.school()
	}
	return home.entries[c.random.IntN(len(home.entries))]
}

// school is one at random, the more popular the more often.
func (c *Crowd) school() *school {
	at := c.random.Float64() * c.weight
	for i := range c.schools {
		if at -= c.schools[i].weight; at < 0 {
			return &c.schools[i]
		}
	}
	return &c.schools[0]
}

// address is of the networks that documents may use (RFC 5737, RFC 3849): half
// of a school comes from a few addresses of its campus, the rest from home.
func (c *Crowd) address(home *school) string {
	if c.random.Float64() < 0.5 {
		return fmt.Sprintf("192.0.2.%d", 1+(home.number*4+c.random.IntN(4))%254)
	}
	if c.random.Float64() < 0.3 {
		return fmt.Sprintf("198.51.100.%d", 1+c.random.IntN(254)) // a carrier's shared addresses
	}
	return fmt.Sprintf("2001:db8:%x:%x::1", home.number, c.random.IntN(1<<16))
}

// seen is what a page would have seen of a person: nobody reads and decides in
// no time, and few take long.
func (c *Crowd) seen(home *school) antifraud.Client {
	dwell := int64(6000 * math.Exp(c.random.NormFloat64()*0.7))
	confirm := int64(900 * math.Exp(c.random.NormFloat64()*0.4))
	visible := true
	client := antifraud.Client{
		Referrer: antifraud.ReferrerDirect, DwellMS: &dwell, ConfirmMS: &confirm, Visible: &visible,
		Device: fmt.Sprintf("model-%02d", c.random.IntN(60)), // strangers share a model
	}
	switch where := c.random.Float64(); {
	case where < 0.3+min(home.wave, 2)*0.2:
		client.Referrer = antifraud.ReferrerSocial
	case where > 0.94:
		client.Referrer = antifraud.ReferrerSearch
	case where > 0.84:
		client.Referrer = antifraud.ReferrerSite
	}
	return client
}

var agents = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
