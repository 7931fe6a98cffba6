package web

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/sharing"
)

// reachAnswer is who brought whom, for the organizer.
type reachAnswer struct {
	Contest string `json:"contest"`
	*sharing.Report
}

// getReach tells the organizer what sharing brought, as JSON or as CSV. It shows
// numbers that may be hidden elsewhere, and names no voter.
func (s *Server) getReach(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var check checks
	format := c.Query("format")
	check.expect(format == "" || format == "json" || format == "csv", "format", "json or csv")
	if err := check.err(); err != nil {
		return err
	}
	// The first call for a large contest reads every ballot.
	ctx, cancel := s.organizerContext()
	defer cancel()
	report, err := s.cfg.Reach.Report(ctx, stored)
	if err != nil {
		return err
	}
	if wantsCSV(c) {
		err = sendCSV(c, "reach-"+stored.Contest.ID, reachTable(stored.Contest, report))
	} else {
		err = sendPersonal(c, fiber.StatusOK, reachAnswer{stored.Contest.ID, report})
	}
	c.Vary(fiber.HeaderAccept)
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return err
}

// reachTable is a report as one table, the first column telling its parts apart.
func reachTable(d *contest.Contest, report *sharing.Report) [][]string {
	table := [][]string{{"kind", "id", "name", "visits", "shares", "ballots", "held", "voters", "proven_voters",
		"from_voters", "shares_per_voter", "ballots_per_share", "k_factor", "cycle_seconds", "fans"}}
	add := func(kind string, rows []sharing.Row, name func(sharing.Row) string) {
		for _, r := range rows {
			g, from := r.Growth, ""
			if g == nil {
				g = &sharing.Growth{}
			} else {
				from = strconv.FormatInt(g.From, 10)
			}
			line := []string{kind, r.ID, name(r)}
			for _, n := range []int64{r.Visits, r.Shares, r.Ballots, r.Held, r.Voters, r.Proven} {
				line = append(line, strconv.FormatInt(n, 10))
			}
			fans := ""
			if r.Fans != nil {
				fans = strconv.FormatInt(*r.Fans, 10)
			}
			table = append(table, append(line, from, decimal(g.SharesPerVoter), decimal(g.BallotsPerShare), decimal(g.K), decimal(g.Cycle), fans))
		}
	}
	schoolName := func(id string) string {
		school, _ := d.School(id)
		return school.Name.In(d.Locale, d.Locale)
	}
	none := func(sharing.Row) string { return "" }
	add("total", []sharing.Row{report.Totals}, none)
	add("school", report.Schools, func(r sharing.Row) string { return schoolName(r.ID) })
	add("channel", report.Channels, none)
	add("page", report.Pages, none)
	add("code", report.Codes, func(r sharing.Row) string { return schoolName(r.School) })
	return table
}

// decimal is empty for a number there is not.
func decimal(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', -1, 64)
}
