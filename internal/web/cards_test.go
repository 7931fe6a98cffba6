package web

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting draws a card of n bytes and counts how often.
func counting(n int) (draw func() ([]byte, error), drawings *atomic.Int64) {
	drawings = &atomic.Int64{}
	return func() ([]byte, error) { drawings.Add(1); return make([]byte, n), nil }, drawings
}

func TestCards_AreDrawnOnceAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCards()
		draw, drawings := counting(10)
		get := func(key, version string) *drawn {
			one, err := k.get(key, version, draw)
			must(t, err)
			return one
		}
		first := get("a", "1")
		time.Sleep(redrawAfter - time.Second)
		if got := get("a", "2"); got != first || drawings.Load() != 1 {
			t.Errorf("within the minute: version %s, %d drawings", got.version, drawings.Load())
		}
		if get("b", "1"); drawings.Load() != 2 { // another key, as after a freeze, is drawn at once
			t.Errorf("another key: %d drawings", drawings.Load())
		}
		time.Sleep(time.Second)
		if got := get("a", "2"); got.version != "2" || drawings.Load() != 3 {
			t.Errorf("after it: version %s, %d drawings", got.version, drawings.Load())
		}
		time.Sleep(time.Hour)
		if get("a", "2"); drawings.Load() != 3 {
			t.Error("what has not changed was drawn again")
		}
	})
}

func TestCards_KeepNoMoreThanTheirBounds(t *testing.T) {
	k := newCards()
	small, _ := counting(1)
	for i := range 3 * cardsKept {
		_, err := k.get(fmt.Sprint("small ", i), "1", small)
		must(t, err)
		_, err = k.get("often", "1", small)
		must(t, err)
	}
	if k.recent.Len() != cardsKept || len(k.byKey) != cardsKept || k.bytes != cardsKept {
		t.Errorf("%d cards, %d keys, %d bytes", k.recent.Len(), len(k.byKey), k.bytes)
	}
	if k.kept("often") == nil || k.kept("small 0") != nil {
		t.Error("what is asked for often must stay, what is not must go")
	}
	large, _ := counting(cardBytesKept / 3)
	for i := range 10 {
		_, err := k.get(fmt.Sprint("large ", i), "1", large)
		must(t, err)
	}
	sum := 0
	for at := k.recent.Front(); at != nil; at = at.Next() {
		sum += len(at.Value.(*drawn).body)
	}
	if k.bytes > cardBytesKept || k.bytes != sum || len(k.byKey) != k.recent.Len() {
		t.Errorf("%d bytes said, %d kept in %d cards of %d keys", k.bytes, sum, k.recent.Len(), len(k.byKey))
	}
}

// A crowd: one drawing for all who want the same, two at once for the rest, and
// nobody waits for long.
func TestCards_ACrowdIsRefusedAndOneLinkIsDrawnOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCards()
		var now, most, refused, fine, drawings atomic.Int64
		slow := func() ([]byte, error) {
			drawings.Add(1)
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			time.Sleep(200 * time.Millisecond)
			return []byte("card"), nil
		}
		crowd := func(key func(int) string) {
			now.Store(0)
			most.Store(0)
			refused.Store(0)
			fine.Store(0)
			drawings.Store(0)
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					start := time.Now()
					_, err := k.get(key(i), "1", slow)
					switch {
					case errors.Is(err, errOverloaded):
						refused.Add(1)
					case err == nil:
						fine.Add(1)
					default:
						t.Error(err)
					}
					if waited := time.Since(start); waited > cardPatience+200*time.Millisecond {
						t.Errorf("waited %v", waited)
					}
				})
			}
			wg.Wait()
		}
		crowd(func(i int) string { return fmt.Sprint("card ", i) })
		if most.Load() != cardsAtOnce || fine.Load() != 6 || refused.Load() != 44 {
			t.Errorf("%d at once, %d drawn, %d refused", most.Load(), fine.Load(), refused.Load())
		}
		crowd(func(int) string { return "the link of the day" })
		if drawings.Load() != 1 || fine.Load() != 50 {
			t.Errorf("one link: %d drawings, %d answers", drawings.Load(), fine.Load())
		}
	})
}

func TestCards_AFaultIsNotKept(t *testing.T) {
	k := newCards()
	broken := errors.New("broken")
	if _, err := k.get("a", "1", func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	draw, drawings := counting(1)
	if _, err := k.get("a", "1", draw); err != nil || drawings.Load() != 1 {
		t.Errorf("after a fault: %v, %d drawings", err, drawings.Load())
	}
}

func TestCard_AnOverloadedServerSaysWhenToComeBack(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for range cardsAtOnce {
		e.server.cards.slots <- struct{}{}
	}
	refusal := e.do("GET", "/card/"+id+".png", "").want(503, "overloaded")
	if refusal.header.Get("Retry-After") == "" || refusal.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", refusal.header)
	}
	<-e.server.cards.slots
	e.do("GET", "/card/"+id+".png", "").isCard()
}
