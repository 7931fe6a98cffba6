package sharing

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/keyed"
	"github.com/joute/joute/voting"
)

var key, noon = keyed.New([]byte("a contest's key")), time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// crowd feeds a fold. Voters are numbers.
type crowd struct {
	*Fold
	t    testing.TB
	last map[uint64]Cast
}

func newCrowd(t testing.TB) *crowd { return &crowd{NewFold(), t, map[uint64]Cast{}} }

func link8(n uint64, c Channel) Via { return Via{CodeOf(key, voterOf(n)), c} }

// sharer is a voter of a school who made a code at noon.
func (c *crowd) sharer(n uint64, school string) {
	c.vote(n, "", func(b *Cast) { b.School = school })
	c.Made(Record{CodeOf(key, voterOf(n)), voterOf(n), school, noon})
}

// vote casts a counted ballot a minute after noon, by an honest opened link.
func (c *crowd) vote(n uint64, via string, edits ...func(*Cast)) Cast {
	b := Cast{Ballot: uuid.New(), Voter: voterOf(n), School: "north", At: noon.Add(time.Minute), Standing: voting.Counted, Via: via, Opened: via != ""}
	for _, edit := range edits {
		edit(&b)
	}
	c.Cast(b)
	c.last[n] = b
	return b
}

func (c *crowd) wants(ballots, held int64) *Report {
	c.t.Helper()
	r := c.Report([]string{"north", "south"})
	if r.Totals.Ballots != ballots || r.Totals.Held != held {
		c.t.Fatalf("credited %d, under review %d; want %d and %d", r.Totals.Ballots, r.Totals.Held, ballots, held)
	}
	var schools, channels, codes int64
	for _, row := range r.Schools {
		schools += row.Ballots
	}
	for _, row := range r.Channels {
		channels += row.Ballots
	}
	for _, row := range r.Codes {
		codes += row.Ballots
	}
	if len(r.Codes) < listed && codes != ballots || channels != ballots || schools != ballots {
		c.t.Fatalf("of %d ballots the codes have %d, the channels %d, the schools %d", ballots, codes, channels, schools)
	}
	return r
}

func TestCredit_FollowsTheStanding(t *testing.T) {
	c := newCrowd(t)
	c.sharer(1, "north")
	b := c.vote(2, link8(1, WhatsApp).String(), func(b *Cast) { b.Standing = voting.Held })
	c.wants(0, 1)
	c.Stands(b.Voter, b.Ballot, voting.Counted)
	c.wants(1, 0)
	c.Cast(b) // read again: known
	c.wants(1, 0)
	c.Stands(b.Voter, b.Ballot, voting.Void)
	c.wants(0, 0)
	c.Stands(b.Voter, b.Ballot, voting.Counted)
	c.Stands(b.Voter, b.Ballot, voting.Withdrawn)
	c.wants(0, 0)
	c.Stands(voterOf(9), uuid.New(), voting.Counted) // of no ballot kept
	c.wants(0, 0)
}

func TestCredit_NoneForOnesOwn(t *testing.T) {
	c := newCrowd(t)
	phone := func(b *Cast) { b.Net, b.Device, b.Agent = "n", "d", "a" }
	c.sharer(1, "north")
	c.vote(1, "", phone)
	own := link8(1, Copy).String()
	c.vote(1, own, func(b *Cast) { b.Proven = true })
	c.vote(2, own, phone) // the same browser with its cookies gone
	c.wants(0, 0)
	// Friends at the same school have the same network and model, and are not all the same.
	for n, edit := range []func(*Cast){
		func(b *Cast) { b.Net, b.Device, b.Agent = "n", "d", "another" },
		func(b *Cast) { b.Net, b.Device, b.Agent = "n", "another", "a" },
		func(b *Cast) { b.Net, b.Device, b.Agent = "another", "d", "a" },
		func(b *Cast) { b.Net, b.Agent = "n", "a" }, // not all three were seen
	} {
		c.vote(uint64(10+n), own, edit)
	}
	c.wants(4, 0)
	// Also where the owner's own ballot comes after.
	c.vote(1, "", func(b *Cast) { b.Net, b.Device, b.Agent = "another", "d", "a" })
	c.wants(3, 0)
}

func TestCredit_ATypedCodeNeedsAProvenVoter(t *testing.T) {
	c := newCrowd(t)
	c.sharer(1, "north")
	typed := func(b *Cast) { b.Opened = false }
	for n := range uint64(50) {
		c.vote(100+n, link8(1, Link).String(), typed)
	}
	c.wants(0, 0)
	c.vote(100, "", func(b *Cast) { b.Proven = true }) // proven since, by a later ballot
	c.vote(100, "")                                    // and by one that shows nothing is not less so
	r := c.wants(1, 0)
	if r.Totals.Voters != 1 || r.Totals.Proven != 1 {
		t.Errorf("%+v", r.Totals)
	}
	c.vote(200, "0123456789ab") // no such code
	c.vote(201, "s7")           // somebody's own label
	c.wants(1, 0)
}

func TestProven_IsWhatSomebodyVouchesFor(t *testing.T) {
	for _, row := range []struct {
		level  string
		seen   antifraud.Evidence
		proven bool
	}{
		{"device", antifraud.Evidence{Via: "x", Device: "d"}, false},
		{"", antifraud.Evidence{}, false},
		{"email", antifraud.Evidence{}, true},
		{"partner", antifraud.Evidence{}, true},
		{"device", antifraud.Evidence{Present: true}, true},
		{"device", antifraud.Evidence{SchoolDomain: true}, true},
	} {
		if Proven(row.level, row.seen) != row.proven {
			t.Errorf("%+v", row)
		}
	}
}

// Rings of all sizes, with one ballot a voter and with several, give nothing,
// proven or not; those they bring from outside do.
func TestCredit_NoneWithinARing(t *testing.T) {
	for _, size := range []uint64{2, 3, 20} {
		for _, rounds := range []uint64{1, 3} {
			c := newCrowd(t)
			for n := range size {
				c.Made(Record{CodeOf(key, voterOf(n)), voterOf(n), "", noon})
			}
			for round := range rounds {
				for n := range size {
					c.vote(n, link8((n+1+round)%size, WhatsApp).String(), func(b *Cast) {
						b.Proven = true
						if n == 0 {
							b.Standing = voting.Void // what is void closes the ring all the same
						}
					})
				}
			}
			c.wants(0, 0)
			c.vote(1000, link8(0, WhatsApp).String())
			r := c.Report(nil)
			if r.Totals.Ballots != 1 {
				t.Errorf("ring of %d, %d rounds: credited %d, want the one from outside", size, rounds, r.Totals.Ballots)
			}
		}
	}
}

// Sharing that is honest is a forest: who came by a link shares on. Every ballot
// by a link is somebody's, whatever else is held, void or typed beside it.
func TestCredit_AThousandHonestSharesGiveExactlyTheirBallots(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		c := newCrowd(t)
		var want, waiting int64
		perCode, perSchool := map[string]int64{}, map[string]int64{}
		schools := []string{"north", "south"}
		of := map[uint64]string{}
		for n := range uint64(1000) {
			school := schools[r.IntN(2)]
			of[n] = school
			via := ""
			edit := func(b *Cast) { b.School = school }
			if n > 10 {
				sharer := r.Uint64N(n)
				via = link8(sharer, Channels[r.IntN(len(Channels))]).String()
				switch r.IntN(5) {
				case 0:
					edit, waiting = func(b *Cast) { b.School, b.Standing = school, voting.Held }, waiting+1
				case 1:
					edit = func(b *Cast) { b.School, b.Standing = school, voting.Void }
				default:
					want++
					perCode[CodeOf(key, voterOf(sharer)).String()]++
					perSchool[of[sharer]]++
				}
			}
			c.vote(n, via, edit)
			c.Made(Record{CodeOf(key, voterOf(n)), voterOf(n), "", noon})
		}
		report := c.wants(want, waiting)
		for _, row := range report.Codes {
			if row.Ballots != perCode[row.ID] {
				t.Fatalf("code %s: %d, want %d", row.ID, row.Ballots, perCode[row.ID])
			}
		}
		for _, row := range report.Schools {
			if row.Ballots != perSchool[row.ID] {
				t.Fatalf("school %s: %d, want %d", row.ID, row.Ballots, perSchool[row.ID])
			}
		}
	}
}

func TestReport_Growth(t *testing.T) {
	c := newCrowd(t)
	c.sharer(1, "south")
	c.sharer(2, "north")
	c.sharer(3, "north")
	a, b := link8(1, WhatsApp), link8(1, QR)
	c.Opened(a, 7, true)
	c.Opened(b, 0, true)               // given out, never opened
	c.Opened(link8(1, Copy), 0, false) // neither: no share
	c.Opened(link8(2, Link), 1, false) // opened: somebody gave it out
	c.Opened(link8(99, Link), 5, true) // nobody's
	for n, minutes := range []time.Duration{1, 2, 10, 30} {
		c.vote(uint64(20+n), a.String(), func(b *Cast) { b.At, b.School = noon.Add(minutes*time.Minute), "south" })
	}
	c.vote(20, a.String(), func(b *Cast) { b.At, b.School = noon.Add(time.Hour), "north" }) // the same voter once more, and of another school since
	r := c.wants(5, 0)
	if got := r.Totals; got.Visits != 8 || got.Shares != 3 || got.Voters != 4 || got.From != 7 {
		t.Errorf("totals %+v", got)
	}
	near := func(name string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	south := r.Schools[0]
	if south.ID != "south" || south.From != 4 || south.Shares != 2 || south.Visits != 7 {
		t.Fatalf("south %+v %+v", south, south.Growth)
	}
	near("shares a voter", south.SharesPerVoter, 2.0/4)
	near("ballots a share", south.BallotsPerShare, 5.0/2)
	near("K", south.K, 5.0/4)
	near("cycle", south.Cycle, 600)
	north := r.Schools[1]
	near("K of north", north.K, 0)
	if north.ID != "north" || north.From != 3 || north.Cycle != nil {
		t.Errorf("north %+v %+v", north, north.Growth)
	}
	for _, row := range r.Channels {
		if row.ID == string(WhatsApp) {
			near("K of WhatsApp", row.K, 5.0/7)
		}
		if row.ID == string(Mail) && (row.Shares != 0 || row.BallotsPerShare != nil || row.K != nil) {
			t.Errorf("mail %+v %+v", row, row.Growth)
		}
	}
	even := median([]int64{4000, 1000, 2000, 3000})
	near("median of four", even, 2.5)
}

func TestReport_PagesHaveWhatWasCountedInThem(t *testing.T) {
	c := newCrowd(t)
	c.sharer(1, "north")
	blog := func(b *Cast) { b.Page = "https://blog.example.org" }
	c.vote(2, "", blog)
	c.vote(3, link8(1, Link).String(), blog)
	c.vote(4, "", blog, func(b *Cast) { b.Standing = voting.Held })
	c.vote(5, "", blog, func(b *Cast) { b.Standing = voting.Void })
	c.Framed("https://blog.example.org", 12)
	r := c.wants(1, 0)
	if len(r.Pages) != 1 || r.Pages[0].Visits != 12 || r.Totals.Visits != 0 || r.Pages[0].ID != "https://blog.example.org" || r.Pages[0].Ballots != 2 || r.Pages[0].Held != 1 || r.Pages[0].Voters != 2 {
		t.Errorf("%+v", r.Pages)
	}
	for n := range uint64(300) { // any page may say it is one
		c.vote(100+n, "", func(b *Cast) { b.Page = fmt.Sprintf("https://%d.example", n) })
	}
	if r = c.Report(nil); len(r.Pages) != listed || r.Pages[0].Ballots != 2 {
		t.Errorf("%d pages", len(r.Pages))
	}
}

// BenchmarkFold is a contest of a million voters, a tenth of whom came by links of
// 20,000 others.
func BenchmarkFold(b *testing.B) {
	const casts, sharers = 1_000_000, 20_000
	all := make([]Cast, casts)
	for n := range all {
		v := voterOf(uint64(n))
		all[n] = Cast{Ballot: uuid.UUID(v), Voter: v, School: fmt.Sprint("school-", n%12), At: noon, Standing: voting.Counted,
			Net: fmt.Sprint("n", n%5000), Device: fmt.Sprint("d", n%800), Agent: fmt.Sprint("a", n%300)}
		if n >= sharers && n%10 == 0 {
			all[n].Via, all[n].Opened = link8(uint64(n%sharers), WhatsApp).String(), true
		}
	}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f := NewFold()
		for n := range uint64(sharers) {
			f.Made(Record{CodeOf(key, voterOf(n)), voterOf(n), "", noon})
		}
		start := time.Now()
		for _, c := range all {
			f.Cast(c)
		}
		folded := time.Since(start)
		start = time.Now()
		r := f.Report(nil)
		told := time.Since(start)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if r.Totals.Ballots == 0 || r.Totals.From != casts {
			b.Fatalf("%+v", r.Totals)
		}
		b.ReportMetric(folded.Seconds()*1000, "fold-ms")
		b.ReportMetric(told.Seconds()*1000, "report-ms")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(f)
	}
}

// A person's devices are one: what one of them brings another is self-referral, and
// what is told of voters counts people.
func TestCredit_DevicesOfOnePersonAreOne(t *testing.T) {
	for _, late := range []bool{false, true} { // boxes are read one after another: joins may come first
		c := newCrowd(t)
		join := func() {
			c.Join(voterOf(100), voterOf(1)) // the address, which never votes
			c.Join(voterOf(2), voterOf(1))   // the second device
		}
		if !late {
			join()
		}
		c.sharer(1, "north")
		own, friend := c.vote(2, link8(1, WhatsApp).String()), c.vote(3, link8(1, WhatsApp).String())
		c.vote(4, link8(3, WhatsApp).String(), func(b *Cast) { b.Opened = false })
		c.Made(Record{CodeOf(key, voterOf(3)), voterOf(3), "north", noon})
		if late {
			c.wants(2, 0)
			join()
		}
		r := c.wants(1, 0)
		if r.Totals.Voters != 1 || r.Totals.From != 3 {
			t.Errorf("late %v: %d voters brought, of %d", late, r.Totals.Voters, r.Totals.From)
		}
		// Read again from the beginning, nothing changes.
		c.Cast(own)
		c.Cast(friend)
		join()
		c.wants(1, 0)
		// Who has proven an address need not have opened the link.
		c.Join(voterOf(101), voterOf(4))
		c.wants(2, 0)
	}
}

// campus is 1,500 students behind one address, a third of whom have one of three
// models of phone, the others one of forty. Two in three came by another's link.
func campus(t *testing.T) *crowd {
	c := newCrowd(t)
	rng := rand.New(rand.NewPCG(7, 7))
	model := func(b *Cast) {
		n := rng.IntN(3)
		if rng.IntN(3) > 0 {
			n = 3 + rng.IntN(40)
		}
		b.Net, b.Device, b.Agent = "campus", fmt.Sprint("d", n), fmt.Sprint("a", n)
	}
	for n := range uint64(1500) {
		c.sharer(n, "north")
		via := ""
		if n > 0 && n%3 != 0 {
			via = link8(rng.Uint64N(n), WhatsApp).String()
		}
		c.vote(n, via, model)
	}
	return c
}

// All phones of a model are one device by its hash, and a campus is one address:
// nearly all of what its students bring each other stays credited.
func TestCredit_ACampusOfPopularPhonesKeepsItsCredit(t *testing.T) {
	c := campus(t)
	got := c.Report(nil).Totals.Ballots
	t.Logf("%d of 1000 are credited", got)
	if got < 970 || got > 1000 {
		t.Errorf("%d of 1000 are credited", got)
	}
}

// On the same campus with the most popular phone, who clears their cookies and votes
// by their own link again and again gets nothing for it that they did not outnumber.
func TestCredit_OneWhoClearsTheirCookiesOnACampusBringsNobody(t *testing.T) {
	c := newCrowd(t)
	phone := func(b *Cast) { b.Net, b.Device, b.Agent = "campus", "d1", "a1" }
	c.sharer(1, "north")
	c.vote(1, "", phone)
	for n := range uint64(10) {
		c.vote(100+n, "", phone) // students with that phone, by no link
	}
	own := link8(1, WhatsApp).String()
	for n := range uint64(11) {
		c.vote(200+n, own, phone)
	}
	c.wants(0, 0)
	for n := range uint64(12) {
		c.vote(300+n, "", phone)
	}
	c.wants(11, 0) // most with that phone come otherwise: nothing tells whose they are
}
