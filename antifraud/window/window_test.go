package window_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/window"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// sighting is of one voter with a device, for one entry.
func sighting(voter int, entry, device uint64, at time.Time) window.Sighting {
	return window.Sighting{At: at.UnixMilli(), Pair: uint64(voter)<<8 | entry, Entry: entry, Device: device, Block: 7, Dwell: -1, Confirm: -1}
}

func TestWindow_AVoterCountsOnceForAnEntry(t *testing.T) {
	w := window.New().Contest("c", noon)
	for range 3 {
		w.Add(sighting(1, 1, 9, noon))
	}
	for voter := 2; voter <= 6; voter++ {
		w.Add(sighting(voter, 1, 9, noon))
		w.Add(sighting(voter, 2, 9, noon))
	}
	c := w.Counts(sighting(100, 1, 9, noon))
	for i := range c {
		if c[i].All != 11 || c[i].OfEntry != 6 || c[i].DeviceOnEntry != 6 || c[i].OfDevice != 11 || c[i].DeviceInBlock != 11 || c[i].OfBlock != 11 {
			t.Errorf("%+v", c[i])
		}
	}
	if other := w.Counts(sighting(100, 1, 8, noon)); other[0].DeviceOnEntry != 0 || other[0].OfEntry != 6 {
		t.Errorf("another device: %+v", other[0])
	}
}

// What was seen leaves the window as it ages, the short one first.
func TestWindow_Slides(t *testing.T) {
	w := window.New().Contest("c", noon)
	for voter := range 100 {
		w.Add(sighting(voter, 1, 9, noon))
	}
	ask := func(after time.Duration) [2]antifraud.Counts { return w.Counts(sighting(0, 1, 9, noon.Add(after))) }
	for _, row := range []struct {
		after       time.Duration
		short, long float64
	}{
		{54 * time.Minute, 100, 100}, {90 * time.Minute, 50, 100}, {2 * time.Hour, 0, 100}, {36 * time.Hour, 0, 50}, {48 * time.Hour, 0, 0},
	} {
		if c := ask(row.after); c[0].OfEntry != row.short || c[1].OfEntry != row.long {
			t.Errorf("after %v: %v and %v of 100, want %v and %v", row.after, c[0].OfEntry, c[1].OfEntry, row.short, row.long)
		}
	}
	// With somebody in each generation it slides as well.
	w.Add(sighting(1000, 1, 9, noon.Add(time.Hour)))
	if c := ask(90 * time.Minute); c[0].OfEntry != 51 {
		t.Errorf("%v in the middle of the second generation", c[0].OfEntry)
	}
	w.Add(sighting(1001, 1, 9, noon.Add(80*time.Hour)))
	if c := ask(80 * time.Hour); c[0].OfEntry != 1 || c[1].OfEntry != 1 {
		t.Errorf("after a pause: %v, %v", c[0].OfEntry, c[1].OfEntry)
	}
}

// A peer whose clock is behind moves nothing back.
func TestWindow_ALateSightingCountsNow(t *testing.T) {
	w := window.New().Contest("c", noon)
	w.Add(sighting(1, 1, 9, noon))
	w.Add(sighting(2, 1, 9, noon.Add(-time.Hour)))
	if c := w.Counts(sighting(3, 1, 9, noon.Add(-time.Minute))); c[0].OfEntry != 2 {
		t.Errorf("%+v", c[0])
	}
}

func TestWindow_OnwardsAreTheChildrenOfACode(t *testing.T) {
	w := window.New().Contest("c", noon)
	const root, child = 50, 51
	by := func(voter int, own, via uint64) window.Sighting {
		s := sighting(voter, 1, 9, noon)
		s.Own, s.Via = own, via
		return s
	}
	for voter := range 8 {
		w.Add(by(voter, uint64(child+voter), root))
	}
	if c := w.Counts(by(99, 99, root)); c[0].OfVia != 8 || c[0].Onward != 0 {
		t.Errorf("a fan: %+v", c[0])
	}
	w.Add(by(20, 80, child))
	if c := w.Counts(by(99, 99, root)); c[0].OfVia != 8 || c[0].Onward != 1 {
		t.Errorf("one of them brought somebody: %+v", c[0])
	}
}

func TestOf_TellsSignsAndTheMinuteOfAnOldPass(t *testing.T) {
	dwell, confirm, visible := int64(100), int64(10), false
	a := antifraud.Attempt{
		At: noon, Issued: noon.Add(-2 * time.Hour), NetKind: antifraud.NetTor, UserAgent: "HeadlessChrome",
		Client: antifraud.Client{DwellMS: &dwell, ConfirmMS: &confirm, Visible: &visible},
	}
	e := antifraud.NewEvidenceKey([]byte{1}).Evidence(a)
	w := window.New().Contest("c", noon)
	for voter := range 6 {
		w.Add(window.Of(window.Cast{Voter: string(rune('a' + voter)), Entry: "e"}, &a, &e))
	}
	c := w.Counts(window.Of(window.Cast{Voter: "z", Entry: "e"}, &a, &e))[0]
	want := antifraud.Counts{
		All: 6, OfEntry: 6, OfAgent: 6, AgentOnEntry: 6, OfKind: 6, KindOnEntry: 6, DwellSame: 6, DwellNear: 6, ConfirmSame: 6, ConfirmNear: 6,
		Fast: 6, Quick: 6, Hidden: 6, Driven: 6, OldPasses: 6, OfMinute: 6,
	}
	if c != want {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if b := window.Of(window.Cast{Voter: "z", Entry: "e"}, &antifraud.Attempt{At: noon}, &antifraud.Evidence{}); b.Device != 0 || b.Agent != 0 || b.Block != 0 || b.Via != 0 || b.Dwell != -1 || b.Issued != 0 || b.Signs != 0 {
		t.Errorf("of nothing: %+v", b)
	}
}

func TestParse_ReadsWhatAppendWrites(t *testing.T) {
	seen := []window.Sighting{sighting(1, 1, 9, noon), {At: -5, Pair: 1, Entry: 2, Block: 3, Via: 4, Own: 5, Device: 6, Agent: 7, Dwell: 8, Confirm: 9, Issued: 10, Kind: 1, Signs: 2}}
	got, err := window.Parse(window.Append(nil, seen...))
	if err != nil || !reflect.DeepEqual(got, seen) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := window.Parse(window.Append(nil, seen...)[1:]); err == nil {
		t.Error("a byte less is read")
	}
	if _, err := window.Parse(window.Append(nil, window.Sighting{})); err == nil {
		t.Error("a sighting of nobody is read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(window.Append(nil, sighting(1, 1, 9, noon)))
	f.Add(make([]byte, window.Size))
	f.Fuzz(func(t *testing.T, b []byte) {
		seen, err := window.Parse(b)
		if err != nil {
			return
		}
		if string(window.Append(nil, seen...)) != string(b) {
			t.Errorf("%x is written back as another text", b)
		}
		w := window.New().Contest("c", noon)
		for _, s := range seen {
			w.Add(s)
			w.Counts(s)
		}
	})
}

func TestContests_TellOnceAndKeepWhatCouldNotBeTold(t *testing.T) {
	c := window.New()
	for voter := range 5000 {
		c.Saw("c", sighting(voter, 1, 9, noon))
	}
	first := c.Untold("c")
	if len(first) != 4096 || len(c.Untold("c")) != 0 {
		t.Fatalf("%d untold", len(first))
	}
	c.Saw("c", sighting(6000, 1, 9, noon))
	c.Keep("c", first)
	if again := c.Untold("c"); len(again) != 4096 || again[4095].Pair != 6000<<8|1 {
		t.Errorf("%d untold, the newest is lost", len(again))
	}
}

func TestContests_OfAFutureAPeerMovesNoWindow(t *testing.T) {
	c := window.New()
	c.Saw("c", sighting(1, 1, 9, noon))
	c.Heard("c", []window.Sighting{sighting(2, 1, 9, noon.Add(48*time.Hour))}, noon)
	if n := c.Contest("c", noon).Counts(sighting(3, 1, 9, noon))[0].OfEntry; n != 2 {
		t.Errorf("%v voters", n)
	}
}

// This server's clock was a day ahead and is set back: what is counted from then on leaves the hour as
// ever, and not when the clock is there again.
func TestContests_AClockThatIsSetBackStopsNoWindow(t *testing.T) {
	c := window.New()
	saw := func(voter int, after time.Duration) { c.Saw("c", sighting(voter, 1, 9, noon.Add(after))) }
	in := func(after time.Duration) [2]antifraud.Counts {
		at := noon.Add(after)
		return c.Contest("c", at).Counts(sighting(0, 1, 9, at))
	}
	saw(1, 0)
	saw(2, 24*time.Hour)
	for voter := 3; voter <= 12; voter++ {
		saw(voter, time.Minute)
	}
	if n := in(2 * time.Minute)[0].OfEntry; n < 10 {
		t.Errorf("%v voters at once", n)
	}
	// A peer's that come late, as when the store was away, set nothing back.
	c.Heard("c", []window.Sighting{sighting(13, 1, 9, noon.Add(-5*time.Hour))}, noon.Add(2*time.Minute))
	if n := in(2 * time.Minute)[0].OfEntry; n < 11 {
		t.Errorf("%v voters with a peer's", n)
	}
	saw(14, 3*time.Hour)
	if n := in(3 * time.Hour); n[0].OfEntry != 1 || n[1].OfEntry < 12 {
		t.Errorf("three hours later: %v and %v voters", n[0].OfEntry, n[1].OfEntry)
	}
}

func TestContests_TheOneLongestWithoutAVoteGivesWay(t *testing.T) {
	c := window.New()
	names := "abcdefghijklmnopqrstuvwxyz"
	for i := range names {
		c.Saw(names[i:i+1], sighting(1, 1, 9, noon.Add(time.Duration(i)*time.Second)))
	}
	if n := len(c.Active(noon.Add(30 * time.Second))); n != 16 {
		t.Errorf("%d contests are kept", n)
	}
	if c.Contest("z", noon).Counts(sighting(2, 1, 9, noon.Add(25*time.Second)))[0].All != 1 {
		t.Error("the newest is lost")
	}
	if n := len(c.Active(noon.Add(30 * time.Hour))); n != 0 {
		t.Errorf("%d contests are kept after a day without a vote", n)
	}
}

func TestMoved_FollowersAndFollowedTogether(t *testing.T) {
	for _, row := range []struct {
		before, now window.Following
		moved       bool
	}{
		{window.Following{100, 100}, window.Following{300, 320}, true},
		{window.Following{1000, 1200}, window.Following{500, 650}, true}, // unfollowed
		{window.Following{100, 100}, window.Following{900, 105}, false},  // became known
		{window.Following{100, 100}, window.Following{149, 149}, false},  // a few days
		{window.Following{9000, 200}, window.Following{9300, 500}, false},
		{window.Following{500, 500}, window.Following{700, 300}, false},
		{window.Following{100, 100}, window.Following{100, 100}, false},
	} {
		if window.Moved(row.before, row.now) != row.moved {
			t.Errorf("%+v", row)
		}
	}
	c := window.New()
	if c.Churned("c", "v", window.Following{300, 300}, noon) {
		t.Error("somebody who was never seen")
	}
	c.Remember("c", "v", window.Following{100, 100}, noon)
	if !c.Churned("c", "v", window.Following{300, 300}, noon) || c.Churned("c", "w", window.Following{300, 300}, noon) {
		t.Error("not of this voter")
	}
}

// What is seen once by a flood of voters shortens both windows, alike, and is let go.
func TestWindow_AFloodShortensIt(t *testing.T) {
	const flood = 1_200_000 // more than two generations
	w := window.New().Contest("c", noon)
	for voter := range flood {
		w.Add(sighting(voter, 1, 0, noon))
	}
	c := w.Counts(sighting(flood, 1, 0, noon))
	if c[0] != c[1] || c[0].All < 1<<19 || c[0].All > 1<<20 {
		t.Errorf("%v voters in the hour, %v in the day", c[0].All, c[1].All)
	}
	if w.Add(sighting(flood-1, 1, 0, noon)) {
		t.Error("the last of them is counted twice")
	}
	if !w.Add(sighting(0, 1, 0, noon)) {
		t.Error("the first of them is not forgotten")
	}
}
