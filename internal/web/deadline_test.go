package web

import (
	"testing"
	"time"
)

// What a socket is told is never later than what was asked, never more than an eighth
// sooner, and never over while there is time.
func TestDeadline_IsToldWhenItMatters(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		told, asked time.Duration // from now; 0: none
		news        bool
	}{
		{0, 0, false}, {0, time.Minute, true}, {time.Minute, 0, true},
		{time.Minute, time.Minute + 5*time.Second, false}, {time.Minute, time.Minute + 10*time.Second, true},
		{time.Minute, 5 * time.Second, true}, {5 * time.Second, time.Minute, true},
		{-time.Second, 5 * time.Second, true}, {-time.Millisecond, 100 * time.Millisecond, true}, {time.Minute, -time.Second, true},
	} {
		at := func(d time.Duration) time.Time {
			if d == 0 {
				return time.Time{}
			}
			return now.Add(d)
		}
		d := deadline{told: at(row.told)}
		d.ask(at(row.asked))
		if got := d.news(); got != row.news {
			t.Errorf("told %v, asked %v: news %v", row.told, row.asked, got)
		}
		if want := at(row.asked); row.news && !d.told.Equal(want) || d.news() {
			t.Errorf("told %v, asked %v: told %v in the end", row.told, row.asked, d.told)
		}
	}
}
