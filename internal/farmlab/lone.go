package farmlab

import (
	"time"

	"github.com/joute/joute/antifraud"
)

// lone plays one person who clears the browser's storage to vote again, so many
// times, with one device, from home or among the others on the campus. The visits
// are one after another: nobody looks at a page while the next ballot is cast.
func (w *world) lone(times int, onCampus bool) {
	at := w.IntN(len(w.schools))
	for len(w.schools[at].entries) == 0 {
		at = w.IntN(len(w.schools))
	}
	group, exit := "lone", w.home()
	if onCampus {
		group, exit = "lone-campus", w.schools[at].campus[0]
	}
	to := pick(w.dice, w.schools[at].entries)
	device := w.own()
	come := visit{referrer: antifraud.ReferrerDirect}
	if w.chance(0.6) {
		come = visit{referrer: antifraud.ReferrerShare, via: w.schools[at].link, opened: w.opens}
	}
	pace := w.real(2, 6)
	sittings := 1 + w.IntN(1+times/12)
	cast := 0
	for sitting := range sittings {
		now := w.calendar.starts(w.dice, 2*time.Hour)
		for range (times - cast + sittings - sitting - 1) / (sittings - sitting) {
			v := &voter{id: w.name(), home: exit, gadget: device, level: "device", school: -1, pace: pace, jitter: 0.35, confirm: w.habits.confirm}
			if w.chance(w.mix.Members.Profiles * 0.2) { // few have that many accounts
				v.level, v.profile = "partner", w.profile(empty)
			}
			w.label(v, true, group)
			w.cast(v, now, to, come)
			cast++
			now = now.Add(w.span(12*time.Second, 50*time.Second) + time.Duration(pace*4*float64(time.Second)))
		}
	}
}
