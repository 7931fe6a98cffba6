package live

import (
	"time"

	"github.com/joute/joute/voting"
)

// believedFor is how long a reader's place is believed although this server has
// not reached it: longer than one server can be behind another.
const believedFor = 2 * behindAtMost

// Reader is one who follows a feed. Frames come one at a time: who is slow
// misses those in between, and the newest is what waits.
type Reader struct {
	next  chan []byte   // holds what was not taken yet; the channel alone sends, under its lock
	end   chan struct{} // closed when the feed ends
	leave func()

	// Guarded by the channel's lock.
	got      *Frame    // what was offered last
	seen     place     // the furthest the reader has been, here or by an earlier connection's word
	believed time.Time // until when that is taken for true
}

func newReader(seen string) *Reader {
	r := &Reader{next: make(chan []byte, 1), end: make(chan struct{})}
	if epoch, offset, ok := voting.ParseLeaderboardPosition(seen); ok {
		r.seen, r.believed = place{epoch, offset}, time.Now().Add(believedFor)
	}
	return r
}

// Next is where frames come, as bytes to send. They are shared: read them only.
func (r *Reader) Next() <-chan []byte { return r.next }

// Ended is closed when nothing will come any more: the server stops, or the
// store has not answered for so long that numbers would be stale.
func (r *Reader) Ended() <-chan struct{} { return r.end }

// Leave ends the reading. It may be called more than once.
func (r *Reader) Leave() { r.leave() }

// offer puts a frame before the reader, in place of one not taken yet, unless
// the reader has it.
//
// A frame from before what the reader has seen is one of a server that is
// behind, and passed over; unless numbers have been hidden or frozen since. Is
// it still behind when no server can be, then records were lost or the reader
// made its place up: it is sent, but ids never go back.
func (r *Reader) offer(f *Frame, now time.Time) {
	if r.got == f {
		return
	}
	text := f.text
	if f.at.before(r.seen) {
		if !f.veiled && now.Before(r.believed) {
			return
		}
		text = text[f.id:]
	} else {
		r.seen, r.believed = f.at, now.Add(believedFor)
	}
	r.got = f
	r.put(text)
}

// beat sends a sign of life to a reader who has taken everything.
func (r *Reader) beat() {
	if len(r.next) == 0 {
		r.put(heartbeat)
	}
}

func (r *Reader) put(text []byte) {
	select {
	case <-r.next:
	default:
	}
	r.next <- text // there is room: nobody else sends
}
