package sharing

import (
	"testing"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// A school's channels add up to what the school brought, and to nobody else's.
func TestReport_ASchoolsChannelsAreItsOwn(t *testing.T) {
	c := newCrowd(t)
	c.sharer(1, "north")
	c.sharer(2, "south")
	hall := OwnerOf(key, "north", "")
	c.Made(Record{CodeOf(key, hall), hall, "north", noon})
	c.Opened(link8(1, WhatsApp), 5, true)
	c.Opened(link8(2, WhatsApp), 70, true)
	c.Opened(Via{CodeOf(key, hall), Poster}, 9, false)
	c.vote(10, link8(1, WhatsApp).String())
	c.vote(11, Via{CodeOf(key, hall), Poster}.String(), func(b *Cast) { b.School = "south" }) // came by the north's poster, voted for the south
	c.vote(12, link8(2, WhatsApp).String())
	r := c.wants(3, 0)
	north := r.School("north")
	if north.Row.Ballots != 2 || north.Row.Visits != 14 || len(north.Channels) != len(Channels) {
		t.Errorf("%+v", north)
	}
	for i, row := range north.Channels {
		visits, ballots := int64(0), int64(0)
		switch Channels[i] {
		case WhatsApp:
			visits, ballots = 5, 1
		case Poster:
			visits, ballots = 9, 1
		}
		if row.ID != string(Channels[i]) || row.Visits != visits || row.Ballots != ballots {
			t.Errorf("%s: %+v", Channels[i], row)
		}
	}
	if none := r.School("nowhere"); none.Row.Ballots != 0 || none.Reviews != 0 || none.Channels != nil {
		t.Errorf("%+v", none)
	}
}

func TestReviewed_IsWhatIsHeldNow(t *testing.T) {
	f := NewFold()
	one, other := uuid.New(), uuid.New()
	wants := func(north, south int64) {
		t.Helper()
		r := f.Report([]string{"north", "south"})
		if r.School("north").Reviews != north || r.School("south").Reviews != south {
			t.Fatalf("%d and %d under review, want %d and %d", r.School("north").Reviews, r.School("south").Reviews, north, south)
		}
	}
	f.Reviewed(voterOf(1), one, "north", voting.Held)
	f.Reviewed(voterOf(2), one, "north", voting.Held) // another voter's ballot of the same id
	f.Reviewed(voterOf(3), other, "south", voting.Counted)
	wants(2, 0)
	f.Reviewed(voterOf(1), one, "north", voting.Held) // read again
	f.Reviewed(voterOf(3), other, "south", voting.Held)
	wants(2, 1)
	f.Reviewed(voterOf(1), one, "north", voting.Counted)
	f.Reviewed(voterOf(2), one, "north", voting.Void)
	wants(0, 1)
}
