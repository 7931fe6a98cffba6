package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/sharing/reach"
)

type captainBody struct {
	School string `json:"school"`
	Renew  bool   `json:"renew"`
}

type captainAnswer struct {
	School string `json:"school"`
	URL    string `json:"url"`
}

// postCaptain gives the organizer the link of a school's captain: the same one
// always, until renew voids it and makes another.
func (s *Server) postCaptain(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body captainBody
	if err := decode(c, &body); err != nil {
		return err
	}
	var check checks
	_, known := stored.Contest.School(body.School)
	check.expect(known, "school", "the id of a school of this contest")
	if err := check.err(); err != nil {
		return err
	}
	if stored.Forgotten() {
		return errForgotten
	}
	token, err := within(s.base, func(ctx context.Context) (string, error) {
		if body.Renew {
			return s.cfg.Captains.Renew(ctx, stored.Contest.ID, body.School)
		}
		return s.cfg.Captains.Token(ctx, stored.Contest.ID, body.School)
	})
	if err != nil {
		return err
	}
	return sendPersonal(c, fiber.StatusCreated, captainAnswer{body.School, s.site(c) + "/k/" + token})
}

// captain is the contest and the school of the captain's link that was opened.
func (s *Server) captain(c *fiber.Ctx) (*registry.Stored, string, error) {
	token := param(c, "token")
	who, err := within(s.base, func(ctx context.Context) (sharing.Captain, error) { return s.cfg.Captains.Read(ctx, token) })
	if err != nil {
		return nil, "", err
	}
	stored, ok := s.cfg.Registry.Get(who.Contest)
	if !ok {
		return nil, "", errNoCaptain
	}
	if _, ok := stored.Contest.School(who.School); !ok {
		return nil, "", errNoCaptain
	}
	if stored.Forgotten() { // which links were void is forgotten too
		return nil, "", errForgotten
	}
	return stored, who.School, nil
}

// captainCode is the code that a captain shares for the school, or for one entry
// of it. It is nobody's vote: no voter owns it, so none who votes for it is its
// owner.
func (s *Server) captainCode(stored *registry.Stored, school, entry string) (sharing.Code, error) {
	key, err := s.cfg.Passes.ShareKey(stored.Contest.ID)
	if err != nil {
		return 0, err
	}
	return within(s.base, func(ctx context.Context) (sharing.Code, error) {
		return s.shareOf(ctx, stored, reach.Owned{Owner: sharing.OwnerOf(key, school, entry), School: school, Entry: entry})
	})
}
