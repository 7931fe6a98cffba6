// Package window counts, in the memory of a server, how many distinct voters of a
// contest had what in common, over the last hour and the last day.
//
// It is pure: no Redis, no clock of its own. Time is the sightings'. What is counted
// are ballots that were accepted: making others look like a farm, or a farm like
// others, costs a vote each time.
package window

import (
	"sync"
	"time"

	"github.com/joute/joute/antifraud"
)

// Spans are the windows, the longest last. A burst is in the first; the second has
// the strangers that it is judged by where few vote in an hour (in the research
// workloads 22), and what comes slower is for the detectors.
var Spans = [2]time.Duration{time.Hour, 24 * time.Hour}

// maxKeys bounds one generation of the day; see [Window].
const maxKeys = 1 << 19

// Window are the counts of one contest. It is safe for concurrent use.
//
// Each span is two generations of as long: the one that goes on, and the one before,
// which counts for as much of it as is still in the window. A generation of the day that
// has maxKeys is over: a flood of values that nobody has twice shortens the windows,
// and takes no more memory. With the day's turns the hour's, so that its two generations
// are always in the tables of the day's. Measured: 50 MB a contest after 150,000 voters within an
// hour (BenchmarkScreen), and 58 MB under such a flood (BenchmarkFull): docs/MEASUREMENTS.md.
type Window struct {
	mu          sync.Mutex
	hour, day   generations
	gen         uint32               // number of the hour's generation
	now, before *table               // of the day's generations; before may be nil
	parents     [2]map[uint64]uint64 // own code -> the code its owner came by; of the day's generations
	latest      time.Time
	reached     uint64 // see reach
}

func newWindow() *Window {
	return &Window{
		hour: generations{length: Spans[0]}, day: generations{length: Spans[1]}, gen: 2,
		now: &table{}, parents: [2]map[uint64]uint64{{}, {}},
	}
}

// generations are those of one span: the one that goes on, and the one before.
type generations struct {
	length time.Duration
	began  time.Time     // the one that goes on
	lasted time.Duration // the one before; 0: there is none
}

// turn begins the generation that at is in.
func (g *generations) turn(at time.Time) {
	age := at.Sub(g.began)
	g.began, g.lasted = at, min(max(age, time.Second), g.length)
	if age >= 2*g.length { // nothing for so long: it was not the one before
		g.lasted = 0
	}
}

func (g *generations) over(at time.Time) bool { return at.Sub(g.began) >= g.length }

// shares are which part of either generation is in the window at an instant.
func (g *generations) shares(at time.Time) (now, before float64) {
	switch age := at.Sub(g.began); {
	case age >= 2*g.length:
		return 0, 0 // nothing was cast since
	case age > g.length: // the next generation has not begun yet
		return 2 - float64(age)/float64(g.length), 0
	case g.lasted == 0:
		return 1, 0
	default:
		return 1, min(max(float64(g.length-age)/float64(g.lasted), 0), 1)
	}
}

// turn begins the generations that at is in.
func (w *Window) turn(at time.Time) {
	full := w.now.keys >= maxKeys
	day := full || w.day.over(at)
	if day {
		w.day.turn(at)
		w.before, w.now = w.now, &table{}
		if w.day.lasted == 0 {
			w.before = nil
		}
		w.parents[0], w.parents[1] = w.parents[1], map[uint64]uint64{}
	}
	if day || w.hour.over(at) {
		w.hour.turn(at)
		w.gen++
		if w.hour.lasted == 0 {
			w.gen++ // of what was, nothing is of the one before
		}
	}
}

// numbers are what was counted of a key, by generation.
type numbers struct{ hour, hourBefore, day, dayBefore uint32 }

func (w *Window) numbers(key uint64) (n numbers) {
	if c := w.now.find(key); c != nil {
		n.day = c.day
		n.hour, n.hourBefore = c.inHour(w.gen)
	}
	if w.before != nil {
		if c := w.before.find(key); c != nil {
			n.dayBefore = c.day
			hour, before := c.inHour(w.gen)
			n.hour, n.hourBefore = n.hour+hour, n.hourBefore+before
		}
	}
	return n
}

// reach has the processor fetch what is counted of keys before they are asked for. One
// after another each would be waited for, as what is done with it decides what comes
// next; so nearly all of them are on their way at once.
func (w *Window) reach(keys []uint64) {
	var read uint64
	for _, k := range keys {
		read ^= w.now.reach(k)
	}
	if w.before != nil {
		for _, k := range keys {
			read ^= w.before.reach(k)
		}
	}
	w.reached = read // kept, or the compiler leaves the reading out
}

// count counts for a key, in the spans that it is new in.
func (w *Window) count(key uint64, hour, day bool) {
	c := w.now.at(key)
	if c.gen != w.gen {
		c.hour, c.before = c.inHour(w.gen)
		c.gen = w.gen
	}
	if hour {
		c.hour++
	}
	if day {
		c.day++
	}
}

// The roles of keys: one value in two roles is two keys.
const (
	roleAll = iota + 1
	rolePair
	roleEntry
	roleBlock
	roleVia
	roleDevice
	roleDeviceOnEntry
	roleDeviceInBlock
	roleDeviceByVia
	roleAgent
	roleAgentOnEntry
	roleKind
	roleKindOnEntry
	roleDwellSame
	roleDwellNear
	roleConfirmSame
	roleConfirmNear
	roleSign
	roleOld
	roleIssued
	roleOnward
)

func key(role, a, b uint64) uint64 {
	return stir(stir(a^role*0x9e3779b97f4a7c15) ^ b*0xc2b2ae3d27d4eb4f)
}

// Add counts an accepted ballot, a voter's for an entry once. It tells whether it
// was new.
func (w *Window) Add(s Sighting) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := s.Time()
	if at.Before(w.latest) { // of a peer whose clock is behind, or that was late
		at = w.latest
	}
	w.latest = at
	w.turn(at)
	var keys [24]uint64
	pair := key(rolePair, s.Pair, 0)
	used := append(s.keys(keys[:0]), pair)
	w.reach(used)
	was := w.numbers(pair)
	_, hourLeft := w.hour.shares(at)
	_, dayLeft := w.day.shares(at)
	hour := was.hour == 0 && (was.hourBefore == 0 || hourLeft == 0)
	day := was.day == 0 && (was.dayBefore == 0 || dayLeft == 0)
	if !hour && !day {
		return false
	}
	if onward := w.parent(s.Via); onward != 0 {
		used = append(used, key(roleOnward, onward, 0))
	}
	for _, k := range used {
		w.count(k, hour, day)
	}
	if s.Own != 0 && s.Via != 0 {
		w.parents[1][s.Own] = s.Via
	}
	return true
}

// setBack has the window go on at an instant that its latest is an hour or more after: this
// server's clock was ahead. Nothing would leave the window until it is there again. What is seen
// less late than that counts as of the latest.
func (w *Window) setBack(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest.Sub(now) < Spans[0] {
		return
	}
	w.latest = now
	for _, g := range [...]*generations{&w.hour, &w.day} {
		if g.began.After(now) {
			g.began = now
		}
	}
}

func (w *Window) parent(code uint64) uint64 {
	if code == 0 {
		return 0
	}
	if parent := w.parents[1][code]; parent != 0 {
		return parent
	}
	return w.parents[0][code]
}

// keys are what a sighting counts for.
func (s *Sighting) keys(into []uint64) []uint64 {
	add := func(role, a, b uint64) { into = append(into, key(role, a, b)) }
	add(roleAll, 0, 0)
	add(roleEntry, s.Entry, 0)
	if netKinds[s.Kind].Suspicious() {
		add(roleKind, uint64(s.Kind), 0)
		add(roleKindOnEntry, uint64(s.Kind), s.Entry)
	}
	if s.Block != 0 {
		add(roleBlock, s.Block, 0)
	}
	if s.Via != 0 {
		add(roleVia, s.Via, 0)
	}
	if s.Device != 0 {
		add(roleDevice, s.Device, 0)
		add(roleDeviceOnEntry, s.Device, s.Entry)
		if s.Block != 0 {
			add(roleDeviceInBlock, s.Device, s.Block)
		}
		if s.Via != 0 {
			add(roleDeviceByVia, s.Device, s.Via)
		}
	}
	if s.Agent != 0 {
		add(roleAgent, s.Agent, 0)
		add(roleAgentOnEntry, s.Agent, s.Entry)
	}
	for _, tempo := range [...]struct {
		ms         int32
		same, near uint64
	}{{s.Dwell, roleDwellSame, roleDwellNear}, {s.Confirm, roleConfirmSame, roleConfirmNear}} {
		if tempo.ms >= 0 {
			add(tempo.same, s.Entry, uint64(antifraud.Slot(int64(tempo.ms))))
			add(tempo.near, s.Entry, uint64(antifraud.Near(int64(tempo.ms))))
		}
	}
	for sign := byte(signFast); sign <= signDriven; sign <<= 1 {
		if s.Signs&sign != 0 {
			add(roleSign, uint64(sign), 0)
		}
	}
	if s.Issued != 0 {
		add(roleOld, 0, 0)
		add(roleIssued, uint64(s.Issued), 0)
	}
	return into
}

// Counts are what was counted in each of Spans of others that have something in
// common with s, which itself need not be counted.
func (w *Window) Counts(s Sighting) [len(Spans)]antifraud.Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := s.Time()
	if at.Before(w.latest) {
		at = w.latest
	}
	var keys [24]uint64
	w.reach(s.asked(keys[:0]))
	l := look{window: w}
	l.now[0], l.before[0] = w.hour.shares(at)
	l.now[1], l.before[1] = w.day.shares(at)
	return l.counts(&s)
}
