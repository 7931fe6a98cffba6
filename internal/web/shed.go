package web

import (
	"bytes"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// A class of requests is refused as one when there is too much to do: what
// nobody loses by waiting for first, ballots last. The order is theirs.
type class int

const (
	probes     class = iota // is it alive, is it ready, how is it: never refused, a busy server is not a dead one
	feeds                   // their pages ask from time to time instead
	exports                 // of a ledger, of evidence: go on where they were
	reads                   // pages, pictures, boards
	organizers              // must be able to close a contest in the middle of a storm
	ballots                 // everything by which somebody votes
	classes
)

// rooms say how many requests of a class are answered at once, and how long
// whoever votes now may have to wait before the class is refused.
//
// The store gives a call up, unsent, that it cannot answer within 1.8 s: a ballot
// that would wait for more than half of it is refused before any work is put into
// it, so that those under way have the rest for what goes slower than foreseen. The
// others make way while a ballot still waits for a time that nobody minds. An
// organizer works alone, or with a few. 4,000 ballots are a dozen full batches of the
// store: with more under way none would be counted sooner.
var rooms = [classes]struct {
	name    string
	atOnce  int64
	waiting time.Duration
}{
	probes:     {"probes", maxConnections, time.Hour},
	feeds:      {"feeds", 1_000, 300 * time.Millisecond},
	exports:    {"exports", 256, 300 * time.Millisecond},
	reads:      {"reads", maxInFlight / 2, 300 * time.Millisecond},
	organizers: {"organizers", 64, 700 * time.Millisecond},
	ballots:    {"ballots", maxInFlight / 4, time.Second},
}

// shedder decides what is answered when not all of it can be. It protects this
// process, and by the time that ballots take, the store. It takes no lock: a
// request costs some atomic additions.
type shedder struct {
	voting wait
	waits  func() time.Duration // how long whoever votes now waits: voting.now, but in tests

	inFlight [classes]atomic.Int64
	atOnce   [classes]int64 // as rooms say, but in tests
	refused  [classes]prometheus.Counter

	told atomic.Int64 // when the log was told last, in Unix seconds
	log  *slog.Logger
}

func newShedder(refused *prometheus.CounterVec, log *slog.Logger) *shedder {
	s := &shedder{log: log}
	s.voting.began = time.Now()
	s.waits = s.voting.now
	for c := range classes {
		s.atOnce[c] = rooms[c].atOnce
		s.refused[c] = refused.WithLabelValues(rooms[c].name)
	}
	return s
}

// enter lets a request in, or says that it is too much now. Whoever is let in
// leaves.
func (s *shedder) enter(c class) bool {
	if n := s.inFlight[c].Add(1); c != probes && (n > s.atOnce[c] || s.waits() > rooms[c].waiting) {
		s.inFlight[c].Add(-1)
		return false
	}
	return true
}

// full says what enter would.
func (s *shedder) full(c class) bool {
	return s.inFlight[c].Load() >= s.atOnce[c] || s.waits() > rooms[c].waiting
}

func (s *shedder) leave(c class) { s.inFlight[c].Add(-1) }

// refuse counts, and tells the log once a second that something is: a line each
// would make the storm worse.
func (s *shedder) refuse(c class) {
	s.refused[c].Inc()
	now, told := time.Now().Unix(), s.told.Load()
	if now != told && s.told.CompareAndSwap(told, now) {
		s.log.Warn("too much to do: requests are refused", slog.String("class", rooms[c].name), slog.Duration("ballots_wait", s.waits()))
	}
}

// classOf tells by method and address, before anything else is looked at. What
// only an organizer may is of their class, also when a stranger asks: that is
// answered at once.
func classOf(fctx *fasthttp.RequestCtx) class {
	path := fctx.RequestURI()
	if end := bytes.IndexByte(path, '?'); end >= 0 {
		path = path[:end]
	}
	call := path[bytes.LastIndexByte(path, '/')+1:]
	inAPI := bytes.HasPrefix(path, []byte("/v1/contests/"))
	if bytes.HasPrefix(path, []byte("/organize")) {
		return organizers
	}
	if fctx.IsGet() || fctx.IsHead() {
		switch string(call) {
		case "livez", "readyz", "metrics":
			if len(path) == 1+len(call) {
				return probes
			}
		case "feed":
			return feeds
		case "ledger", "evidence", "sweeps", "fans", "churn", "reach":
			if inAPI {
				return exports
			}
		case "held", "farms":
			if inAPI {
				return organizers
			}
		}
		return reads
	}
	switch string(call) {
	case "ballots":
		return ballots
	case "standings", "halls", "close", "publish", "forget", "captains", "lift":
		if inAPI {
			return organizers
		}
	}
	if fctx.IsPut() {
		return organizers
	}
	return ballots
}

// localLean marks a request that is answered from memory, or refused: see lean.
const localLean = "lean"

// lean says that a request of a class that is refused may still be answered from
// memory: the board that everybody sees.
func lean(fctx *fasthttp.RequestCtx) bool {
	path := fctx.RequestURI()
	if end := bytes.IndexByte(path, '?'); end >= 0 {
		path = path[:end]
	}
	return fctx.IsGet() && bytes.HasSuffix(path, []byte("/leaderboard")) && len(fctx.Request.Header.Peek("Authorization")) == 0
}
