package sharing

import (
	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// SchoolReport is what a report says of one school.
type SchoolReport struct {
	Row      Row   // what its links brought
	Channels []Row // the same by channel, all there are, in their order
	Reviews  int64 // ballots for its entries, come by any way, that are under review
}

// School is one school's part of a report; zeros for one that has brought nobody.
// It is shared: read it only.
func (r *Report) School(id string) SchoolReport {
	s := SchoolReport{Channels: r.by[id], Reviews: r.reviews[id]}
	for _, row := range r.Schools {
		if row.ID == id {
			s.Row = row
		}
	}
	return s
}

// Reviewed says where a ballot for a school stands, of all ballots, by a link or
// not: those that are held are remembered until they are not.
func (f *Fold) Reviewed(who voting.Voter, ballot uuid.UUID, school string, s voting.Standing) {
	if s == voting.Held {
		f.reviews[f.ballot(who, ballot)] = f.school(school)
	} else if len(f.reviews) > 0 {
		delete(f.reviews, f.ballot(who, ballot))
	}
}

func (f *Fold) reviewsBySchool() map[string]int64 {
	count := map[string]int64{}
	for _, school := range f.reviews {
		count[f.schools.text(uint32(school))]++
	}
	return count
}
