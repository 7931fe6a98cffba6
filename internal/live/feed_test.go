package live

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting/ballotbox"
)

var somewhere = netip.MustParseAddr("192.0.2.1")

// feeds are those of one server of the store, whose newest contest is *s.
func feeds(t testing.TB, boxes *ballotbox.Boxes, s **registry.Stored, opts FeedOptions) *Feeds {
	t.Helper()
	f := NewFeeds(New(boxes, quiet()), func(id string) (*registry.Stored, bool) {
		return *s, id == (*s).Contest.ID
	}, quiet(), opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { f.Close(); cancel(); <-done })
	return f
}

// inbox is a sink that holds one frame, as a connection does.
type inbox struct {
	next  chan []byte
	ended chan struct{}
	Leave func()
}

func (i *inbox) Send(frame []byte) {
	select {
	case <-i.next:
	default:
	}
	i.next <- frame
}
func (i *inbox) Beat([]byte) {}
func (i *inbox) End()        { close(i.ended) }

func (i *inbox) Next() <-chan []byte    { return i.next }
func (i *inbox) Ended() <-chan struct{} { return i.ended }

func newInbox() *inbox { return &inbox{next: make(chan []byte, 1), ended: make(chan struct{})} }

func join(f *Feeds, contestID string, address netip.Addr, seen string) *inbox {
	i := newInbox()
	i.Leave = f.Join(contestID, address, seen, i)
	return i
}

// event is a frame, read as a browser does.
type event struct{ id, data string }

func parse(t testing.TB, frame []byte) (e event) {
	t.Helper()
	text, ok := strings.CutSuffix(string(frame), "\n\n")
	if !ok {
		t.Fatalf("a frame without an end: %q", frame)
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			e.id = value
		case name == "data":
			e.data = value
		case line != "event: leaderboard":
			t.Fatalf("an unknown line %q", line)
		}
	}
	return e
}

// next is the next frame, which has to come soon.
func next(t testing.TB, r *inbox, within time.Duration) event {
	t.Helper()
	select {
	case frame := <-r.Next():
		return parse(t, frame)
	case <-r.Ended():
		t.Fatal("the feed has ended")
	case <-time.After(within):
		t.Fatalf("no frame within %s", within)
	}
	return event{}
}

// still says that no frame comes for a while.
func still(t testing.TB, r *inbox, what string) {
	t.Helper()
	select {
	case frame := <-r.Next():
		t.Fatalf("%s: %s", what, frame)
	case <-time.After(3 * lookEvery / 2):
	}
}

// soon is for what is announced; a busy machine gets more than the 400 ms that
// `make bench-live` holds it to. A look without an announcement takes longer.
const soon = lookEvery * 9 / 10

func open1(t testing.TB, more string) *registry.Stored {
	now := time.Now()
	return stored(t, "feed-"+uuid.NewString(), now.Add(-time.Hour), now.Add(time.Hour), more)
}

func TestFeed_TheFirstFrameComesAtOnceAndThenWhatChanged(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		s := open1(t, "boxes: 3")
		f, other := feeds(t, boxes, &s, FeedOptions{}), feeds(t, boxes, &s, FeedOptions{})
		here, there := join(f, s.Contest.ID, somewhere, ""), join(other, s.Contest.ID, somewhere, "")
		defer here.Leave()
		defer there.Leave()
		first := next(t, here, 5*time.Second)
		if next(t, there, 5*time.Second) != first {
			t.Error("two servers begin differently")
		}
		if body, _ := board(t, New(boxes, quiet()), s, Public).JSON(frameRows); first.data != string(body) || first.id == "" {
			t.Errorf("%+v is not the leaderboard %s", first, body)
		}
		late := join(f, s.Contest.ID, somewhere, "")
		defer late.Leave()
		if next(t, late, 100*time.Millisecond) != first {
			t.Error("who comes later sees another board")
		}
		still(t, here, "a frame without a change")

		cast(t, boxes, s, "e2")
		f.Changed(s.Contest.ID)
		news := next(t, here, soon)
		if !strings.Contains(news.data, `"counted":1`) {
			t.Errorf("%s", news.data)
		}
		if got := next(t, there, soon); got != news {
			t.Errorf("another server says\n%s, want\n%s", got.data, news.data)
		}

		// Nobody tells of this one.
		cast(t, boxes, s, "e2")
		if got := next(t, here, 10*time.Second); !strings.Contains(got.data, `"counted":2`) {
			t.Errorf("%s", got.data)
		}
	})
}

func TestFeed_FourFramesASecondAtMost(t *testing.T) {
	boxes := open(t, redistest.Shared(t).URL())
	s := open1(t, "")
	f := feeds(t, boxes, &s, FeedOptions{})
	r := join(f, s.Contest.ID, somewhere, "")
	defer r.Leave()
	next(t, r, 5*time.Second)
	frames, began := 0, time.Now()
	for time.Since(began) < 2*time.Second {
		cast(t, boxes, s, "e1")
		f.Changed(s.Contest.ID)
		select {
		case <-r.Next():
			frames++
		default:
		}
	}
	if most := int(time.Since(began)/freshFor) + 1; frames < 3 || frames > most {
		t.Errorf("%d frames in %s, want 3 to %d", frames, time.Since(began), most)
	}
}

func TestFeed_WhoDoesNotReadHoldsUpNobodyAndMissesOnlyTheOldFrames(t *testing.T) {
	boxes := open(t, "")
	s := open1(t, "")
	f := feeds(t, boxes, &s, FeedOptions{})
	slow, quick := join(f, s.Contest.ID, somewhere, ""), join(f, s.Contest.ID, somewhere, "")
	defer slow.Leave()
	defer quick.Leave()
	next(t, quick, 5*time.Second)
	var last event
	for range 5 {
		cast(t, boxes, s, "e1")
		f.Changed(s.Contest.ID)
		last = next(t, quick, 10*time.Second)
	}
	// A frame is offered to all who read before anybody else may join: now the last
	// one has been offered to who slept, too.
	join(f, s.Contest.ID, somewhere, "").Leave()
	if got := next(t, slow, time.Second); got != last {
		t.Errorf("who slept is told of %s, want %s", got.id, last.id)
	}
	still(t, slow, "and then an old one")
}

func TestReader_IdsNeverGoBack(t *testing.T) {
	of := func(epoch, offset int64, veiled bool) *frame {
		return &frame{text: []byte("id: x\nevent: leaderboard\ndata: {}\n\n"), id: len("id: x\n"), at: place{epoch, offset}, veiled: veiled}
	}
	now := time.Now()
	for name, c := range map[string]struct {
		seen       string
		frame      *frame
		at         time.Time
		sent, ided bool
	}{
		"a first reader":                     {"", of(7, 5, false), now, true, true},
		"nonsense":                           {"7-x", of(7, 5, false), now, true, true},
		"further":                            {"7-4", of(7, 5, false), now, true, true},
		"the same place":                     {"7-5", of(7, 5, false), now, true, true},
		"another epoch":                      {"8-900", of(7, 5, false), now, true, true},
		"a server that is behind":            {"7-6", of(7, 5, false), now, false, false},
		"hidden since":                       {"7-6", of(7, 0, true), now, true, false},
		"no server can be so far behind":     {"7-6", of(7, 5, false), now.Add(believedFor + time.Second), true, false},
		"a made-up place, and hidden boards": {"7-9223372036854775807", of(7, 0, true), now, true, false},
	} {
		box := newInbox()
		newReader(c.seen, box).offer(c.frame, c.at)
		select {
		case text := <-box.next:
			if ided := bytes.HasPrefix(text, []byte("id: ")); !c.sent || ided != c.ided {
				t.Errorf("%s: sent %q", name, text)
			}
		default:
			if c.sent {
				t.Errorf("%s: not sent", name)
			}
		}
	}
}

func TestFeed_NumbersHiddenMeanwhileLeaveTheScreens(t *testing.T) {
	boxes := open(t, "")
	s := open1(t, "")
	f := feeds(t, boxes, &s, FeedOptions{})
	cast(t, boxes, s, "e1")
	r := join(f, s.Contest.ID, somewhere, "")
	defer r.Leave()
	before := next(t, r, 5*time.Second)
	if !strings.Contains(before.data, `"counted":1`) {
		t.Fatalf("%s", before.data)
	}
	more := *s.Contest
	more.Results.Visibility = "after_close"
	f2 := feeds(t, boxes, ptr(&registry.Stored{Contest: &more, Version: 2, Epoch: s.Epoch}), FeedOptions{})
	again := join(f2, s.Contest.ID, somewhere, before.id)
	defer again.Leave()
	if hidden := next(t, again, 5*time.Second); hidden.id != "" || strings.Contains(hidden.data, `"counted":1`) {
		t.Errorf("after hiding: %+v", hidden)
	}
	cast(t, boxes, s, "e1")
	f2.Changed(s.Contest.ID)
	still(t, again, "a hidden board moved")
}

func ptr[T any](v T) *T { return &v }

func TestFeed_Room(t *testing.T) {
	boxes := open(t, "")
	s := open1(t, "")
	elsewhere := netip.MustParseAddr("2001:db8::1")
	for name, opts := range map[string]FeedOptions{"address": {PerAddress: 2}, "contest": {PerContest: 2}, "server": {Readers: 2}} {
		f := feeds(t, boxes, &s, opts)
		id := s.Contest.ID
		first, second := join(f, id, somewhere, ""), join(f, id, somewhere, "")
		if f.Room(id, somewhere) != ErrFull || f.Readers() != 2 {
			t.Errorf("%s: room for a third", name)
		}
		if err := f.Room(id, elsewhere); (err == nil) != (name == "address") {
			t.Errorf("%s: from elsewhere: %v", name, err)
		}
		if err := f.Room("other", elsewhere); (err == nil) != (name != "server") {
			t.Errorf("%s: in another contest: %v", name, err)
		}
		second.Leave()
		second.Leave() // twice is once
		if err := f.Room(id, somewhere); err != nil || f.Readers() != 1 {
			t.Errorf("%s: after one left: %v, %d readers", name, err, f.Readers())
		}
		first.Leave()
	}
}

// One machine has 2^64 addresses of IPv6: they are one place to be counted for.
func TestFeed_RoomOfANetworkOfIPv6IsOne(t *testing.T) {
	s := open1(t, "")
	f := feeds(t, open(t, ""), &s, FeedOptions{PerAddress: 2})
	id := s.Contest.ID
	for _, address := range []string{"2001:db8::1", "2001:db8::2:0:0:1"} {
		defer join(f, id, netip.MustParseAddr(address), "").Leave()
	}
	for address, room := range map[string]bool{
		"2001:db8::3": false, "2001:db8::ffff:ffff:ffff:ffff": false, "2001:db8:0:1::1": true, "192.0.2.1": true, "192.0.2.2": true,
	} {
		if err := f.Room(id, netip.MustParseAddr(address)); (err == nil) != room {
			t.Errorf("from %s: %v", address, err)
		}
	}
	v4 := join(f, id, netip.MustParseAddr("192.0.2.1"), "")
	defer join(f, id, netip.MustParseAddr("::ffff:192.0.2.1"), "").Leave()
	if err := f.Room(id, netip.MustParseAddr("192.0.2.1")); err != ErrFull {
		t.Errorf("from an address written in both ways: %v", err)
	}
	if v4.Leave(); f.Room(id, netip.MustParseAddr("192.0.2.1")) != nil {
		t.Error("no room after one left")
	}
}

func TestFeed_LeavesNothingBehind(t *testing.T) {
	boxes := open(t, redistest.Shared(t).URL())
	s := open1(t, "")
	board(t, New(boxes, quiet()), s, Public) // the store's client has its connections
	before := goleak.IgnoreCurrent()
	f := NewFeeds(New(boxes, quiet()), func(string) (*registry.Stored, bool) { return s, true }, quiet(), FeedOptions{})
	for range 20 {
		r := join(f, s.Contest.ID, somewhere, "")
		next(t, r, 5*time.Second)
		r.Leave()
	}
	f.mu.Lock()
	if len(f.channels)+len(f.homes)+f.readers != 0 {
		t.Errorf("left: %v, %v, %d readers", f.channels, f.homes, f.readers)
	}
	f.mu.Unlock()
	r := join(f, s.Contest.ID, somewhere, "")
	f.Close()
	<-r.Ended()
	r.Leave()
	<-join(f, s.Contest.ID, somewhere, "").Ended()
	if f.Room(s.Contest.ID, somewhere) != ErrFull {
		t.Error("room in a feed that is closed")
	}
	goleak.VerifyNone(t, before)
}

// A page is not to call numbers live that are old: its reader is ended, and it
// comes back when the store does.
func TestFeed_EndsWhenTheStoreIsGoneForLong(t *testing.T) {
	srv := redistest.Start(t)
	boxes := open(t, srv.URL())
	s := open1(t, "")
	f := feeds(t, boxes, &s, FeedOptions{})
	r := join(f, s.Contest.ID, somewhere, "")
	defer r.Leave()
	next(t, r, 5*time.Second)
	gone := time.Now()
	srv.Kill()
	select {
	case <-r.Ended():
		if after := time.Since(gone); after < staleAfter-time.Second {
			t.Errorf("ended after %s", after)
		}
	case <-time.After(4 * staleAfter):
		t.Fatal("it goes on showing what was")
	}
	srv.Restart()
	again := join(f, s.Contest.ID, somewhere, "")
	defer again.Leave()
	next(t, again, 20*time.Second)
	cast(t, boxes, s, "e1")
	f.Changed(s.Contest.ID)
	next(t, again, 10*time.Second)
}

func TestFeed_TheCloseIsTold(t *testing.T) {
	boxes := open(t, redistest.Shared(t).URL())
	now := time.Now()
	s := stored(t, "feed-"+uuid.NewString(), now.Add(-time.Hour), now.Add(2*time.Second), "")
	f := feeds(t, boxes, &s, FeedOptions{})
	r := join(f, s.Contest.ID, somewhere, "")
	defer r.Leave()
	next(t, r, 5*time.Second)
	if got := next(t, r, 10*time.Second); !strings.Contains(got.data, `"phase":"closed"`) {
		t.Errorf("%s", got.data)
	}
}
