package contest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// ErrFixedWhileOpen means that a change touches what must stay as it was once
// voting has opened. The error also is a Faults that names each such member.
var ErrFixedWhileOpen = errors.New("contest: fixed while voting is open")

// closeMargin is how far ahead a moved close must lie at least: every server
// knows of it before it comes. To end voting at once there is a call of its own.
const closeMargin = 10 * time.Second

// fixedError is Faults and ErrFixedWhileOpen at once.
type fixedError struct{ faults Faults }

func (e fixedError) Error() string   { return ErrFixedWhileOpen.Error() + ": " + e.faults.Error() }
func (e fixedError) Unwrap() []error { return []error{ErrFixedWhileOpen, e.faults} }

// CheckChange tells whether old may become new at now. Before voting opens
// everything but the id may change. While it is open:
//
//   - title, brand, accent, links, embed, community and antifraud may change,
//     identity may be raised, results may hide more, partner.secret may rotate;
//   - voting.closes may move, to an instant at least 10 s from now (closeMargin);
//   - schools may be added and change name, city and colour;
//   - entries may be added, hidden and shown again.
//
// Once it has closed, the same, except that nothing may be added, nor may the
// close or the identity move: a closed vote does not reopen.
func CheckChange(old, new *Contest, now time.Time) error {
	check := changeCheck{closed: !now.Before(old.Phases.Voting.Closes), now: now}
	check.fixed("id", old.ID, new.ID)
	if !now.Before(old.Phases.Voting.Opens) {
		check.settings(old, new)
		check.schools(old, new)
		check.entries(old, new)
	}
	if len(check.faults) > 0 {
		return fixedError{check.faults}
	}
	return nil
}

type changeCheck struct {
	closed bool
	now    time.Time
	faults Faults
}

func (c *changeCheck) fault(path, format string, args ...any) {
	c.faults = append(c.faults, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (c *changeCheck) fixed(path string, old, new any) {
	if !reflect.DeepEqual(old, new) {
		c.fault(path, "fixed once voting has opened: expected %v, found %v", old, new)
	}
}

func (c *changeCheck) settings(old, new *Contest) {
	c.fixed("locale", old.Locale, new.Locale)
	c.fixed("timezone", old.Timezone, new.Timezone)
	c.fixed("format", old.Format, new.Format)
	if !sameWindow(old.Phases.Entries, new.Phases.Entries) {
		c.fault("phases.entries", "fixed once voting has opened")
	}
	if !old.Phases.Voting.Opens.Equal(new.Phases.Voting.Opens) {
		c.fault("phases.voting.opens", "fixed once voting has opened: expected %s, found %s", rfc3339(old.Phases.Voting.Opens), rfc3339(new.Phases.Voting.Opens))
	}
	c.closes(old.Phases.Voting.Closes, new.Phases.Voting.Closes)
	c.fixed("rules.ballots.max", old.Rules.Ballots.Max, new.Rules.Ballots.Max)
	c.fixed("rules.ballots.per", old.Rules.Ballots.Per, new.Rules.Ballots.Per)
	c.fixed("rules.per_entry", old.Rules.PerEntry, new.Rules.PerEntry)
	c.fixed("rules.undo", old.Rules.Undo, new.Rules.Undo)
	if c.closed {
		c.fixed("identity", old.Identity, new.Identity)
	} else if !new.Identity.AtLeast(old.Identity) {
		c.fault("identity", "may only be raised while voting is open: expected at least %s, found %s", old.Identity, new.Identity)
	}
	c.fixed("scoring.schools.by", old.Scoring.Schools.By, new.Scoring.Schools.By)
	c.fixed("scoring.schools.per", old.Scoring.Schools.Per, new.Scoring.Schools.Per)
	c.fixed("scoring.schools.best_entries", old.Scoring.Schools.BestEntries, new.Scoring.Schools.BestEntries)
	c.fixed("scoring.ties", old.Scoring.Ties, new.Scoring.Ties)
	if slices.Index(visibilities, new.Results.Visibility) < slices.Index(visibilities, old.Results.Visibility) {
		c.fault("results.visibility", "may only hide more once voting has opened: expected %s or less open, found %s", old.Results.Visibility, new.Results.Visibility)
	}
	if new.Results.Freeze < old.Results.Freeze {
		c.fault("results.freeze", "may only hide more once voting has opened: expected at least %s, found %s", formatDuration(old.Results.Freeze), formatDuration(new.Results.Freeze))
	}
	c.fixed("boxes", old.Boxes, new.Boxes)
}

func (c *changeCheck) closes(old, new time.Time) {
	const path = "phases.voting.closes"
	switch {
	case new.Equal(old):
	case c.closed:
		c.fault(path, "fixed once voting has closed: expected %s, found %s", rfc3339(old), rfc3339(new))
	case new.Before(c.now.Add(closeMargin)):
		c.fault(path, "expected at least %s from now, found %s", formatDuration(closeMargin), rfc3339(new))
	}
}

func (c *changeCheck) schools(old, new *Contest) {
	for i, s := range new.Schools {
		path := fmt.Sprintf("schools[%d]", i)
		before, known := old.School(s.ID)
		if !known {
			if c.closed {
				c.fault(path, "expected no new school once voting has closed, found %s", s.ID)
			}
			continue
		}
		c.fixed(path+".students", before.Students, s.Students)
		if !slices.Equal(before.EmailDomains, s.EmailDomains) {
			c.fault(path+".email_domains", "fixed once voting has opened")
		}
	}
	for _, s := range old.Schools {
		if _, kept := new.School(s.ID); !kept {
			c.fault("schools", "expected %s to stay once voting has opened", s.ID)
		}
	}
}

func (c *changeCheck) entries(old, new *Contest) {
	for i, e := range new.Entries {
		path := fmt.Sprintf("entries[%d]", i)
		before, known := old.Entry(e.ID)
		if !known {
			if c.closed {
				c.fault(path, "expected no new entry once voting has closed, found %s", e.ID)
			}
			continue
		}
		c.fixed(path+".school", before.School, e.School)
		for _, member := range []struct {
			name string
			same bool
		}{
			// What people voted for must not become something else under their ballots.
			{"title", reflect.DeepEqual(before.Title, e.Title)},
			{"authors", slices.Equal(before.Authors, e.Authors)},
			{"video", reflect.DeepEqual(before.Video, e.Video)},
		} {
			if !member.same {
				c.fault(path+"."+member.name, "fixed once voting has opened")
			}
		}
	}
	for _, e := range old.Entries {
		if _, kept := new.Entry(e.ID); !kept {
			c.fault("entries", "expected %s to stay once voting has opened (hide it instead)", e.ID)
		}
	}
}

func sameWindow(a, b *Window) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Opens.Equal(b.Opens) && a.Closes.Equal(b.Closes)
}
