package sharing

import (
	"cmp"
	"slices"
	"strings"
)

// Report is who brought whom, as of what was folded. It holds no voter and no
// ballot. It is never changed after it was made.
type Report struct {
	Totals   Row   `json:"totals"`
	Schools  []Row `json:"schools"`  // by the school of the code's owner; best first
	Channels []Row `json:"channels"` // all there are, in their order
	Pages    []Row `json:"pages"`    // other sites' pages that ballots were cast in, best first, the first 100
	Codes    []Row `json:"codes"`    // best first, the first 100

	by      map[string][]Row // channels, by the school of the code's owner
	reviews map[string]int64
}

// listed bounds the rows of what strangers may add to: codes and pages.
const listed = 100

// Row is what one code, school, channel or page brought.
type Row struct {
	ID      string `json:"id,omitempty"`
	School  string `json:"school,omitempty"` // of a code's owner
	Visits  int64  `json:"visits"`           // openings of its links by people; of a page, of its vote frame
	Shares  int64  `json:"shares"`           // links given out, or opened: one voter, one channel
	Ballots int64  `json:"ballots"`          // credited: see credit.go
	Held    int64  `json:"held"`             // that will be, should they be released
	Voters  int64  `json:"voters"`           // who cast those that are credited
	Proven  int64  `json:"proven_voters"`    // of these
	*Growth
	Fans *int64 `json:"fans,omitempty"`
}

// Growth is how sharing spreads, of a school, a channel, or all. A number is nil
// where it would be divided by nothing.
//
// It is the viral coefficient and the cycle time of D. Skok, "Lessons Learned:
// Viral Marketing" (2009), with ballots for customers:
//
//	K = shares per voter × counted ballots per share
//
// The voters are those whose latest ballot is for the school (for a channel, all
// of the contest), whether or not they share. K above 1 would grow by itself,
// were there always somebody new to reach; there is not, so it is a direction
// and no forecast. With K equal, half the cycle time is twice the speed.
type Growth struct {
	From            int64    `json:"from_voters"`
	SharesPerVoter  *float64 `json:"shares_per_voter"`
	BallotsPerShare *float64 `json:"ballots_per_share"`
	K               *float64 `json:"k_factor"`
	// Cycle is the median time from the making of a code to a ballot it brought.
	Cycle *float64 `json:"cycle_seconds"`
}

// sums are rows being added up, by place.
type sums struct {
	rows   []Row
	cycles [][]int64
	who    []pair // who cast what is credited
}

type pair struct {
	row    uint32
	voter  uint64
	proven bool
}

func newSums(n int) *sums { return &sums{rows: make([]Row, n), cycles: make([][]int64, n)} }

func (s *sums) ballot(row uint32, b brought, proven bool) {
	if b.standing == held {
		s.rows[row].Held++
		return
	}
	s.rows[row].Ballots++
	s.who = append(s.who, pair{row, b.voter, proven})
}

func (s *sums) link(row uint32, l link) {
	s.rows[row].Visits += l.visits
	s.rows[row].Shares++
}

// people counts every voter of a row once.
func (s *sums) people() {
	slices.SortFunc(s.who, func(a, b pair) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.voter, b.voter)) })
	for _, p := range slices.Compact(s.who) {
		s.rows[p.row].Voters++
		if p.proven {
			s.rows[p.row].Proven++
		}
	}
}

// grow adds the growth of a row, shared out by so many voters.
func (s *sums) grow(row int, voters int64) {
	r := &s.rows[row]
	r.Growth = &Growth{
		From: voters, SharesPerVoter: ratio(r.Shares, voters), BallotsPerShare: ratio(r.Ballots, r.Shares), Cycle: median(s.cycles[row]),
	}
	if r.SharesPerVoter != nil && r.BallotsPerShare != nil {
		k := *r.SharesPerVoter * *r.BallotsPerShare
		r.K = &k
	}
}

func ratio(a, b int64) *float64 {
	if b == 0 {
		return nil
	}
	q := float64(a) / float64(b)
	return &q
}

// median of milliseconds, in seconds; of an even number the mean of the two in
// the middle.
func median(ms []int64) *float64 {
	if len(ms) == 0 {
		return nil
	}
	slices.Sort(ms)
	n := len(ms)
	seconds := float64(ms[(n-1)/2]+ms[n/2]) / 2000
	return &seconds
}

// Report adds up what is known now. Schools are the contest's, whether or not
// they have brought anybody.
func (f *Fold) Report(schools []string) *Report {
	for _, id := range schools {
		f.school(id)
	}
	t := f.newTables()
	t.addLinks()
	t.addBallots()
	for _, s := range []*sums{t.total, t.school, t.channel, t.both, t.page, t.code} {
		s.people()
	}
	return t.report()
}

// tables are the sums of a report, one for each way to group what was brought.
type tables struct {
	f      *Fold
	codeAt map[Code]uint32 // row of each code in code

	total, school, channel, both, page, code *sums // both: school by channel, see bothAt
}

func (f *Fold) newTables() *tables {
	codes := names{}
	t := &tables{f: f, codeAt: map[Code]uint32{}}
	for code := range f.codes {
		t.codeAt[code] = codes.place(code.String())
	}
	t.total, t.school, t.channel = newSums(1), newSums(len(f.perSchool)), newSums(len(Channels))
	t.both = newSums(len(f.perSchool) * len(Channels))
	t.page, t.code = newSums(len(f.pages.texts)+1), newSums(len(codes.texts)+1)
	return t
}

func bothAt(school uint16, channel int) uint32 { return uint32(int(school)*len(Channels) + channel) }

// addLinks counts links that were given out or opened.
func (t *tables) addLinks() {
	for via, l := range t.f.links {
		code, known := t.codeAt[via.Code]
		if !known || l.visits == 0 && !l.given {
			continue
		}
		school, channel := t.f.owner(via.Code), via.Channel.index()
		t.total.link(0, l)
		t.school.link(uint32(school), l)
		t.channel.link(uint32(channel), l)
		t.both.link(bothAt(school, channel), l)
		t.code.link(code, l)
	}
}

// addBallots counts ballots that were brought, for pages and for those who are due
// the credit.
func (t *tables) addBallots() {
	f := t.f
	for i, due := range f.credit() {
		b := f.brought[i]
		b.voter = f.one(b.voter)
		if b.standing == other {
			continue
		}
		proven := f.proven(b.voter)
		if b.page > 0 {
			// A page is nobody's: all that is counted of it is its own.
			t.page.ballot(b.page, b, proven)
		}
		if !due {
			continue
		}
		school, channel := f.owner(b.code), int(b.channel-1)
		t.total.ballot(0, b, proven)
		t.school.ballot(uint32(school), b, proven)
		t.channel.ballot(uint32(channel), b, proven)
		t.both.ballot(bothAt(school, channel), b, proven)
		t.code.ballot(t.codeAt[b.code], b, proven)
		if b.standing == counted {
			took := max(b.at-f.codes[b.code].made, 0) // clocks of two servers
			t.total.cycles[0] = append(t.total.cycles[0], took)
			t.school.cycles[school] = append(t.school.cycles[school], took)
			t.channel.cycles[channel] = append(t.channel.cycles[channel], took)
		}
	}
}

// report names the rows and puts them in order.
func (t *tables) report() *Report {
	f := t.f
	everybody := int64(len(f.voters))
	t.total.grow(0, everybody)
	r := &Report{Totals: t.total.rows[0], by: map[string][]Row{}, reviews: f.reviewsBySchool()}
	for i, id := range f.schools.texts {
		t.school.grow(i+1, f.perSchool[i+1])
		t.school.rows[i+1].ID = id
		r.by[id] = t.both.rows[(i+1)*len(Channels):][:len(Channels):len(Channels)]
		for at, channel := range Channels {
			r.by[id][at].ID = string(channel)
		}
	}
	for i, channel := range Channels {
		t.channel.grow(i, everybody)
		t.channel.rows[i].ID = string(channel)
	}
	for i, page := range f.pages.texts {
		t.page.rows[i+1].ID, t.page.rows[i+1].Visits = page, f.framed[uint32(i+1)]
	}
	for code, at := range t.codeAt {
		t.code.rows[at].ID, t.code.rows[at].School = code.String(), f.schools.text(uint32(f.owner(code)))
	}
	r.Schools, r.Channels = best(t.school.rows[1:]), t.channel.rows
	r.Pages, r.Codes = first(best(t.page.rows[1:])), first(best(t.code.rows[1:]))
	return r
}

// owner is the school of a code's owner: that of the latest ballot, else the one
// that was known when the code was made.
func (f *Fold) owner(code Code) uint16 {
	r := f.codes[code]
	return cmp.Or(f.voters[f.one(r.owner)].school, r.school)
}

// best orders rows: most ballots first, then most visits, and so on, then by id.
func best(rows []Row) []Row {
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Ballots, a.Ballots), cmp.Compare(b.Visits, a.Visits), cmp.Compare(b.Held, a.Held),
			cmp.Compare(b.Shares, a.Shares), strings.Compare(a.ID, b.ID))
	})
	return rows
}

// first leaves out what brought nothing at all, and what is beyond the list. The
// rest is copied: a report does not keep a million rows.
func first(rows []Row) []Row {
	n := 0
	for n < min(len(rows), listed) && rows[n].Ballots+rows[n].Visits+rows[n].Held+rows[n].Shares > 0 {
		n++
	}
	return append(make([]Row, 0, n), rows[:n]...)
}

// text is the n-th name, from 1; empty for 0.
func (n *names) text(at uint32) string {
	if at == 0 {
		return ""
	}
	return n.texts[at-1]
}
