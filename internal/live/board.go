package live

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// encodingsKept is how many limits a board keeps the encoding of. Pages, feeds
// and boards ask for a few; anybody who asks for more pays for each.
const encodingsKept = 4

// Board is a leaderboard with the visibility rule applied. It never changes and
// is shared: read it only.
type Board struct {
	*voting.Leaderboard
	Hidden bool      // its numbers are not for this viewer now
	Frozen bool      // its numbers are those of the freezing instant
	Closes time.Time // when voting ends or ended, by the ballot boxes
	at     place     // what Position says

	mu      sync.Mutex
	encoded map[int]encoding // by number of entries; guarded by mu
}

type encoding struct {
	body []byte
	etag string
}

// JSON is the board with its first limit entries, and its strong ETag, quotes
// included. Equal boards are equal bytes, on every server. The bytes are
// shared: read them only.
func (b *Board) JSON(limit int) (body []byte, etag string) {
	limit = min(max(limit, 0), len(b.Entries))
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.encoded[limit]; ok {
		return e.body, e.etag
	}
	cut := *b.Leaderboard
	cut.Entries = cut.Entries[:limit]
	body, err := json.Marshal(cut)
	if err != nil {
		panic("live: a leaderboard must encode: " + err.Error()) // strings, integers and finite floats
	}
	sum := sha256.Sum256(body)
	etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	if len(b.encoded) < encodingsKept {
		b.encoded[limit] = encoding{body, etag}
	}
	return body, etag
}

// boards are the boards of one reading, each ranked when it is first asked for.
type boards struct {
	stored registry.Stored
	count  ballotbox.Count
	before map[time.Time]*voting.Tally // where trends come from, by sight.trendAt

	mu     sync.Mutex
	by     [3]*Board // by viewer; guarded by mu
	public *frame    // what feeds send of them; guarded by mu
}

func (b *boards) of(v Viewer) *Board {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ranked(v)
}

// ranked is of; b.mu is held.
func (b *boards) ranked(v Viewer) *Board {
	if b.by[v] == nil {
		b.by[v] = newBoard(&b.stored, b.count, b.before, v)
	}
	return b.by[v]
}

func (b *boards) frame() *frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.public == nil {
		b.public = newFrame(b.ranked(Public))
	}
	return b.public
}

// hold tells whether boards made from this would be the same.
func (b *boards) hold(s *registry.Stored, count ballotbox.Count, before map[time.Time]*voting.Tally) bool {
	same := b.stored.Same(s) && b.count.Live.Offset == count.Live.Offset && b.count.Closes.Equal(count.Closes) &&
		// Without a new record the counts are the same, unless someone edited them in the store: show it.
		maps.Equal(b.count.Live.Votes, count.Live.Votes) && maps.Equal(b.count.Live.Home, count.Live.Home) && b.count.Live.Held == count.Live.Held && b.count.Live.Void == count.Live.Void &&
		(b.count.Frozen == nil) == (count.Frozen == nil) && maps.Equal(b.before, before)
	if !same {
		return false
	}
	return !slices.ContainsFunc(viewers, func(v Viewer) bool {
		then, now := see(s, b.count, v), see(s, count, v)
		return then.phase != now.phase || then.frozen != now.frozen || (then.tally == nil) != (now.tally == nil)
	})
}

func newBoard(s *registry.Stored, count ballotbox.Count, before map[time.Time]*voting.Tally, v Viewer) *Board {
	seen := see(s, count, v)
	b := &Board{Closes: count.Closes, Frozen: seen.frozen, encoded: map[int]encoding{}}
	if seen.tally == nil {
		b.Hidden = true
		b.Leaderboard, b.at = hidden(s, seen.phase), place{s.Epoch, 0}
		return b
	}
	b.at = place{s.Epoch, seen.tally.Offset}
	b.Leaderboard = voting.NewLeaderboard(s.Contest, seen.phase, s.Epoch, seen.tally, before[seen.trendAt])
	if v == Organizer || seen.phase == contest.PhasePublished { // whoever may read the ledger may recount it
		b.Boxes = seen.tally.Boxes
	}
	return b
}

// hidden is the board without a number. Its position and instant are those of
// the contest's beginning: how many records there are, and when the last one
// came, would say how many ballots were cast.
func hidden(s *registry.Stored, phase contest.Phase) *voting.Leaderboard {
	c := s.Contest
	l := &voting.Leaderboard{
		Contest: c.ID, Phase: phase,
		AsOf: voting.FormatTime(time.Unix(s.Epoch, 0)), Position: voting.LeaderboardPosition(s.Epoch, 0),
		Schools: make([]voting.SchoolRow, 0, len(c.Schools)), Entries: make([]voting.EntryRow, 0, len(c.Entries)),
	}
	for _, school := range c.Schools {
		l.Schools = append(l.Schools, voting.SchoolRow{ID: school.ID, Name: school.Name.In(c.Locale, c.Locale)})
	}
	for _, entry := range c.Entries {
		if !entry.Hidden {
			l.Entries = append(l.Entries, voting.EntryRow{
				ID: entry.ID, School: entry.School, Title: entry.Title.In(c.Locale, c.Locale),
			})
		}
	}
	return l
}
