package farmlab

import (
	"time"

	"github.com/joute/joute/antifraud"
)

// arrival is somebody about to vote.
type arrival struct {
	at   time.Time
	to   int // entry
	come visit
	from *voter // who invited them; nil: nobody
}

// background plays those who come by themselves, and those whom they bring, and
// so on: links have real descendants of several generations.
func (w *world) background() {
	var waiting []arrival
	for came := 0; came < w.mix.Voters; came++ {
		var next arrival
		if n := len(waiting); n > 0 {
			next, waiting = waiting[n-1], waiting[:n-1]
		} else {
			next = arrival{at: w.calendar.when(w.dice), to: w.liked.draw(w.dice)}
			next.come = w.comes(next.to)
		}
		v := w.honest("background")
		w.neighbour(v, next)
		w.votes(v, next)
		waiting = append(waiting, w.invites(v, next)...)
	}
}

// comes is how somebody comes whom nobody invited.
func (w *world) comes(to int) visit {
	h := &w.habits
	at := w.Float64()
	for _, way := range []struct {
		share float64
		visit
	}{
		{h.search, visit{referrer: antifraud.ReferrerSearch}},
		{h.social, visit{referrer: antifraud.ReferrerSocial}},
		{h.direct, visit{referrer: antifraud.ReferrerDirect}},
	} {
		if at -= way.share; at < 0 {
			return way.visit
		}
	}
	if at -= h.embed; at < 0 && len(w.embeds) > 0 {
		return visit{referrer: antifraud.ReferrerEmbed, embed: pick(w.dice, w.embeds)}
	}
	if w.chance(h.linked * 0.4) {
		return w.byLink(w.entries[to].school)
	}
	return visit{referrer: antifraud.ReferrerSite}
}

// byLink is a visit by a school's own link. Apps that pass a link on do not
// always tell that they did.
func (w *world) byLink(school int) visit { return w.shared(w.schools[school].link) }

func (w *world) shared(code string) visit {
	come := visit{referrer: antifraud.ReferrerShare, via: code, opened: w.opens && w.chance(0.9)}
	switch {
	case w.chance(0.15):
		come.referrer = antifraud.ReferrerSocial
	case w.chance(0.12):
		come.referrer = antifraud.ReferrerDirect
	}
	return come
}

// neighbour puts the invited near who invited them, sometimes: at one table, at
// one school.
func (w *world) neighbour(v *voter, a arrival) {
	if a.from != nil && w.chance(0.12) {
		v.home = a.from.home
	}
	school := w.entries[a.to].school
	if v.school >= 0 && w.chance(0.6) { // most come for their own
		v.school = school
	}
	if w.chance(w.habits.onCampus) {
		w.atSchool(v, school, 0.7)
	}
}

// votes casts the ballots of one voter: the one they came for, then maybe others
// at once or on other days.
func (w *world) votes(v *voter, a arrival) {
	h := &w.habits
	w.cast(v, a.at, a.to, a.come)
	if w.mix.Daily && w.chance(0.35) {
		for at := a.at; w.chance(0.7); {
			at = at.Add(24*time.Hour + w.span(-6*time.Hour, 6*time.Hour))
			w.cast(v, at, a.to, visit{referrer: antifraud.ReferrerDirect})
		}
	}
	if w.mix.Ballots == 1 || w.chance(h.onlyOne) {
		return
	}
	at, come := a.at, a.come
	for range 1 + w.geometric(h.more, 60) {
		if w.chance(0.8) {
			at = at.Add(w.span(5*time.Second, 4*time.Minute))
		} else {
			at, come = w.calendar.by(w.dice, window{at, w.calendar.closes}), visit{referrer: antifraud.ReferrerDirect}
		}
		w.cast(v, at, w.liked.draw(w.dice), come)
	}
}

// invites are those who come by what a voter shared.
func (w *world) invites(v *voter, a arrival) []arrival {
	h := &w.habits
	if !w.chance(h.sharing) {
		return nil
	}
	var invited []arrival
	code := w.name()
	if w.chance(h.linked) {
		code = w.schools[w.entries[a.to].school].link
	}
	for range w.geometric(h.invited, 200) {
		next := arrival{at: w.reads(a.at), to: a.to, come: w.shared(code), from: v}
		if !w.chance(h.loyal) {
			next.to = w.liked.draw(w.dice)
		}
		if w.calendar.open(next.at) {
			invited = append(invited, next)
		}
	}
	return invited
}

// reads is when a message sent at that instant is acted on: soon by most, by
// some a day later, and by few at night.
func (w *world) reads(sent time.Time) time.Time {
	at := sent.Add(time.Duration(w.lognormal(35, 1.6) * float64(time.Minute)))
	if hour := at.Hour(); hour >= 1 && hour < 6 && w.chance(0.85) {
		at = at.Add(w.span(6*time.Hour, 9*time.Hour))
	}
	return at
}
