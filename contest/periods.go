package contest

import (
	"sort"
	"time"
)

// Periods are the bounds b0 < b1 < … of the periods around an instant: each
// [b[i], b[i+1]) is one, and every instant within a day of around lies in one of
// them. A contest counted as a whole has none.
//
// Days are civil days of the contest's zone. Hours are 3600-second slices from
// the start of the civil day; the last one of a day is whatever remains, so that
// hours never cross midnight and always fill the day, be it 23, 24 or 25 hours long.
func (c *Contest) Periods(around time.Time) []time.Time {
	switch c.Rules.Ballots.Per {
	case PerDay:
		return days(around, c.location)
	case PerHour:
		var bounds []time.Time
		starts := days(around, c.location)
		for i, start := range starts[:len(starts)-1] {
			for t := start; t.Before(starts[i+1]); t = t.Add(time.Hour) {
				bounds = append(bounds, t)
			}
		}
		return append(bounds, starts[len(starts)-1])
	default:
		return nil
	}
}

// days are the starts of yesterday, today, tomorrow and two days more, by the
// civil date of around in the zone.
func days(around time.Time, zone *time.Location) []time.Time {
	year, month, day := around.In(zone).Date()
	var starts []time.Time
	for d := day - 1; d <= day+3; d++ {
		start := dayStart(year, month, d, zone)
		// A date that a zone skipped (Samoa's 30 December 2011) has no instant: it begins
		// where the next one does.
		if n := len(starts); n == 0 || start.After(starts[n-1]) {
			starts = append(starts, start)
		}
	}
	return starts
}

// dayStart is the first instant at which the zone's clock shows the date: not
// always midnight, which may be skipped (São Paulo) or come twice (Havana). It
// depends on nothing but the date and the zone, so days partition time even
// where a clock shows a date, then the one before again (St John's until 2011).
//
// It asks no more of package time than what date it is: Location's ZoneBounds is
// wrong on the last day of leap years after 2037 (Go 1.26).
func dayStart(year int, month time.Month, day int, zone *time.Location) time.Time {
	want := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	// Zones are at most 14 hours east and 12 west of UTC: the day begins inside these 30 hours.
	earliest := want.Add(-15 * time.Hour)
	seconds := sort.Search(30*3600, func(s int) bool {
		y, m, d := earliest.Add(time.Duration(s) * time.Second).In(zone).Date()
		return !time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(want)
	})
	return earliest.Add(time.Duration(seconds) * time.Second)
}
