package farmlab

import (
	"fmt"
	"time"

	"github.com/joute/joute/antifraud"
)

// crowd plays honest people who do something together. Each of these has been
// called a farm by a rule about size, speed or shared addresses.
func (w *world) crowd(c Cohort) {
	n := w.sizes(c)
	switch c.Kind {
	case "campus":
		w.campus(n(250, 1600))
	case "viral":
		w.viral(n(500, 2200))
	case "fanclub":
		w.fanclub(n(40, 200))
	case "computer-room":
		w.computerRoom(n(18, 34))
	case "carrier":
		w.carrier(n(200, 700))
	case "radio":
		w.radio(n(250, 900))
	case "family":
		w.families(n(120, 400))
	case "bus":
		w.bus(n(20, 60))
	default:
		panic(fmt.Sprintf("farmlab: there is no crowd of kind %q", c.Kind))
	}
}

// sizes draws how many voters a cohort has, where it does not say itself.
func (w *world) sizes(c Cohort) func(least, most int) int {
	return func(least, most int) int {
		if c.Voters > 0 {
			return c.Voters
		}
		return w.between(least, most)
	}
}

// campus: a whole school votes for its own in a few hours, from one address.
func (w *world) campus(n int) {
	at := w.IntN(len(w.schools))
	for len(w.schools[at].entries) == 0 {
		at = w.IntN(len(w.schools))
	}
	to := pick(w.dice, w.schools[at].entries)
	hours := w.calendar.within(w.dice, w.span(90*time.Minute, 5*time.Hour))
	exit := w.schools[at].campus[0]
	linked := w.real(0.2, 0.7)
	for range n {
		v := w.honest("campus")
		w.atSchool(v, at, 0.98)
		v.away = &exit
		come := visit{referrer: antifraud.ReferrerDirect}
		switch {
		case w.chance(linked):
			come = w.byLink(at)
		case w.chance(0.5):
			come.referrer = antifraud.ReferrerSite
		}
		w.votes(v, arrival{at: hours.any(w.dice), to: to, come: come})
	}
}

// viral: a post goes round. Many come within minutes, who share it on: the links
// have descendants.
func (w *world) viral(n int) {
	to := w.liked.draw(w.dice)
	start := w.calendar.starts(w.dice, 8*time.Hour)
	codes := []string{w.name()}
	ebb := w.real(15, 90) // minutes until a third is left
	for range n {
		v := w.honest("viral")
		at := start.Add(time.Duration(w.ExpFloat64() * ebb * float64(time.Minute)))
		come := visit{referrer: antifraud.ReferrerSocial}
		if w.chance(0.7) {
			come = w.shared(codes[min(w.IntN(len(codes)), w.IntN(len(codes)))]) // early links have more readers
		} else if w.chance(0.4) {
			come.referrer = antifraud.ReferrerDirect
		}
		if w.chance(w.habits.sharing * 0.3) {
			codes = append(codes, w.name())
		}
		w.votes(v, arrival{at: at, to: to, come: come})
	}
}

// fanclub: people who know each other and like the same few entries, for weeks.
func (w *world) fanclub(n int) {
	at := w.IntN(len(w.schools))
	loved := w.loved(w.between(2, 6))
	link := w.name()
	whole := window{w.calendar.opens, w.calendar.closes}
	for range n {
		v := w.honest("fanclub")
		if w.chance(0.5) {
			w.atSchool(v, at, 0.8)
		}
		come := visit{referrer: antifraud.ReferrerDirect}
		if w.chance(0.5) {
			come = w.shared(link)
		}
		for _, to := range some(w.dice, loved, max(1, len(loved)-w.IntN(3))) {
			w.cast(v, w.calendar.by(w.dice, whole), to, come)
		}
	}
}

// loved are so many entries, of those that people like.
func (w *world) loved(n int) []int {
	seen := map[int]bool{}
	var chosen []int
	for range 50 * n {
		if to := w.liked.draw(w.dice); !seen[to] && len(chosen) < n {
			seen[to] = true
			chosen = append(chosen, to)
		}
	}
	return chosen
}

// computerRoom: a class at as many identical machines, in one lesson. What tells
// it from one person who clears the storage is that their visits overlap.
func (w *world) computerRoom(n int) {
	at := w.IntN(len(w.schools))
	machine := gadget{w.name(), w.gadgets.agents[w.gadgets.used.draw(w.dice)], false}
	lesson := w.calendar.within(w.dice, w.span(15*time.Minute, 55*time.Minute))
	own := w.schools[at].entries
	if len(own) == 0 {
		own = w.loved(1)
	}
	to := pick(w.dice, own)
	for range n {
		v := w.honest("computer-room")
		w.atSchool(v, at, 1)
		v.away = &w.schools[at].campus[0]
		v.gadget, v.second = machine, nil
		v.pace = w.real(20, 60) // they talk
		come := visit{referrer: antifraud.ReferrerDirect}
		if w.chance(0.4) {
			come = w.byLink(at)
		}
		choice := to
		if w.chance(0.3) {
			choice = w.liked.draw(w.dice)
		}
		w.cast(v, lesson.any(w.dice), choice, come)
	}
}

// carrier: hundreds of customers behind one address of a carrier, who have
// nothing else in common.
func (w *world) carrier(n int) {
	exit := w.addressOf(w.nets.carriers[0])
	whole := window{w.calendar.opens, w.calendar.closes}
	for range n {
		v := w.honest("carrier")
		v.home, v.away = exit, nil
		to := w.liked.draw(w.dice)
		w.votes(v, arrival{at: w.calendar.by(w.dice, whole), to: to, come: w.comes(to)})
	}
}

// radio: a presenter says a name on air. Hundreds type the address within
// minutes, from all networks, for one entry.
func (w *world) radio(n int) {
	to := w.IntN(len(w.entries))
	start := w.calendar.starts(w.dice, 2*time.Hour)
	for range n {
		v := w.honest("radio")
		come := visit{referrer: antifraud.ReferrerDirect}
		if w.chance(0.25) {
			come.referrer = antifraud.ReferrerSearch
		}
		w.votes(v, arrival{at: start.Add(time.Duration(w.ExpFloat64() * 9 * float64(time.Minute))), to: to, come: come})
	}
}

// families: three to six at one address, who mostly agree, most on one evening.
func (w *world) families(n int) {
	for n > 0 {
		exit, to := w.home(), w.liked.draw(w.dice)
		evening := w.calendar.when(w.dice)
		for range min(n, w.between(3, 6)) {
			n--
			v := w.honest("family")
			v.home, v.away = exit, nil
			choice := to
			if w.chance(0.25) {
				choice = w.liked.draw(w.dice)
			}
			w.votes(v, arrival{at: evening.Add(w.span(0, 3*time.Hour)), to: choice, come: w.comes(choice)})
		}
	}
}

// bus: a class on the road. Its phones go from one address of a carrier's block
// to the next, and the link goes through the group's chat.
func (w *world) bus(n int) {
	p := pick(w.dice, w.nets.carriers)
	p.blocks = []string{pick(w.dice, p.blocks)}
	var road []address
	for range w.between(3, 7) {
		road = append(road, w.addressOf(p))
	}
	start, lasts := w.calendar.starts(w.dice, time.Hour), w.span(20*time.Minute, 50*time.Minute)
	to, link := w.liked.draw(w.dice), w.name()
	for range n {
		v := w.honest("bus")
		done := w.Float64()
		v.home, v.away = road[min(int(done*float64(len(road))), len(road)-1)], nil
		come := w.shared(link)
		if w.chance(0.2) {
			come = visit{referrer: antifraud.ReferrerDirect}
		}
		w.cast(v, start.Add(time.Duration(done*float64(lasts))), to, come)
	}
}
