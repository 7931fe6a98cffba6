package live

import (
	"context"
	"fmt"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// hoursShown is how many hours [Boards.Hours] looks back.
const hoursShown = 24

// Hours are what a school gained in one hour; or in several, where nobody looked
// at the end of one.
type Hours struct {
	From, To time.Time
	Votes    int64 // negative where more ballots were taken away than came
}

// Hours are a school's counted ballots by the hour, of the last 24 hours of
// voting that v may see, oldest first and without gaps; the last one may not be
// over. There are none where v sees no number.
func (b *Boards) Hours(ctx context.Context, s *registry.Stored, v Viewer, school string) ([]Hours, error) {
	r, err := b.read(ctx, s, time.Now().Add(-freshFor))
	if err != nil {
		return nil, err
	}
	seen := see(s, r.count, v)
	opens := s.Contest.Phases.Voting.Opens
	until := r.count.Now
	switch {
	case seen.tally == nil:
		return nil, nil
	case seen.frozen:
		until = r.count.Frozen.At
	case !until.Before(r.count.Closes):
		until = r.count.Closes
	}
	if !opens.Before(until) {
		return nil, nil
	}
	from := until.Add(-(hoursShown - 1) * time.Hour).Truncate(time.Hour)
	if opens.After(from) {
		from = opens.Truncate(time.Hour)
	}
	began, err := b.desk(s.Contest.ID).trends.hours(ctx, b, s, from, until)
	if err != nil {
		return nil, err
	}
	now := schoolVotes(s.Contest, seen.tally)
	at := func(instant time.Time) (votes int64, known bool) {
		switch {
		case !instant.After(opens):
			return 0, true
		case !instant.Before(until):
			return now[school], true
		}
		tally, known := began[instant]
		return tally[school], known
	}
	var hours []Hours
	var since time.Time // the last instant that is known
	var before int64
	for hour := from; ; hour = hour.Add(time.Hour) {
		after, known := at(hour)
		if known && !since.IsZero() {
			hours = append(hours, Hours{since, hour, after - before})
		}
		if known {
			since, before = hour, after
		}
		if !hour.Before(until) {
			return hours, nil
		}
	}
}

// hours are the votes of schools at the beginning of hours, those that are known.
// What an hour began with does not change, so it is read once.
func (t *trends) hours(ctx context.Context, b *Boards, s *registry.Stored, from, to time.Time) (map[time.Time]map[string]int64, error) {
	key := began{s.Epoch, s.Version}
	t.mu.Lock()
	if t.began.of != key {
		t.began.of, t.began.at = key, map[time.Time]map[string]int64{}
	}
	known := make(map[time.Time]map[string]int64, len(t.began.at))
	for hour, votes := range t.began.at {
		if !hour.Before(from) && !hour.After(to) {
			known[hour] = votes
		}
	}
	t.mu.Unlock()

	news, err := b.boxes.Hours(ctx, s, from, to, func(hour time.Time) bool { _, is := known[hour]; return is })
	if err != nil {
		return nil, fmt.Errorf("hours: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for hour, tally := range news {
		known[hour] = schoolVotes(s.Contest, tally)
	}
	if t.began.of == key {
		t.began.at = known // which leaves the old ones behind
	}
	return known, nil
}

// began names what the hours of a contest were added up by.
type began struct {
	epoch   int64
	version int
}

// schoolVotes sums a tally by school, as school pages do: the ballots of hidden
// entries are in it.
func schoolVotes(c *contest.Contest, t *voting.Tally) map[string]int64 {
	votes := map[string]int64{}
	for id, n := range t.Votes {
		if entry, ok := c.Entry(id); ok {
			votes[entry.School] += n
		}
	}
	return votes
}
