package web

import "time"

// deadline is one that is set for every request, most often for nothing: what it is for
// has come already. The socket is told of one before it waits, and of none that is
// hardly later than the one it has, which may so be kept an eighth too early.
type deadline struct {
	asked, told time.Time
	slack       time.Duration
}

func (d *deadline) ask(t time.Time) {
	d.asked, d.slack = t, 0
	if !t.IsZero() {
		d.slack = time.Until(t) / 8
	}
}

// news says that the socket must be told of the deadline, and takes it for told.
func (d *deadline) news() bool {
	later := d.asked.Sub(d.told)
	if later == 0 || later > 0 && later <= d.slack {
		return false
	}
	d.told = d.asked
	return true
}
