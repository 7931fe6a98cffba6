package farmlab

import (
	"math"
	"time"
)

// calendar is when honest people vote: by day more than by night, by the week,
// and with a rush at one end or both. Day and night are those of the zone of opens.
type calendar struct {
	opens, closes time.Time
	hours         odds // from opens on; the last may be a part of one
}

func newCalendar(d dice, opens, closes time.Time) calendar {
	noon, evening, night := d.real(10, 14), d.real(17, 22), d.real(0.02, 0.12)
	noonHeight, eveningHeight := d.real(0.3, 1), d.real(0.5, 1.3)
	weekend := d.real(0.5, 1.4)
	first, last := d.real(0, 2), d.real(0, 3)
	hump := func(hour, at, width float64) float64 {
		off := math.Abs(hour - at)
		off = min(off, 24-off)
		return math.Exp(-off * off / (2 * width * width))
	}
	n := int((closes.Sub(opens) + time.Hour - 1) / time.Hour)
	hours := newOdds(n, func(i int) float64 {
		at := opens.Add(time.Duration(i) * time.Hour)
		hour := float64(at.Hour())
		weight := night + noonHeight*hump(hour, noon, 2.5) + eveningHeight*hump(hour, evening, 2)
		if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
			weight *= weekend
		}
		done := float64(i) / float64(n)
		return weight * (1 + first*math.Exp(-8*done) + last*math.Exp(-8*(1-done))) * d.lognormal(1, 0.3)
	})
	return calendar{opens: opens, closes: closes, hours: hours}
}

// when is an instant at which an honest person votes.
func (c calendar) when(d dice) time.Time {
	from := c.opens.Add(time.Duration(c.hours.draw(d)) * time.Hour)
	return from.Add(d.span(0, min(time.Hour, c.closes.Sub(from))))
}

// window is from some instant to another.
type window struct{ from, to time.Time }

// starts is where a thing may begin that lasts so long, by day.
func (c calendar) starts(d dice, lasts time.Duration) time.Time {
	latest := c.closes.Add(-lasts)
	for range 40 {
		if at := c.when(d); at.Before(latest) {
			return at
		}
	}
	return c.opens.Add(time.Duration(d.Float64() * float64(max(0, latest.Sub(c.opens)))))
}

// within is a part of the contest so long, or all of it.
func (c calendar) within(d dice, lasts time.Duration) window {
	if whole := c.closes.Sub(c.opens); lasts >= whole {
		return window{c.opens, c.closes}
	}
	at := c.starts(d, lasts)
	return window{at, at.Add(lasts)}
}

// by is an instant of a window at which an honest person votes.
func (c calendar) by(d dice, w window) time.Time {
	for range 60 {
		if at := c.when(d); !at.Before(w.from) && at.Before(w.to) {
			return at
		}
	}
	return w.any(d)
}

// any is uniform in the window.
func (w window) any(d dice) time.Time { return w.from.Add(d.span(0, w.to.Sub(w.from))) }

// open tells whether a vote at that instant is in time.
func (c calendar) open(at time.Time) bool { return !at.Before(c.opens) && at.Before(c.closes) }
