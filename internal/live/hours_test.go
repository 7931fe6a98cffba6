package live

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// looked keeps that a school's entry had votes when an hour began.
func looked(t *testing.T, boxes *ballotbox.Boxes, s *registry.Stored, hour time.Time, votes int64) {
	t.Helper()
	count := ballotbox.Count{Live: voting.NewTally(), Now: hour}
	count.Live.Votes["e1"] = votes
	if err := boxes.Remember(t.Context(), s, count); err != nil {
		t.Fatal(err)
	}
}

// told are hours as text: the votes of each, and of how many where it is not one.
func told(hours []Hours) (out []string) {
	for _, h := range hours {
		text := strconv.FormatInt(h.Votes, 10)
		if n := int(h.To.Sub(h.From).Hours()); n != 1 {
			text += " in " + strconv.Itoa(n)
		}
		out = append(out, text)
	}
	return out
}

func TestHours_AreWhatEachBrought(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC()
		this := now.Truncate(time.Hour)
		s := stored(t, "hours-"+uuid.NewString(), this.Add(-5*time.Hour).Add(20*time.Minute), now.Add(3*time.Hour), "")
		cast(t, boxes, s, "e1")
		cast(t, boxes, s, "e1")
		looked(t, boxes, s, this.Add(-4*time.Hour), 7)
		looked(t, boxes, s, this.Add(-2*time.Hour), 9)
		looked(t, boxes, s, this.Add(-time.Hour), 4)
		looked(t, boxes, s, this, 1)
		b := New(boxes, quiet())
		of := s.Contest.Entries[0].School
		want := []string{"7", "2 in 2", "-5", "-3", "1"} // from 0 to 7 in the first forty minutes, from 1 to 2 now
		for range 2 {                                    // what is known is the same as what is read
			hours, err := b.Hours(t.Context(), s, Public, of)
			if err != nil {
				t.Fatal(err)
			}
			if got := told(hours); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
			if !hours[0].From.Equal(this.Add(-5*time.Hour)) || !hours[4].From.Equal(this) {
				t.Fatalf("from %v to %v", hours[0].From, hours[5].From)
			}
		}
	})
}

func TestHours_AreADayAtMost(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC()
		s := stored(t, "days-"+uuid.NewString(), now.Add(-80*time.Hour), now.Add(time.Hour), "")
		hours := func() []Hours {
			t.Helper()
			got, err := New(boxes, quiet()).Hours(t.Context(), s, Public, s.Contest.Entries[0].School)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := hours(); len(got) > 1 { // one, in the minutes that the reading itself keeps
			t.Errorf("nobody looked: %v", told(got))
		}
		for ago := range 30 {
			looked(t, boxes, s, now.Truncate(time.Hour).Add(-time.Duration(ago)*time.Hour), 1)
		}
		got := hours()
		if len(got) != hoursShown || got[hoursShown-1].From.Before(now.Truncate(time.Hour)) {
			t.Errorf("%d hours", len(got))
		}
	})
}

// The one rule of who sees what holds here too.
func TestHours_HiddenAndFrozenOnesDoNotMove(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC()
		for _, visibility := range []string{"after_close", "after_ballot"} {
			s := stored(t, "hidden-"+uuid.NewString(), now.Add(-5*time.Hour), now.Add(time.Hour), "results: {visibility: "+visibility+"}")
			cast(t, boxes, s, "e1")
			hours, err := New(boxes, quiet()).Hours(t.Context(), s, Public, s.Contest.Entries[0].School)
			if err != nil || hours != nil {
				t.Errorf("%s: %v, %v", visibility, told(hours), err)
			}
		}
		s := stored(t, "frozen-"+uuid.NewString(), now.Add(-5*time.Hour), now.Add(time.Hour), "results: {freeze: 3h}")
		freezes := s.Contest.FreezesAt()
		var before []string
		for votes := range int64(3) {
			cast(t, boxes, s, "e1")
			looked(t, boxes, s, freezes.Truncate(time.Hour).Add(time.Hour), 100+votes)
			hours, err := New(boxes, quiet()).Hours(t.Context(), s, Public, s.Contest.Entries[0].School)
			if err != nil || len(hours) == 0 {
				t.Fatal(hours, err)
			}
			if last := hours[len(hours)-1].From; !last.Before(freezes) {
				t.Errorf("%v is shown, frozen since %v", last, freezes)
			}
			if before != nil && !slices.Equal(told(hours), before) {
				t.Errorf("%v became %v", before, told(hours))
			}
			before = told(hours)
		}
	})
}
