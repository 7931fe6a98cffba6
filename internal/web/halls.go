package web

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

const (
	// hallLife is how long a hall's link shows the code when nobody says otherwise:
	// an evening, and the days on which it is set up. Whoever sees the link can show
	// the code to others, so it does not last as long as the contest.
	hallLife = 72 * time.Hour

	minHallLife, maxHallLife = time.Minute, 90 * 24 * time.Hour
)

// errNoPresence: a partner's pass is the partner's, and cannot be made anew.
var errNoPresence = &problem{status: 409, code: "no-presence"}

type hallBody struct {
	For string `json:"for"`
}

type hallAnswer struct {
	URL     string `json:"url"`
	Expires string `json:"expires"`
}

// postHall makes the address of a wall that shows the presence code. Nothing is
// stored: the key in it is signed, and ends by itself.
func (s *Server) postHall(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body hallBody
	if err := decodeOptional(c, &body); err != nil {
		return err
	}
	life := hallLife
	if body.For != "" {
		life, err = time.ParseDuration(body.For)
	}
	var check checks
	check.expect(err == nil && life >= minHallLife && life <= maxHallLife, "for", "a duration from 1m to 2160h, such as 72h")
	if err := check.err(); err != nil {
		return err
	}
	d := stored.Contest
	if d.Identity == contest.LevelPartner {
		return errNoPresence
	}
	until := time.Now().Add(life).Truncate(time.Second)
	key := url.Values{"hall": {s.cfg.Presence.HallKey(d.ID, until)}}
	return sendPersonal(c, fiber.StatusCreated, hallAnswer{s.site(c) + "/tv/" + d.ID + "?" + key.Encode(), voting.FormatTime(until)})
}
