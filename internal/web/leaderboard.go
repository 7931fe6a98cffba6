package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
)

const (
	defaultLimit = 50
	maxLimit     = 10_000
)

// getLeaderboard shows what the caller may see: the rule is live's.
func (s *Server) getLeaderboard(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	viewer, err := s.viewer(c, stored)
	if err != nil {
		return err
	}
	board, err := s.board(c, stored, viewer)
	if err != nil {
		return err
	}
	body, etag := board.JSON(limit)
	c.Set(fiber.HeaderETag, etag)
	c.Vary(fiber.HeaderAuthorization)
	switch viewer {
	case live.Public:
		c.Set(fiber.HeaderCacheControl, "public, max-age=1")
	case live.Organizer:
		c.Set(fiber.HeaderCacheControl, "private, no-store")
	default:
		c.Set(fiber.HeaderCacheControl, "private, max-age=1")
	}
	if matches(header(c, fiber.HeaderIfNoneMatch), etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return sendJSON(c, fiber.StatusOK, body)
}

// board is what a viewer may see now. Where there is too much to do it is the
// last one that everybody saw, if that is not old.
func (s *Server) board(c *fiber.Ctx, stored *registry.Stored, viewer live.Viewer) (*live.Board, error) {
	if c.Context().UserValue(localLean) != nil {
		if kept := s.cfg.Boards.Kept(stored); kept != nil {
			return kept, nil
		}
		return nil, errOverloaded
	}
	return within(s.base, func(ctx context.Context) (*live.Board, error) {
		return s.cfg.Boards.Board(ctx, stored, viewer)
	})
}

func limitOf(c *fiber.Ctx) (int, error) {
	if !c.Context().QueryArgs().Has("limit") {
		return defaultLimit, nil
	}
	text := query(c, "limit")
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit || text != strconv.Itoa(limit) {
		return 0, invalid("limit", "limit")
	}
	return limit, nil
}

// viewer is who looks. A pass that is not valid looks like anybody: the board
// is public, and a page may keep a pass for longer than it lasts.
func (s *Server) viewer(c *fiber.Ctx, stored *registry.Stored) (live.Viewer, error) {
	token := header(c, fiber.HeaderAuthorization)
	if bearer(token) == "" {
		return live.Public, nil
	}
	if s.isOrganizer(token) {
		return live.Organizer, nil
	}
	pass, err := s.pass(c, stored)
	if err != nil {
		return live.Public, nil
	}
	voted, err := within(s.base, func(ctx context.Context) (bool, error) {
		return s.cfg.Boxes.HasVoted(ctx, stored, pass.Voter)
	})
	if err != nil || !voted {
		return live.Public, err
	}
	return live.Voter, nil
}

// matches is the weak comparison of RFC 9110: a list of tags, or any.
func matches(ifNoneMatch, etag string) bool {
	if strings.TrimSpace(ifNoneMatch) == "*" {
		return true
	}
	for one := range strings.SplitSeq(ifNoneMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == etag {
			return true
		}
	}
	return false
}
