package farmlab

import "time"

const day = 24 * time.Hour

// drip: a few votes an hour for weeks, through homes and carriers.
func (w *world) drip(n int) {
	targets := w.targets(2, 5)
	t := &tools{
		exits: w.proxies(n/w.between(2, 5)+4, w.real(0, 0.6)), gadgets: w.racks(n/w.between(2, 6), w.between(3, 9), w.real(0, 0.6)),
		pace: w.real(3, 8), jitter: w.real(0.3, 0.6), come: w.disguise(targets, w.halfNone(0.9)), account: minted, genuine: 0.5, astray: w.real(0, 0.25),
	}
	for range w.between(0, 6) {
		t.exits = append(t.exits, w.onMobile())
	}
	weeks := []window{w.calendar.within(w.dice, w.span(5*day, 20*day))}
	for range n {
		w.order(t, "drip", targets, weeks, w.between(2, len(targets)))
	}
}

// camouflage: each worker votes for what people like too, where the rules leave
// ballots for that, and in turns on different days.
func (w *world) camouflage(n int) {
	targets := w.targets(2, 4)
	t := &tools{
		exits: w.proxies(n/w.between(4, 9)+3, w.real(0, 0.6)), gadgets: w.racks(n/w.between(3, 6), w.between(3, 8), w.real(0, 0.6)),
		pace: w.real(3, 7), jitter: w.real(0.3, 0.6), come: w.disguise(targets, w.halfNone(0.3)), account: minted, genuine: 0.4, astray: w.real(0, 0.25),
	}
	var turns []window
	for range w.between(2, 4) {
		turns = append(turns, w.calendar.within(w.dice, w.span(2*time.Hour, 10*time.Hour)))
	}
	for range n {
		v := w.worker(t, "camouflage")
		come := pick(w.dice, t.come)
		for _, to := range some(w.dice, targets, len(targets)) {
			w.cast(v, w.pays(pick(w.dice, turns), t), to, come)
		}
		for range w.between(0, 3) {
			w.cast(v, w.pays(pick(w.dice, turns), t), w.liked.draw(w.dice), come)
		}
	}
}

// single: everybody votes once, from a home of their own. Phones are what it is
// short of.
func (w *world) single(n int) {
	targets := w.targets(1, 1)
	t := &tools{
		gadgets: w.racks(n/w.between(2, 6), w.between(2, 6), w.real(0, 0.6)),
		pace:    w.real(3, 8), jitter: w.real(0.25, 0.6), come: w.disguise(targets, w.halfNone(0.6)), account: minted, genuine: 0.3, astray: w.real(0, 0.25),
	}
	if w.chance(0.3) { // some exits are sold twice
		t.exits = w.proxies(n*2/3, w.real(0, 0.6))
	}
	weeks := []window{w.calendar.within(w.dice, w.span(2*day, 14*day))}
	for range n {
		w.order(t, "single", targets, weeks, 1)
	}
}

// aged: bought accounts with a past. Only what they do together shows them.
func (w *world) aged(n int) {
	targets := w.targets(2, 4)
	t := &tools{
		exits: w.proxies(n/w.between(3, 8)+3, w.real(0, 0.6)), gadgets: w.racks(n/w.between(3, 8), w.between(3, 8), w.real(0, 0.6)),
		pace: w.real(3, 8), jitter: w.real(0.3, 0.6), come: w.disguise(targets, w.halfNone(0.5)), account: aged, genuine: 0.2, astray: w.real(0, 0.25),
	}
	weeks := []window{w.calendar.within(w.dice, w.span(4*day, 15*day))}
	for range n {
		w.order(t, "aged", targets, weeks, len(targets))
	}
}

// churn: accounts that grow by following and leaving again, rented out for votes.
func (w *world) churn(n int) {
	targets := w.targets(1, 4)
	t := &tools{
		exits: w.proxies(n/w.between(4, 10)+3, w.real(0, 0.6)), gadgets: w.racks(n/w.between(3, 8), w.between(2, 7), w.real(0, 0.6)),
		pace: w.real(2, 6), jitter: w.real(0.2, 0.5), come: w.disguise(targets, w.halfNone(0.4)), account: churned, genuine: 0.15, astray: w.real(0, 0.25),
	}
	days := []window{w.calendar.within(w.dice, w.span(day, 8*day))}
	for range n {
		w.order(t, "churn", targets, days, len(targets))
	}
}
