package web

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/sharing/reach"
	"github.com/joute/joute/voting"
)

type shareBody struct {
	Channel *string `json:"channel"`
}

type shareAnswer struct {
	Code string `json:"code"`
	URL  string `json:"url"`
}

// shareOf gives a voter's code, and keeps what is new of it.
func (s *Server) shareOf(ctx context.Context, stored *registry.Stored, o reach.Owned) (sharing.Code, error) {
	key, err := s.cfg.Passes.ShareKey(stored.Contest.ID)
	if err != nil {
		return 0, err
	}
	o.Code = sharing.CodeOf(key, o.Owner)
	return o.Code, s.cfg.Reach.Mint(ctx, stored, o)
}

// linkHref is the address of a link, as it is given out.
func (s *Server) linkHref(c *fiber.Ctx, code sharing.Code, channel sharing.Channel) string {
	return s.site(c) + "/s/" + sharing.Via{Code: code, Channel: channel}.String()
}

// postShare gives the holder of a pass their share code, the same one always.
// With a channel the link is that channel's, and counts as given out.
func (s *Server) postShare(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body shareBody
	if err := decodeOptional(c, &body); err != nil {
		return err
	}
	owned, channel := reach.Owned{}, sharing.Link
	if body.Channel != nil {
		if channel, err = parseChannel(*body.Channel); err != nil {
			return err
		}
		owned.Given = channel
	}
	pass, err := s.pass(c, stored)
	if err != nil {
		return err
	}
	owned.Owner = pass.Voter
	code, err := within(s.base, func(ctx context.Context) (sharing.Code, error) { return s.shareOf(ctx, stored, owned) })
	if err != nil {
		return err
	}
	return sendPersonal(c, fiber.StatusCreated, shareAnswer{code.String(), s.linkHref(c, code, channel)})
}

func parseChannel(name string) (sharing.Channel, error) {
	channel, known := sharing.ParseChannel(name)
	var check checks
	check.expect(known, "channel", channelNames)
	return channel, check.err()
}

var channelNames = func() string {
	names := make([]string, len(sharing.Channels))
	for i, channel := range sharing.Channels {
		names[i] = string(channel)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}()

// given is what a page of ours says when one of its share buttons was pressed:
// the visitor's link has been given out.
func (s *Server) given(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	form, err := s.ownForm(c)
	if err != nil {
		return err
	}
	channel, err := parseChannel(string(form.Peek("channel")))
	if err != nil {
		return err
	}
	me := s.visitor(c, stored)
	if me == nil {
		return errInvalidPass
	}
	_, err = within(s.base, func(ctx context.Context) (sharing.Code, error) {
		return s.shareOf(ctx, stored, reach.Owned{Owner: me.Voter, Given: channel})
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendStatus(fiber.StatusNoContent)
}

// openLink leads from a link to what it is for: the entry its owner voted for,
// else the school, else the contest. The page is told by whose link, sealed. Nothing is left with
// the browser.
func (s *Server) openLink(c *fiber.Ctx) error {
	via, err := sharing.ParseVia(sharing.Retyped(param(c, "code")))
	if err != nil {
		return errNoShare
	}
	to, err := within(s.base, func(ctx context.Context) (reach.Place, error) { return s.cfg.Reach.Find(ctx, via.Code) })
	if errors.Is(err, reach.ErrNoCode) {
		return errNoShare
	}
	if err != nil {
		return err
	}
	stored, ok := s.cfg.Registry.Get(to.Contest)
	if !ok {
		return errNoShare
	}
	if !byRobot(c) {
		_, err := within(s.base, func(ctx context.Context) (any, error) { return nil, s.cfg.Reach.Visit(ctx, stored, via) })
		if err != nil { // a visit that is not counted is no reason to send a visitor away
			s.log.Warn("visit not counted", slog.String("request", s.requestID(c)), slog.Any("error", err))
		}
	}
	path := "/c/" + stored.Contest.ID
	if entry, ok := stored.Contest.Entry(to.Entry); ok && !entry.Hidden {
		path += "/e/" + entry.ID
	} else if school, ok := stored.Contest.School(to.School); ok {
		path += "/s/" + school.ID
	}
	query := kept(c)
	query.Set("via", s.sealed(via.String()))
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect(path+"?"+query.Encode(), fiber.StatusFound)
}

// framedBy counts that a page the contest lists showed a frame to a person: not
// that the frame asked for newer numbers.
func (s *Server) framedBy(c *fiber.Ctx, stored *registry.Stored, origin string) {
	if dest := c.Get("Sec-Fetch-Dest"); byRobot(c) || dest != "" && dest != "iframe" {
		return
	}
	_, err := within(s.base, func(ctx context.Context) (any, error) { return nil, s.cfg.Reach.Framed(ctx, stored, origin) })
	if err != nil {
		s.log.Warn("frame not counted", slog.String("request", s.requestID(c)), slog.Any("error", err))
	}
}

// ownedBy is what an accepted ballot tells of the code of its voter.
func ownedBy(stored *registry.Stored, cast voting.Cast) reach.Owned {
	entry, _ := stored.Contest.Entry(cast.Entry)
	return reach.Owned{Owner: cast.Voter, School: entry.School, Entry: entry.ID}
}
