package community

import (
	"maps"
	"slices"
	"time"
)

// soon is how early a fan leaves who never meant to stay: a wave of those is a
// signal for screening.
const soon = 24 * time.Hour

// Movement is how many came and went.
type Movement struct {
	Joined  int `json:"joined"`  // joins, those who came back included
	Left    int `json:"left"`    // of these, who left again
	Current int `json:"current"` // of these, who are still there
	// LeftWithinDay are those of Left who left within 24 hours of joining.
	LeftWithinDay int `json:"left_within_day"`
	// Settled are the joins of which it is known whether they left within a day:
	// LeftWithinDay is a share of them.
	Settled int `json:"settled"`
}

// Day is the movement of those who joined on one civil day, whenever they left.
type Day struct {
	Day string `json:"day"` // YYYY-MM-DD in the contest's zone
	Movement
}

// SchoolMovement is the movement of one school's fans.
type SchoolMovement struct {
	School string `json:"school"`
	Movement
}

// Report says how a community moves.
type Report struct {
	Total   Movement         `json:"total"`
	Schools []SchoolMovement `json:"schools"` // by id
	Days    []Day            `json:"days"`    // oldest first
}

// Churn folds a fan ledger, one record after the other.
type Churn struct {
	now     time.Time
	zone    *time.Location
	in      map[Fan]Record // the join of who is there
	total   Movement
	schools map[string]*Movement
	days    map[string]*Movement
}

// NewChurn starts a fold as of now, with days of zone.
func NewChurn(now time.Time, zone *time.Location) *Churn {
	return &Churn{now: now, zone: zone, in: map[Fan]Record{}, schools: map[string]*Movement{}, days: map[string]*Movement{}}
}

// Add folds the ledger's next record. A join of who is there, and a leaving of
// who is not, change nothing: a crash may leave a record twice.
func (c *Churn) Add(r Record) {
	joined, there := c.in[r.Fan]
	switch {
	case r.Kind == Join && !there:
		c.in[r.Fan] = r
		c.each(r, func(m *Movement) {
			m.Joined++
			m.Current++
			if c.now.Sub(r.At) >= soon {
				m.Settled++
			}
		})
	case r.Kind == Leave && there:
		delete(c.in, r.Fan)
		c.each(joined, func(m *Movement) {
			m.Left++
			m.Current--
			if r.At.Sub(joined.At) < soon {
				m.LeftWithinDay++
				if c.now.Sub(joined.At) < soon {
					m.Settled++ // what they do within their first day is known
				}
			}
		})
	}
}

// each changes the sums that a join belongs to.
func (c *Churn) each(join Record, change func(*Movement)) {
	change(&c.total)
	change(at(c.schools, join.School))
	change(at(c.days, join.At.In(c.zone).Format(time.DateOnly)))
}

func at(sums map[string]*Movement, name string) *Movement {
	if sums[name] == nil {
		sums[name] = &Movement{}
	}
	return sums[name]
}

// Report is what the records so far add up to.
func (c *Churn) Report() Report {
	r := Report{Total: c.total, Schools: []SchoolMovement{}, Days: []Day{}}
	for _, school := range slices.Sorted(maps.Keys(c.schools)) {
		r.Schools = append(r.Schools, SchoolMovement{school, *c.schools[school]})
	}
	for _, day := range slices.Sorted(maps.Keys(c.days)) {
		r.Days = append(r.Days, Day{day, *c.days[day]})
	}
	return r
}
