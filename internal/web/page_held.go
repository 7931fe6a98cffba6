package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

const (
	// groupsShown and ballotsShown are what a page has room for; a group is decided
	// on whole, and what follows moves up.
	groupsShown  = 20
	ballotsShown = 10
)

// voidReasons are the codes that are proposed. Any other may be typed.
var voidReasons = []string{"farm", "lockstep", "same-voter", "paid-votes", "not-a-person", "test"}

// heldView is what held.html shows.
type heldView struct {
	tool
	Contest string
	Back    string
	AtFarms string // the page of known farms
	Action  string
	Token   string
	Waiting string
	Zone    string
	Groups  []groupView
	More    string // what the page has no room for
	Appeals []ballotView
	Codes   []string
	Done    *doneView
	Confirm *askView
	Asked   []string // what the detectors ask a person to look at, or would do
}

// groupView is a group as it is shown: what is said of all of it, then its newest
// ballots.
type groupView struct {
	Key, Entry, School string
	Reasons            []string
	Size               string
	Facts              []string
	Newest, Oldest     string // places
	Ballots            []ballotView
	Rest               string
}

// ballotView is one ballot in words.
type ballotView struct {
	Place, Ballot, Voter, When string
	Entry                      string
	Facts                      []string
	Alike                      []string
	Appeal                     string
}

// doneView says what was just done, and takes it back.
type doneView struct {
	Text string
	Act  string // to undo; empty when there is nothing to
}

// askView asks before a whole group becomes void.
type askView struct {
	Key, Entry, Reason, Newest, Oldest string
	Text, Yes                          string
	Size                               int
	Back                               string
}

// heldPage shows the queue, or asks to confirm what is about to be done to it.
func (s *Server) heldPage(c *fiber.Ctx, who session) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := heldView{tool: s.tool(c, lang, s.texts.say(lang, "held.title", nil)), Codes: voidReasons, Token: who.form}
	v.Contest, v.Brand, v.Logout, v.Back = v.In(d.Title, d), d.Brand, "/organize/logout"+chosen(c), "/organize"+chosen(c)
	v.Action, v.Zone = "/organize/"+d.ID+"/held"+chosen(c), v.Say("held.zone", "Zone", d.Location().String())
	v.Lead, v.AtFarms = v.Contest, "/organize/"+d.ID+"/farms"+chosen(c)
	ctx, cancel := s.organizerContext()
	defer cancel()
	if query(c, "confirm") != "" {
		a, err := s.decision(c, stored)
		if err != nil {
			return err
		}
		ballots, err := s.ballotsOf(ctx, stored, a)
		if err != nil {
			return err
		}
		v.ask(d, a, ballots)
		return s.renderTool(c, fiber.StatusOK, "held.html", lang, v)
	}
	q, err := s.queue(ctx, stored, ballotbox.HeldPlace{}, heldShown)
	if err != nil {
		return err
	}
	if v.Done, err = s.done(ctx, c, stored, v.words); err != nil {
		return err
	}
	v.fill(d, q)
	return s.renderTool(c, fiber.StatusOK, "held.html", lang, v)
}

// ask puts the question before a group is voided.
func (v *heldView) ask(d *contest.Contest, a decision, ballots []ballotbox.ActedBallot) {
	if len(ballots) == 0 {
		v.Done = &doneView{Text: v.Say("held.did.nothing")}
		return
	}
	entry, _ := d.Entry(a.entry)
	n := int64(len(ballots))
	v.Confirm = &askView{
		Key: a.group, Reason: a.reason, Newest: a.newest.String(), Oldest: a.oldest.String(), Size: len(ballots),
		Entry: v.In(entry.Title, d), Text: v.Count("held.confirm", n), Yes: v.Count("held.confirm.yes", n), Back: v.Action,
	}
}

// fill puts the queue into words.
func (v *heldView) fill(d *contest.Contest, q *heldAnswer) {
	v.Waiting = v.waiting(q.Totals.Held)
	v.Asked = v.asked(d, q.Detectors)
	var shown int64
	for _, g := range q.Groups[:min(len(q.Groups), groupsShown)] {
		v.Groups = append(v.Groups, v.group(d, g))
		shown += int64(len(g.Ballots))
	}
	if more := q.Totals.Held - shown; more > 0 {
		v.More = v.Count("held.more", more)
	}
	for _, line := range q.Appeals {
		v.Appeals = append(v.Appeals, v.ballot(d, line))
	}
}

func (v *heldView) group(d *contest.Contest, g heldGroup) groupView {
	entry, _ := d.Entry(g.Entry)
	n := len(g.Ballots)
	newest, oldest := g.Ballots[0], g.Ballots[n-1]
	out := groupView{
		Key: g.Group, Entry: v.In(entry.Title, d), School: v.school(d, g.School), Reasons: g.Reasons,
		Size: v.Count("held.ballots", int64(n)), Newest: newest.place.String(), Oldest: oldest.place.String(),
	}
	if n > 1 {
		out.Facts = append(out.Facts, v.Say("held.between", "From", v.Stamp(oldest.at, d.Location()), "To", v.Stamp(newest.at, d.Location())))
	}
	for _, fact := range []struct {
		id string
		of func(heldLine) string
	}{
		{"held.nets", func(l heldLine) string { return l.Evidence.Net }},
		{"held.devices", func(l heldLine) string { return l.Evidence.Device }},
		{"held.shares", func(l heldLine) string { return l.Evidence.Via }},
	} {
		if values := distinct(g.Ballots, fact.of); n > 1 && values > 0 {
			out.Facts = append(out.Facts, v.Count(fact.id, int64(values)))
		}
	}
	for _, line := range g.Ballots[:min(n, ballotsShown)] {
		out.Ballots = append(out.Ballots, v.ballot(d, line))
	}
	if n > ballotsShown {
		out.Rest = v.Count("held.rest", int64(n-ballotsShown))
	}
	return out
}

// distinct counts the values that were seen.
func distinct(lines []heldLine, of func(heldLine) string) int {
	values := map[string]bool{}
	for _, line := range lines {
		if line.Evidence != nil && of(line) != "" {
			values[of(line)] = true
		}
	}
	return len(values)
}

func (v *heldView) ballot(d *contest.Contest, line heldLine) ballotView {
	entry, _ := d.Entry(line.Entry)
	out := ballotView{
		Place: line.place.String(), Ballot: line.Ballot.String(), Voter: line.Voter.String(), Entry: v.In(entry.Title, d),
		When: v.Stamp(line.at, d.Location()), Appeal: line.Appeal,
	}
	if line.Level != "" {
		out.Facts = append(out.Facts, v.Say("held.level."+line.Level))
	}
	if f := line.Finding; f != nil {
		out.Facts = append(out.Facts, v.finding(f))
	}
	e := line.Evidence
	if e == nil {
		out.Facts = append(out.Facts, v.Say("held.expired"))
		return out
	}
	if e.Referrer.Known() {
		out.Facts = append(out.Facts, v.Say("held.from."+string(e.Referrer)))
	}
	if e.Via != "" {
		out.Facts = append(out.Facts, v.Say("held.via", "Code", e.Via))
	}
	if e.Present {
		out.Facts = append(out.Facts, v.Say("held.present"))
	}
	if e.SchoolDomain {
		out.Facts = append(out.Facts, v.Say("held.school"))
	}
	for _, alike := range []struct {
		id string
		n  int
		of int // who are told of already
	}{{"held.alike.net", line.Alike.Net, 1}, {"held.alike.block", line.Alike.Block, max(line.Alike.Net, 1)}, {"held.alike.device", line.Alike.Device, 1}} {
		if alike.n > alike.of {
			out.Alike = append(out.Alike, v.Count(alike.id, int64(alike.n-1)))
		}
	}
	return out
}

// reasonCode is a code as it was typed, or empty when it is none.
func reasonCode(text string) string {
	if code := strings.ToLower(strings.TrimSpace(text)); reasonShape.MatchString(code) {
		return code
	}
	return ""
}

// actedOf is what an act has to remember of a ballot.
func actedOf(cast voting.Cast) ballotbox.ActedBallot {
	return ballotbox.ActedBallot{Ballot: cast.Ballot, Voter: cast.Voter, Was: cast.Standing, Reasons: slices.Clone(cast.Reasons)}
}

// heldHref is the queue of a contest, with what the address says besides.
func (s *Server) heldHref(c *fiber.Ctx, stored *registry.Stored, key, value string) string {
	sep := "?"
	if chosen(c) != "" {
		sep = "&"
	}
	return "/organize/" + stored.Contest.ID + "/held" + chosen(c) + sep + key + "=" + value + "#status"
}
