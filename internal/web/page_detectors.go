package web

import (
	"math"
	"strings"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/sweep"
)

// asked puts into words what the detectors ask a person to look at, and what they
// would do by a policy that only observes.
func (v *heldView) asked(d *contest.Contest, s *sweep.Status) (sentences []string) {
	if s == nil {
		return nil
	}
	for _, stop := range s.Stopped {
		entry, _ := d.Entry(stop.Entry)
		hour, _ := time.Parse(time.RFC3339, stop.Hour) // as it was written
		sentences = append(sentences, v.CountOf("held.stopped", int64(stop.Ballots), "Entry", v.In(entry.Title, d), "Hour", v.Stamp(hour, d.Location())))
	}
	if s.Canaries > 0 {
		sentences = append(sentences, v.Count("held.canaries", int64(s.Canaries)))
	}
	if s.Observe && s.Would.Held+s.Would.Void > 0 {
		sentences = append(sentences, v.Say("held.would", "Held", v.Number(int64(s.Would.Held)), "Void", v.Number(int64(s.Would.Void))))
	}
	return sentences
}

// finding says what the detectors found, for organizers alone.
func (v *heldView) finding(f *ballotbox.Finding) string {
	families := make([]string, len(f.Families))
	for i, family := range f.Families {
		families[i] = v.Say("held.family." + string(family))
	}
	return v.Say("held.finding", "Percent", v.Number(int64(math.Round(100*f.Score))), "Families", strings.Join(families, ", "))
}
