package web

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/internal/live"
)

const (
	// feedPatience is how long a frame may take to go out: a reader whose buffers
	// have been full for that long is better off with the newest numbers later.
	feedPatience = 5 * time.Second

	// feedLife ends a connection, give or take a fifth, so that readers spread
	// over the servers there are, and do not all come back at the same time.
	feedLife = 10 * time.Minute

	// feedSilence is how long what was sent may stay unacknowledged. With a
	// heartbeat every 15 s, a reader that is gone without a word is noticed
	// within 30 s.
	feedSilence = 12 * time.Second

	// feedBuffer is what the kernel keeps for a reader that does not read: a few
	// frames, not the megabytes it would grow to.
	feedBuffer = 64 << 10

	// feedTalk is what a reader may send after its request: nothing is expected.
	feedTalk = 1 << 10
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
		// On a goroutine of its own, so that fasthttp's context is free again.
		own := taken.(interface{ UnsafeConn() net.Conn }).UnsafeConn().(*conn)
		s.feeding.Go(func() { s.feed(own, head, contest, address, seen) })
	})
	return nil
}

// feed sends until the reader, the feed or the connection's life is over.
func (s *Server) feed(c *conn, head []byte, contest string, address netip.Addr, seen string) {
	defer c.Close()
	c.patience = feedPatience
	boundFeed(c.Conn)
	if _, err := c.Write(head); err != nil {
		return
	}
	reader := s.cfg.Feeds.Join(contest, address, seen)
	defer reader.Leave()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		listen(c)
	}()
	life := time.NewTimer(feedLife*4/5 + rand.N(feedLife*2/5))
	defer life.Stop()
	for {
		select {
		case frame := <-reader.Next():
			if _, err := c.Write(frame); err != nil {
				return
			}
		case <-gone:
			return
		case <-life.C:
			return
		case <-reader.Ended():
			return
		}
	}
}

// listen returns when the reader has gone, or talks.
func listen(c net.Conn) {
	var talk [64]byte
	for left := feedTalk; left > 0; {
		n, err := c.Read(talk[:])
		if err != nil {
			return
		}
		left -= n
	}
}

// boundFeed limits what a silent or slow reader may cost. Where the system
// knows no such limit, heartbeats and feedPatience are what there is.
func boundFeed(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(feedBuffer)
		_ = setUserTimeout(tcp, feedSilence)
	}
}

// isRead says that a request only reads, and may be shed before those that vote.
// Probes may not: a server that is busy is not a dead one.
func isRead(fctx *fasthttp.RequestCtx) bool {
	if !fctx.IsGet() && !fctx.IsHead() {
		return false
	}
	switch string(fctx.Path()) {
	case "/livez", "/readyz", "/metrics":
		return false
	}
	return true
}
