package live

import (
	"fmt"
	"slices"
)

// frameRows is how many entries a frame has: a page that shows more asks for them.
const frameRows = 50

// heartbeat is a comment: it keeps proxies from closing a quiet connection, and
// finds out whether anybody is there.
var heartbeat = []byte(":\n\n")

// place is a leaderboard's place in the life of its contest.
type place struct{ epoch, offset int64 }

// before says that p is earlier than q. Another epoch is another life, with
// which nothing compares.
func (p place) before(q place) bool { return p.epoch == q.epoch && p.offset < q.offset }

// frame is a board as one event of Server-Sent Events, shared by all readers.
type frame struct {
	text   []byte // read only
	id     int    // length of its first line, which names the place
	at     place
	etag   string
	veiled bool // hidden or frozen: it may be of an earlier place than readers have seen
}

func newFrame(b *Board) *frame {
	body, etag := b.JSON(frameRows)
	id := fmt.Sprintf("id: %s\n", b.Position)
	return &frame{
		text: slices.Concat([]byte(id), []byte("event: leaderboard\ndata: "), body, []byte("\n\n")),
		id:   len(id), at: b.at, etag: etag, veiled: b.Hidden || b.Frozen,
	}
}
