package farmlab

import (
	"bytes"
	"fmt"
	"time"
)

// document is the contest, as organizers write it.
func (w *world) document() []byte {
	var b bytes.Buffer
	period := "contest"
	if w.mix.Daily {
		period = "day"
	}
	fmt.Fprintf(&b, `id: farmlab
title: {en: Farm laboratory, fr: Laboratoire des fermes}
locale: en
timezone: UTC
format: teams
phases:
  voting: {opens: %s, closes: %s}
rules:
  ballots: {max: %d, per: %s}
  per_entry: 1
identity: device
schools:
`, w.calendar.opens.Format(time.RFC3339), w.calendar.closes.Format(time.RFC3339), w.mix.Ballots, period)
	for i, s := range w.schools {
		fmt.Fprintf(&b, "  - {id: %s, name: School %d, city: Town, students: 1000}\n", s.id, i)
	}
	b.WriteString("entries:\n")
	for i, e := range w.entries {
		fmt.Fprintf(&b, "  - {id: %s, school: %s, title: Entry %d}\n", e.id, w.schools[e.school].id, i)
	}
	return b.Bytes()
}
