// Package contest says what a contest is: its document, what is wrong with one,
// its phases and periods, what may change while people vote, and how votes
// become ranks. It is pure: no store, no network, no clock of its own.
//
// A Contest comes from Parse and is never changed afterwards; it may be shared
// between goroutines.
package contest

import "time"

// Contest is one document with every default filled in.
type Contest struct {
	ID        string
	Title     Text
	Brand     string
	Accent    string // a CSS colour that is safe to write into a style sheet, or ""
	Locale    string // default language of pages and mails
	Timezone  string // IANA name; civil days and displayed times are of this zone
	Format    string
	Phases    Phases
	Rules     Rules
	Identity  Level // the least a pass must be
	Partner   Partner
	Scoring   Scoring
	Results   Results
	Embed     Embed
	Community *Community // nil = no opt-in
	Antifraud Antifraud
	Boxes     int // over how many ballot boxes voters are spread
	Links     Links
	Schools   []School
	Entries   []Entry

	location *time.Location
	schools  map[string]int // id -> index in Schools
	entries  map[string]int // id -> index in Entries
}

// FormatTeams is the only format so far: schools compete, entries belong to schools.
const FormatTeams = "teams"

// School is one side of a contest. Students is 0 when the document does not say.
type School struct {
	ID           string
	Name         Text
	City         string
	Students     int
	EmailDomains []string // lower case, for evidence only; never public
	Colour       string
}

// Entry is what is voted for. A hidden one is on no public path, but its ballots stay.
type Entry struct {
	ID      string
	School  string
	Title   Text
	Authors []string
	Video   *Video
	Hidden  bool
}

// School finds a school by its id.
func (c *Contest) School(id string) (School, bool) {
	if i, ok := c.schools[id]; ok {
		return c.Schools[i], true
	}
	return School{}, false
}

// Entry finds an entry by its id, hidden ones too.
func (c *Contest) Entry(id string) (Entry, bool) {
	if i, ok := c.entries[id]; ok {
		return c.Entries[i], true
	}
	return Entry{}, false
}

// Location is the contest's time zone.
func (c *Contest) Location() *time.Location { return c.location }

// FreezesAt is when the public numbers stop moving, or zero when they never do.
func (c *Contest) FreezesAt() time.Time {
	if c.Results.Freeze == 0 {
		return time.Time{}
	}
	return c.Phases.Voting.Closes.Add(-c.Results.Freeze)
}

// index builds what School, Entry and Location answer from.
func (c *Contest) index(location *time.Location) {
	c.location = location
	c.schools = make(map[string]int, len(c.Schools))
	for i, s := range c.Schools {
		c.schools[s.ID] = i
	}
	c.entries = make(map[string]int, len(c.Entries))
	for i, e := range c.Entries {
		c.entries[e.ID] = i
	}
}
