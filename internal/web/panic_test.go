package web

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// What a handler leaves to a goroutine of its own may panic like the handler itself: one
// answer is lost, and not the server.
func TestPanic_OfWhatAHandlerWaitsForIsOneAnswer(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Get("/test/store", func(*fiber.Ctx) error {
			_, err := within(s.base, func(context.Context) (int, error) { panic("within") })
			return err
		})
		s.app.Get("/test/stream", func(c *fiber.Ctx) error {
			return s.stream(c, func(context.Context, func(any) error) error { panic("the stream") })
		})
		s.app.Get("/test/begun", func(c *fiber.Ctx) error {
			return s.stream(c, func(_ context.Context, line func(any) error) error {
				if err := line("one"); err != nil {
					return err
				}
				panic("the begun stream")
			})
		})
	})
	e.do("GET", "/test/store", "").want(500, "internal-error")
	e.do("GET", "/test/stream", "").want(500, "internal-error")
	resp, err := client.Get("http://" + e.addr + "/test/begun")
	must(t, err)
	defer resp.Body.Close()
	var rest strings.Builder
	if _, err := io.Copy(&rest, resp.Body); err == nil {
		t.Errorf("a stream that broke off ended like a whole one: %q", rest.String())
	}
	e.until("the log has all three", func() bool {
		log := e.log.String()
		return strings.Contains(log, "panic: within") && strings.Contains(log, "panic: the stream") && strings.Contains(log, "panic: the begun stream")
	})
	e.do("GET", "/livez", "").want(200, "")
}

// So may what they ask of many contests or many ballots at once.
func TestPanic_OfOneOfManyQuestionsIsOneAnswer(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Get("/test/lookup", func(*fiber.Ctx) error {
			boxless := &Server{base: s.base}
			return boxless.lookUp(s.base, nil, []ballotbox.Change{{Voter: voting.Voter{1}}})
		})
		s.app.Get("/test/organize", func(c *fiber.Ctx) error {
			boxless := &Server{base: s.base, texts: s.texts}
			boxless.cfg.Registry = s.cfg.Registry
			return boxless.organizeHome(c, session{})
		})
	})
	e.contest("")
	e.do("GET", "/test/lookup", "").want(500, "internal-error")
	e.do("GET", "/test/organize", "").want(500, "internal-error")
	e.do("GET", "/livez", "").want(200, "")
}
