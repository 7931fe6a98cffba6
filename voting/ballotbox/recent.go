package ballotbox

import (
	"sync"
	"time"

	"github.com/joute/joute/contest/registry"
)

const (
	// recentTime is how long records are kept after the newest of their box came, and for a
	// box that nobody has followed for as long none are.
	recentTime = 10 * time.Second

	// recentMost bounds what is kept, of all boxes: some 60 MiB.
	recentMost = 1 << 16
)

// recents are records that this server has just taken out of boxes, with what was seen of
// them, for who follows the boxes here: in a rush, reading them back from disk took 4 % of a
// server's time. What is not here is read from the archive, so anything may be dropped at
// any time, and soon is: evidence does not stay.
type recents struct {
	mu    sync.Mutex
	boxes map[recentBox]*recent // that are followed; guarded by mu, as what they have
	count int                   // records of all
}

type recentBox struct {
	contest string
	epoch   int64
	box     int
}

func recentOf(s *registry.Stored, box int) recentBox {
	return recentBox{s.Contest.ID, s.Epoch, box}
}

// recent are records of one box that follow one another.
type recent struct {
	pages    [][]MovedRecord // none is empty
	trimmed  int64           // up to which offset they have left the store: later ones may yet be lost there
	followed time.Time
	end      *time.Timer
}

// follow says that a box is followed: what is moved from now on is kept.
func (r *recents) follow(of recentBox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.boxes[of]
	if b == nil {
		b = &recent{end: time.AfterFunc(recentTime, func() { r.drop(of) })}
		r.boxes[of] = b
	}
	b.followed = time.Now()
}

// after gives records of a box from the one behind an offset on, if they are here, and lets go
// of those before: another follower that is further back reads the archive.
func (r *recents) after(of recentBox, offset int64) []MovedRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.boxes[of]
	if b == nil {
		return nil
	}
	for len(b.pages) > 0 && lastOf(b.pages[0]) <= offset {
		r.count -= len(b.pages[0])
		b.pages[0], b.pages = nil, b.pages[1:]
	}
	if len(b.pages) == 0 || b.pages[0][0].Position.Offset > offset+1 {
		return nil
	}
	first := b.pages[0][0].Position.Offset
	page := b.pages[0][offset+1-first:]
	return page[:max(min(b.trimmed-offset, int64(len(page))), 0)]
}

// put takes a page that was read to be moved.
func (r *recents) put(of recentBox, page []MovedRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.boxes[of]
	if b == nil || len(page) == 0 {
		return
	}
	first := page[0].Position.Offset
	for len(b.pages) > 0 && lastOf(b.pages[len(b.pages)-1]) >= first { // read before, and not moved then
		end := len(b.pages) - 1
		r.count -= len(b.pages[end])
		b.pages = b.pages[:end]
	}
	if len(b.pages) > 0 && lastOf(b.pages[len(b.pages)-1]) != first-1 || time.Since(b.followed) > recentTime {
		r.empty(b)
	}
	if r.count+len(page) > recentMost || time.Since(b.followed) > recentTime {
		return
	}
	b.pages = append(b.pages, page)
	r.count += len(page)
	b.end.Reset(recentTime)
}

// trim says that records up to an offset are in the archive, and not in the store any more.
func (r *recents) trim(of recentBox, offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.boxes[of]
	if b == nil {
		return
	}
	for _, page := range b.pages {
		for i := range page {
			if one := &page[i]; one.Position.Offset > b.trimmed && one.Position.Offset <= offset && one.read != nil {
				one.Seen = nil // written; kept once is enough
			}
		}
	}
	b.trimmed = max(b.trimmed, offset)
}

// drop forgets a box that has been quiet.
func (r *recents) drop(of recentBox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.boxes[of]; b != nil {
		r.empty(b)
		b.end.Stop()
		delete(r.boxes, of)
	}
}

// dropContest forgets all boxes of a contest.
func (r *recents) dropContest(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for of, b := range r.boxes {
		if of.contest == id {
			r.empty(b)
			b.end.Stop()
			delete(r.boxes, of)
		}
	}
}

func (r *recents) empty(b *recent) {
	for _, page := range b.pages {
		r.count -= len(page)
	}
	b.pages = nil
}

func lastOf(page []MovedRecord) int64 { return page[len(page)-1].Position.Offset }
