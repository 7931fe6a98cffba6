package web

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/internal/live"
)

// getFeed sends the public leaderboard as Server-Sent Events, from now on and
// whenever it changes. The connection leaves the HTTP server, which would keep
// buffers for it and not tell us that a reader has gone.
func (s *Server) getFeed(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	address := s.address(c)
	if err := s.cfg.Feeds.Room(stored.Contest.ID, address); err != nil {
		s.metrics.feedsRefused.Inc()
		return err
	}
	// A store that is gone is an answer, which pages understand, not a silence.
	if _, err := within(s.base, func(ctx context.Context) (*live.Board, error) {
		return s.cfg.Boards.Board(ctx, stored, live.Public)
	}); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no") // nginx passes events on as they come
	if c.Method() == fiber.MethodHead {
		return nil
	}
	c.Response().Header.SetContentLength(-2) // until the connection closes
	head := append(bytes.Clone(c.Response().Header.Header()), fmt.Sprintf("retry: %d\n\n", 2000+rand.IntN(3000))...)
	contest, seen := stored.Contest.ID, header(c, "Last-Event-ID")
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(taken net.Conn) {
		own := taken.(interface{ UnsafeConn() net.Conn }).UnsafeConn().(*conn)
		own.leave() // it is counted among the readers from here on
		f := &feedConn{Conn: own.Conn}
		f.Send(head)
		leave := s.cfg.Feeds.Join(contest, address, seen, f)
		// On a goroutine of its own, so that fasthttp has its buffers back.
		s.feeding.Go(func() {
			f.listen()
			leave()
			f.Close()
		})
	})
	return nil
}
