package contest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zoned(t testing.TB, zone string, per Period) *Contest {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c := &Contest{Timezone: zone, Rules: Rules{Ballots: Ballots{1, per}}}
	c.index(location)
	return c
}

// period is the one of a list of bounds that an instant lies in; -1 for none.
func period(bounds []time.Time, at time.Time) int {
	i, found := slices.BinarySearchFunc(bounds, at, time.Time.Compare)
	if found {
		i++
	}
	if i == 0 || i == len(bounds) {
		return -1
	}
	return i - 1
}

func TestPeriods_DaysOverChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		zone, start string // the civil day's first instant
		hours       float64
	}{
		{"Europe/Paris", "2026-03-28T00:00:00+01:00", 24},
		{"Europe/Paris", "2026-03-29T00:00:00+01:00", 23},
		{"Europe/Paris", "2026-03-30T00:00:00+02:00", 24},
		{"Europe/Paris", "2026-10-25T00:00:00+02:00", 25},
		{"Europe/Paris", "2026-10-26T00:00:00+01:00", 24},
		{"America/Sao_Paulo", "2018-11-04T01:00:00-02:00", 23}, // midnight was skipped
		{"America/Sao_Paulo", "2018-02-17T00:00:00-02:00", 25}, // 23:00 came twice
		{"Africa/Cairo", "2023-04-28T01:00:00+03:00", 23},      // skipped
		{"Africa/Cairo", "2023-10-26T00:00:00+03:00", 25},      // 23:00 came twice
		{"Asia/Beirut", "2024-03-31T01:00:00+03:00", 23},       // skipped
		{"America/Havana", "2026-11-01T00:00:00-04:00", 25},    // midnight came twice: the first one counts
		{"America/Havana", "2026-03-08T01:00:00-04:00", 23},    // skipped
		{"Australia/Lord_Howe", "2026-04-05T00:00:00+11:00", 24.5},
		{"Asia/Kathmandu", "2026-06-01T00:00:00+05:45", 24},
		{"Pacific/Apia", "2011-12-29T00:00:00-10:00", 24}, // the next day is the 31st
		{"Pacific/Apia", "2011-12-31T00:00:00+14:00", 24},
	} {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			t.Fatal(err)
		}
		length := time.Duration(c.hours * float64(time.Hour))
		contest := zoned(t, c.zone, PerDay)
		for _, at := range []time.Time{start, start.Add(length / 2), start.Add(length - 1)} {
			bounds := contest.Periods(at)
			i := period(bounds, at)
			if i < 0 || !bounds[i].Equal(start) || bounds[i+1].Sub(bounds[i]) != length {
				t.Errorf("%s %s: %s is in period %d of %v", c.zone, c.start, at, i, bounds)
			}
		}
		before := start.Add(-1)
		if bounds := contest.Periods(before); period(bounds, before) < 0 || !bounds[period(bounds, before)+1].Equal(start) {
			t.Errorf("%s %s: the instant before is not in the day before: %v", c.zone, c.start, bounds)
		}
	}
}

func TestPeriods_HoursFillTheDay(t *testing.T) {
	for start, hours := range map[string]int{"2026-03-29T00:00:00+01:00": 23, "2026-10-25T00:00:00+02:00": 25, "2026-06-01T00:00:00+02:00": 24} {
		begin, err := time.Parse(time.RFC3339, start)
		if err != nil {
			t.Fatal(err)
		}
		bounds := zoned(t, "Europe/Paris", PerHour).Periods(begin.Add(5 * time.Hour))
		first := slices.IndexFunc(bounds, begin.Equal)
		if first < 0 {
			t.Fatalf("%s is not a bound of %v", start, bounds)
		}
		for h := range hours + 1 {
			if want := begin.Add(time.Duration(h) * time.Hour); !bounds[first+h].Equal(want) {
				t.Errorf("%s: hour %d begins at %s, expected %s", start, h, bounds[first+h], want)
			}
		}
	}
	// A day of 24 and a half hours ends with half an hour of its own.
	c := zoned(t, "Australia/Lord_Howe", PerHour)
	end := time.Date(2026, 4, 6, 0, 0, 0, 0, c.Location())
	bounds := c.Periods(end.Add(-time.Minute))
	if i := slices.IndexFunc(bounds, end.Equal); i < 1 || bounds[i].Sub(bounds[i-1]) != 30*time.Minute {
		t.Errorf("the last slice of a long day: %v", bounds)
	}
	if zoned(t, "Europe/Paris", PerContest).Periods(end) != nil {
		t.Error("a contest counted as a whole has no bounds")
	}
}

func TestPeriods_EveryInstantIsInExactlyOne(t *testing.T) {
	zones := []string{
		"Europe/Paris", "UTC", "America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Havana", "Asia/Tehran",
		"Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Pacific/Kiritimati",
		"Pacific/Pago_Pago", "Asia/Gaza", "America/Asuncion", "Atlantic/Azores", "America/Nuuk",
	}
	from, to := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		at := time.Unix(rapid.Int64Range(from, to).Draw(rt, "at"), rapid.Int64Range(0, 999_999_999).Draw(rt, "ns"))
		if rapid.Bool().Draw(rt, "near a change") {
			if _, change := at.In(zoned(t, zone, PerDay).Location()).ZoneBounds(); !change.IsZero() {
				at = change.Add(time.Duration(rapid.Int64Range(-int64(26*time.Hour), int64(26*time.Hour)).Draw(rt, "apart")))
			}
		}
		days, hours := zoned(t, zone, PerDay), zoned(t, zone, PerHour)
		for _, c := range []*Contest{days, hours} {
			bounds := c.Periods(at)
			for i := 1; i < len(bounds); i++ {
				if length := bounds[i].Sub(bounds[i-1]); length <= 0 || c == hours && length > time.Hour || length > 26*time.Hour {
					rt.Fatalf("%s: period %d is %s long: %v", zone, i, length, bounds)
				}
			}
			i := period(bounds, at)
			if i < 0 {
				rt.Fatalf("%s: %s is in no period of %v", zone, at, bounds)
			}
			// The same period from wherever it is computed, or a voter could vote twice by waiting.
			start, end := bounds[i], bounds[i+1]
			for _, other := range []time.Time{at.Add(-23 * time.Hour), at.Add(23 * time.Hour), start, end, end.Add(-1)} {
				theirs := c.Periods(other)
				if j := period(theirs, at); j < 0 || !theirs[j].Equal(start) || !theirs[j+1].Equal(end) {
					rt.Fatalf("%s: %s is in [%s, %s) seen from itself, not from %s: %v", zone, at, start, end, other, theirs)
				}
			}
			y, m, d := at.In(c.Location()).Date()
			for _, edge := range []time.Time{start, end.Add(-1)} {
				if ey, em, ed := edge.In(c.Location()).Date(); ey != y || em != m || ed != d {
					rt.Fatalf("%s: the date changes inside [%s, %s)", zone, start, end)
				}
			}
		}
	})
}
