package web

import (
	"html/template"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// hallView is the presence code on a wall, while people vote.
type hallView struct {
	QR      template.HTML // empty: no code on this wall
	Ends    int64         // Unix milliseconds: when the next one comes
	Expired bool          // the wall was opened by a hall's link that shows no code any more
}

// plainRefresh is how soon a wall without scripts loads itself again, in seconds.
const plainRefresh = 30

// hall is the code for a wall that was opened by a hall's link, and by no other:
// whoever could open it from home could pass codes on as they come.
func (s *Server) hall(c *fiber.Ctx, v *wallView, stored *registry.Stored, now time.Time) (err error) {
	v.Refresh = plainRefresh
	key, d := query(c, "hall"), stored.Contest
	if key == "" || v.Phase != contest.PhaseVoting || d.Identity == contest.LevelPartner {
		return nil
	}
	if s.cfg.Presence.CheckHallKey(d.ID, key, now) != nil {
		v.Hall.Expired = true
		return nil
	}
	code := s.cfg.Presence.Code(d.ID, now)
	link := s.site(c) + "/p/" + code.Token
	v.Hall.Ends, v.Refresh = code.Ends().UnixMilli(), int64((code.Ends().Sub(now)+time.Second-1)/time.Second)
	v.Hall.QR, err = qrSVG(link, v.Say("embed.qr", "Link", link))
	return err
}

// homeAndAway says how many of a school's votes are from the hall, and how many
// from elsewhere. tv.js writes the same.
func (v *wallView) homeAndAway(row voting.SchoolRow) string {
	var home int64
	if row.Home != nil {
		home = *row.Home
	}
	return "⌂ " + v.Number(home) + " · " + v.Number(*row.Votes-home)
}
