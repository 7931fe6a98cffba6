package farmlab

import "time"

// burst: a program on rented machines, in an hour or a few.
func (w *world) burst(n int) {
	targets := w.targets(1, 3)
	t := &tools{
		exits: w.rented(w.between(5, 30), w.between(1, 5)), gadgets: w.racks(n/w.between(4, 12), w.between(1, 6), w.real(0, 0.6)),
		pace: w.real(0.6, 3), jitter: w.real(0.05, 0.25), come: w.disguise(targets, w.halfNone(0.5)), account: minted,
	}
	hours := []window{w.calendar.within(w.dice, w.span(15*time.Minute, 4*time.Hour))}
	for range n {
		w.order(t, "burst", targets, hours, len(targets))
	}
}

// spoof: a program that makes up a device and an agent for each voter. It has no
// more addresses for that.
func (w *world) spoof(n int) {
	targets := w.targets(1, 2)
	t := &tools{
		exits: w.proxies(max(6, n/w.between(6, 14)), w.real(0, 0.6)), gadgets: make([]gadget, n),
		pace: w.real(1.5, 5), jitter: w.real(0.05, 0.3), come: w.disguise(targets, w.halfNone(0.4)), account: minted, genuine: 0.2,
	}
	if w.chance(0.5) {
		t.exits = w.rented(len(t.exits), w.between(2, 8))
	}
	known := w.chance(0.3) // it has a list of agents that are about, and does not know how rare each is
	for i := range t.gadgets {
		t.gadgets[i] = gadget{w.name(), w.name(), true}
		if known {
			t.gadgets[i].agent = pick(w.dice, w.gadgets.agents)
		}
	}
	hours := []window{w.calendar.within(w.dice, w.span(6*time.Hour, 72*time.Hour))}
	for range n {
		w.order(t, "spoof", targets, hours, len(targets))
	}
}

// hoard: passes were asked for one by one, for days; then all vote within
// minutes, by calls and without pages.
func (w *world) hoard(n int) {
	targets := w.targets(1, 2)
	t := &tools{
		exits: w.proxies(max(5, n/w.between(5, 15)), w.real(0, 0.6)), gadgets: w.racks(n/w.between(3, 8), w.between(2, 6), w.real(0, 0.6)),
		come: []visit{{}}, account: minted, genuine: 0.3,
	}
	if w.chance(0.3) {
		t.gadgets = nil
	}
	minutes := []window{w.calendar.within(w.dice, w.span(2*time.Minute, 20*time.Minute))}
	for range n {
		w.order(t, "hoard", targets, minutes, len(targets))
	}
}

// link: workers at phones in one place, on one carrier, who open the school's own
// link as its students do.
func (w *world) link(n int) {
	targets := w.targets(1, 1)
	carrier := pick(w.dice, w.nets.carriers)
	t := &tools{
		exits: some(w.dice, carrier.exits, w.between(2, 6)), gadgets: w.racks(n/w.between(5, 12), w.between(2, 5), w.real(0, 0.6)),
		pace: w.real(1.5, 4), jitter: w.real(0.15, 0.4), come: w.disguise(targets, 1), account: minted, genuine: 0.3,
	}
	for range w.between(0, 8) {
		t.exits = append(t.exits, w.home())
	}
	days := w.between(1, 4)
	var shifts []window
	for range days {
		shifts = append(shifts, w.calendar.within(w.dice, w.span(2*time.Hour, 8*time.Hour)))
	}
	for range n {
		w.order(t, "link", targets, shifts, 1)
	}
}

// smallPool: a subscription to a few homes' addresses, used up and down.
func (w *world) smallPool(n int, group string, targets []int) {
	t := &tools{
		exits: w.proxies(max(6, n/w.between(6, 20)), w.real(0, 0.6)), gadgets: w.racks(n/w.between(3, 8), w.between(2, 8), w.real(0, 0.6)),
		pace: w.real(2, 7), jitter: w.real(0.1, 0.45), come: w.disguise(targets, w.halfNone(0.5)), account: minted, genuine: 0.35,
	}
	hours := []window{w.calendar.within(w.dice, w.span(12*time.Hour, 6*24*time.Hour))}
	for range n {
		w.order(t, group, targets, hours, len(targets))
	}
}
