package web

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// A drawing takes some 20 ms of a processor that also counts ballots: at most
	// two at once, and whoever has waited for one as long as a few take is
	// refused. A crowd of link previews then costs previews, not votes.
	cardsAtOnce  = 2
	cardPatience = 500 * time.Millisecond

	// redrawAfter is how long a drawn card is shown while only its numbers have moved.
	redrawAfter = time.Minute

	// A card is about 25 KB.
	cardsKept, cardBytesKept = 400, 12 << 20
)

var errTooManyCards = errors.New("too many cards are being drawn")

// cards keep what was drawn last: most links that are shared are the same few.
type cards struct {
	drawing singleflight.Group
	slots   chan struct{}

	mu     sync.Mutex
	byKey  map[string]*list.Element // of *drawn; guarded by mu
	recent *list.List               // the last one asked for first; guarded by mu
	bytes  int                      // of all bodies; guarded by mu
}

// drawn is a card as it is sent. It never changes.
type drawn struct {
	key, version string
	at           time.Time
	body         []byte
}

func newCards() *cards {
	return &cards{slots: make(chan struct{}, cardsAtOnce), byKey: map[string]*list.Element{}, recent: list.New()}
}

// newStories keep stories apart from cards, which are asked for far more often,
// and share their turns at drawing: a story takes as long as two or three cards.
func newStories(k *cards) *cards {
	stories := newCards()
	stories.slots = k.slots
	return stories
}

// get is the card of a key in a version, or one of the same key that is younger
// than a minute. So a key must name all that may not be a minute old: whose card
// it is, and whether numbers are hidden or frozen.
func (k *cards) get(key, version string, draw func() ([]byte, error)) (*drawn, error) {
	kept := k.kept(key)
	if kept != nil && (kept.version == version || time.Since(kept.at) < redrawAfter) {
		return kept, nil
	}
	fresh, err, _ := k.drawing.Do(key, func() (any, error) {
		patience := time.NewTimer(cardPatience)
		defer patience.Stop()
		select {
		case k.slots <- struct{}{}:
			defer func() { <-k.slots }()
		case <-patience.C:
			return nil, errTooManyCards
		}
		body, err := draw()
		if err != nil {
			return nil, err
		}
		one := &drawn{key, version, time.Now(), body}
		k.keep(one)
		return one, nil
	})
	if errors.Is(err, errTooManyCards) {
		if kept != nil { // its numbers are old, and were for everybody
			return kept, nil
		}
		return nil, errOverloaded
	}
	if err != nil {
		return nil, err
	}
	return fresh.(*drawn), nil
}

func (k *cards) kept(key string) *drawn {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.byKey[key]
	if !ok {
		return nil
	}
	k.recent.MoveToFront(at)
	return at.Value.(*drawn)
}

func (k *cards) keep(one *drawn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.byKey[one.key]; ok {
		k.drop(old)
	}
	k.byKey[one.key] = k.recent.PushFront(one)
	k.bytes += len(one.body)
	for k.bytes > cardBytesKept || k.recent.Len() > cardsKept {
		k.drop(k.recent.Back())
	}
}

// drop is called with mu held.
func (k *cards) drop(at *list.Element) {
	one := k.recent.Remove(at).(*drawn)
	delete(k.byKey, one.key)
	k.bytes -= len(one.body)
}
