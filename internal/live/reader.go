package live

import (
	"time"

	"github.com/joute/joute/voting"
)

// believedFor is how long a reader's place is believed although this server has
// not reached it: longer than one server can be behind another.
const believedFor = 2 * behindAtMost

// Sink is where a reader's frames go. Its methods must not wait for anybody: all
// readers of a contest are served one after the other. What they are given is
// shared: it is read only.
type Sink interface {
	// Send takes a frame, in place of one that has not gone out.
	Send(frame []byte)
	// Beat takes a sign of life, unless a frame is waiting to go out.
	Beat(comment []byte)
	// End says that nothing will come any more: the server stops, or the store has
	// not answered for so long that numbers would be stale.
	End()
}

// reader is one who follows a feed. Its members are guarded by the channel's lock.
type reader struct {
	to       Sink
	got      *frame    // what was sent last
	seen     place     // the furthest the reader has been, here or by an earlier connection's word
	believed time.Time // until when that is taken for true
}

func newReader(seen string, to Sink) *reader {
	r := &reader{to: to}
	if epoch, offset, ok := voting.ParseLeaderboardPosition(seen); ok {
		r.seen, r.believed = place{epoch, offset}, time.Now().Add(believedFor)
	}
	return r
}

// offer sends a frame, unless the reader has it.
//
// A frame from before what the reader has seen is one of a server that is
// behind, and passed over; unless numbers have been hidden or frozen since. Is
// it still behind when no server can be, then records were lost or the reader
// made its place up: it is sent, but ids never go back.
func (r *reader) offer(f *frame, now time.Time) {
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
	r.to.Send(text)
}
