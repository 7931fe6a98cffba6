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
var Spans = [...]time.Duration{time.Hour, 24 * time.Hour}

// maxKeys bounds one generation of one window; see [Window].
const maxKeys = 1 << 19

// Window are the counts of one contest. It is safe for concurrent use.
//
// Each span is two generations of as long: the one that goes on, and the one before,
// which counts for as much of it as is still in the window. A generation that has
// maxKeys is over: a flood of values that nobody has twice shortens the window,
// and takes no more memory. Measured: 50 MB a contest after 150,000 voters within an
// hour (BenchmarkScreen), and 60 MB under such a flood (BenchmarkFull).
type Window struct {
	mu      sync.Mutex
	spans   [len(Spans)]generations
	parents [2]map[uint64]uint64 // own code -> the code its owner came by; of the last span's generations
	latest  time.Time
}

func newWindow() *Window {
	w := &Window{parents: [2]map[uint64]uint64{{}, {}}}
	for i, span := range Spans {
		w.spans[i] = generations{length: span, now: map[uint64]uint32{}}
	}
	return w
}

// generations are the counts of one span.
type generations struct {
	length      time.Duration
	began       time.Time // of now
	lasted      time.Duration
	now, before map[uint64]uint32
}

// turn begins the generation that at is in, and tells whether it did.
func (g *generations) turn(at time.Time) bool {
	age := at.Sub(g.began)
	switch {
	case age < g.length && len(g.now) < maxKeys:
		return false
	case age >= 2*g.length: // nothing for so long: it was not the one before
		g.before, g.lasted = nil, g.length
	default:
		g.before, g.lasted = g.now, min(max(age, time.Second), g.length)
	}
	g.now, g.began = make(map[uint64]uint32), at
	return true
}

// look is how many there were of a key: of the generation before as much as is
// left of it in the window.
func (g *generations) look(key uint64, left float64) float64 {
	n := float64(g.now[key])
	if left > 0 {
		n += left * float64(g.before[key])
	}
	return n
}

// left is which part of the generation before is still in the window.
func (g *generations) left(at time.Time) float64 {
	if g.before == nil {
		return 0
	}
	return min(max(float64(g.length-at.Sub(g.began))/float64(g.lasted), 0), 1)
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
	var keys [24]uint64
	used := s.keys(keys[:0])
	fresh := false
	for i := range w.spans {
		g := &w.spans[i]
		if g.turn(at) && i == len(w.spans)-1 {
			w.parents[0], w.parents[1] = w.parents[1], map[uint64]uint64{}
		}
		pair := key(rolePair, s.Pair, 0)
		if g.now[pair] > 0 || g.before[pair] > 0 && g.left(at) > 0 {
			continue
		}
		fresh = true
		g.now[pair] = 1
		for _, k := range used {
			g.now[k]++
		}
		if onward := w.parent(s.Via); onward != 0 {
			g.now[key(roleOnward, onward, 0)]++
		}
	}
	if fresh && s.Own != 0 && s.Via != 0 {
		w.parents[1][s.Own] = s.Via
	}
	return fresh
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
			near, _ := antifraud.Near(int64(tempo.ms))
			add(tempo.same, s.Entry, uint64(antifraud.Slot(int64(tempo.ms))))
			add(tempo.near, s.Entry, uint64(near))
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
func (w *Window) Counts(s Sighting) (counts [len(Spans)]antifraud.Counts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := s.Time()
	if at.Before(w.latest) {
		at = w.latest
	}
	for i := range w.spans {
		counts[i] = w.spans[i].counts(&s, at)
	}
	return counts
}

func (g *generations) counts(s *Sighting, at time.Time) (c antifraud.Counts) {
	if at.Sub(g.began) >= 2*g.length {
		return c // nothing was cast since
	}
	left, share := g.left(at), 1.0
	if age := at.Sub(g.began); age > g.length { // the next generation has not begun yet
		left, share = 0, 2-float64(age)/float64(g.length)
	}
	of := func(role, a, b uint64) float64 { return share * g.look(key(role, a, b), left) }
	c.All, c.OfEntry = of(roleAll, 0, 0), of(roleEntry, s.Entry, 0)
	if netKinds[s.Kind].Suspicious() {
		c.OfKind, c.KindOnEntry = of(roleKind, uint64(s.Kind), 0), of(roleKindOnEntry, uint64(s.Kind), s.Entry)
	}
	if s.Via != 0 {
		if c.OfVia = of(roleVia, s.Via, 0); c.OfVia >= antifraud.Crowd {
			c.Onward = of(roleOnward, s.Via, 0)
		}
	}
	if s.Device != 0 {
		c.DeviceOnEntry = of(roleDeviceOnEntry, s.Device, s.Entry)
		if s.Block != 0 {
			c.DeviceInBlock = of(roleDeviceInBlock, s.Device, s.Block)
		}
		if c.OfVia >= antifraud.Crowd {
			c.DeviceByVia = of(roleDeviceByVia, s.Device, s.Via)
		}
		if c.DeviceInBlock >= antifraud.Crowd {
			c.OfBlock = of(roleBlock, s.Block, 0)
		}
		if max(c.DeviceOnEntry, c.DeviceInBlock, c.DeviceByVia) >= antifraud.Crowd {
			c.OfDevice = of(roleDevice, s.Device, 0)
		}
	}
	if s.Agent != 0 {
		if c.AgentOnEntry = of(roleAgentOnEntry, s.Agent, s.Entry); c.AgentOnEntry >= antifraud.Crowd {
			c.OfAgent = of(roleAgent, s.Agent, 0)
		}
	}
	tempo := func(ms int32, same, near uint64) (pile, around float64) {
		if ms < 0 {
			return 0, 0
		}
		slot := antifraud.Slot(int64(ms))
		for _, beside := range [...]int64{slot - 1, slot, slot + 1} {
			if beside >= 0 {
				pile += of(same, s.Entry, uint64(beside))
			}
		}
		if pile < antifraud.Crowd {
			return pile, 0
		}
		half, _ := antifraud.Near(int64(ms))
		return pile, of(near, s.Entry, uint64(half))
	}
	c.DwellSame, c.DwellNear = tempo(s.Dwell, roleDwellSame, roleDwellNear)
	c.ConfirmSame, c.ConfirmNear = tempo(s.Confirm, roleConfirmSame, roleConfirmNear)
	for _, sign := range [...]struct {
		bit  byte
		into *float64
	}{{signFast, &c.Fast}, {signQuick, &c.Quick}, {signHidden, &c.Hidden}, {signDriven, &c.Driven}} {
		if s.Signs&sign.bit != 0 {
			*sign.into = of(roleSign, uint64(sign.bit), 0)
		}
	}
	if s.Issued != 0 {
		c.OldPasses, c.OfMinute = of(roleOld, 0, 0), of(roleIssued, uint64(s.Issued), 0)
	}
	return c
}
