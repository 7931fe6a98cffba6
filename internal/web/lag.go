package web

import (
	"os"
	"sync/atomic"
	"time"
)

// lagEvery is the pause between two looks at how late this process is.
const lagEvery = 10 * time.Millisecond

// lag tells how long whoever could go on waits for a processor: connections whose
// request is there, the one who talks with the store, voters whose answer has come.
// They all stand in one row, so who steps back to its end learns how long it is. It
// is looked at only while somebody asks, as there is nothing to know before.
type lag struct {
	asked   atomic.Bool  // since the last look
	looking atomic.Bool  // somebody does
	since   atomic.Int64 // when the look that is under way began; 0: none is
	found   atomic.Int64 // by the last looks, the newest for half
}

// now is what was found lately, 0 when nobody has looked. A look that already takes longer is
// believed: the row is at least that long.
func (l *lag) now(clock func() int64) time.Duration {
	if !l.asked.Load() { // most find it set, and leave the line to its readers
		l.asked.Store(true)
	}
	if !l.looking.Load() && l.looking.CompareAndSwap(false, true) {
		go l.look(clock)
	}
	found := l.found.Load()
	if since := l.since.Load(); since > 0 {
		found = max(found, clock()-since)
	}
	return time.Duration(found)
}

// look goes on until nobody has asked for a while.
func (l *lag) look(clock func() int64) {
	defer l.looking.Store(false)
	defer l.found.Store(0)
	end, begin, err := os.Pipe()
	if err != nil {
		return // no descriptors are left: it is not known
	}
	defer end.Close()
	defer begin.Close()
	for l.asked.Swap(false) {
		time.AfterFunc(lagEvery, func() {
			l.since.Store(clock())
			_, _ = begin.Write([]byte{0})
		})
		if _, err := end.Read(make([]byte, 1)); err != nil {
			return
		}
		l.found.Store((l.found.Load() + clock() - l.since.Swap(0)) / 2)
	}
}
