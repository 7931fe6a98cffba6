package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/voting"
)

// schoolPage is what school.html shows: a school's place, and its entries.
type schoolPage struct {
	*contestView
	School schoolView
	Of     int64 // schools it stands among
	Sum    *sum  // of its score, once voting is over
}

func (s *Server) schoolPage(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	school, ok := d.School(param(c, "school"))
	if !ok {
		return errNoSchool
	}
	v, board, err := s.aboard(c, stored, "s/"+school.ID)
	if err != nil {
		return err
	}
	v.schools(d, board)
	s.showFans(v, stored, board)
	at := slices.IndexFunc(v.Schools, func(one schoolView) bool { return one.ID == school.ID })
	if at < 0 {
		return errNoSchool // the board is older than the school
	}
	p := schoolPage{contestView: v, School: v.Schools[at], Of: int64(len(v.Schools))}
	v.Title, v.Index = p.School.Name, true
	v.Description = v.Say("school.description", "School", p.School.Name, "Contest", v.Name)
	v.entries(c, d, board, v.Path+"/s/"+school.ID, func(r voting.EntryRow) bool { return r.School == school.ID })
	if v.Over && !v.Hidden {
		p.Sum = v.sumOf(d, board, board.Schools[at])
	}
	v.follow(d, board)
	if err := s.share(c, stored, v, board, cardSchool, school.ID); err != nil {
		return err
	}
	return s.render(c, fiber.StatusOK, "school.html", v.Lang, p)
}
