package window

import (
	"sync"
	"time"
)

const (
	// maxContests bounds how many contests are counted: the one that was not voted
	// in for the longest gives way.
	maxContests = 16

	// idle is after how long without a ballot a contest's counts say nothing more.
	idle = 24 * time.Hour

	// maxUntold bounds what one second's message to other servers holds, about
	// 300 KB. What is beyond it they do not count.
	maxUntold = 4096

	// active is how long after a ballot a server goes on asking what others saw.
	active = time.Minute
)

// Contests are the windows of all contests that are voted in. It is safe for
// concurrent use.
type Contests struct {
	mu      sync.Mutex
	windows map[string]*counted
}

type counted struct {
	window *Window
	cast   time.Time // latest
	untold []Sighting

	profiles map[uint64]Following // by voter; nil: none was told
}

// New counts nothing yet.
func New() *Contests { return &Contests{windows: map[string]*counted{}} }

// Contest are the counts of one contest: empty where there are none.
func (c *Contests) Contest(id string, now time.Time) *Window {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of(id, now).window
}

func (c *Contests) of(id string, now time.Time) *counted {
	w, known := c.windows[id]
	if !known {
		c.room()
		w = &counted{window: newWindow()}
		c.windows[id] = w
	}
	w.cast = now
	return w
}

// room makes sure that there is room for one more.
func (c *Contests) room() {
	if len(c.windows) < maxContests {
		return
	}
	oldest := ""
	for id, w := range c.windows {
		if oldest == "" || w.cast.Before(c.windows[oldest].cast) {
			oldest = id
		}
	}
	delete(c.windows, oldest)
}

// Saw counts a ballot that this server accepted, and keeps it for the others.
func (c *Contests) Saw(id string, s Sighting) {
	c.mu.Lock()
	w := c.of(id, s.Time())
	if len(w.untold) < maxUntold {
		w.untold = append(w.untold, s)
	}
	c.mu.Unlock()
	w.window.setBack(s.Time())
	w.window.Add(s)
}

// Active are the contests that this server had attempts in within the last minute,
// or has something to tell of. Those idle for long are dropped.
func (c *Contests) Active(now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for id, w := range c.windows {
		switch since := now.Sub(w.cast); {
		case since > idle:
			delete(c.windows, id)
		case since < active || len(w.untold) > 0:
			ids = append(ids, id)
		}
	}
	return ids
}

// Untold takes what others were not told yet. What could not be told is given
// back with Keep.
func (c *Contests) Untold(id string) []Sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, known := c.windows[id]
	if !known {
		return nil
	}
	untold := w.untold
	w.untold = nil
	if len(untold) > 0 {
		w.untold = make([]Sighting, 0, len(untold)) // about as many follow
	}
	return untold
}

// Keep puts back what was taken and not told: what is oldest goes where there is no room.
func (c *Contests) Keep(id string, untold []Sighting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, known := c.windows[id]
	if !known {
		return
	}
	untold = append(untold, w.untold...)
	w.untold = untold[max(len(untold)-maxUntold, 0):]
}

// Heard counts what another server saw, as of now at the latest: a peer whose clock
// is ahead moves nobody's windows. It does not make the contest active here.
func (c *Contests) Heard(id string, seen []Sighting, now time.Time) {
	c.mu.Lock()
	w, known := c.windows[id]
	c.mu.Unlock()
	if !known {
		return
	}
	for _, s := range seen {
		s.At = min(s.At, now.UnixMilli())
		w.window.Add(s)
	}
}

// Forget drops what was counted of a contest.
func (c *Contests) Forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.windows, id)
}
