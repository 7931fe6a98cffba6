// Package web is Joute over HTTP: the API of the outside contract, and the
// pages. It is the only package that knows fiber.
//
// Every error is an application/problem+json document, also those that fasthttp
// and fiber find before a handler runs. Strings that fiber gives out live in
// buffers that the next request on the connection overwrites, so whatever
// outlives its handler is copied where it is read: in param, query and header
// (request.go), and by the JSON decoder, which copies anyway.
//
// Where to look, by the beginnings of file names:
//
//	server, routes, page                 what is registered, and in which order a request passes; observe is around it
//	conn, ahead, strict, body, decode    how a request is read; request, address: what it says
//	shed, wait, lag, turnaway, turnback  who is refused when there is too much to do
//	cast, attempt, screen, door          the way of a ballot to its box; challenge: where a proof of work is asked for
//	passes, proof, errand, presence      who votes; cookie, own, formtoken, seal: what a browser carries of it
//	page_, after                         pages, with templates/ and static/; i18n: their texts, with locales/
//	frame, framing, loader, badge        what other sites' pages show, with widget/; origin: which of them may ask
//	card, stories, qr                    pictures
//	feed, leaderboard, ledger, reach     what programs read; csv: the same as a table
//	held, standings, farms, organizer    what organizers do; captains, halls: the links that they give out
//	fan                                  the community
//	problem                              the only place where errors become statuses and texts
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/forget"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/sharing/captains"
	"github.com/joute/joute/sharing/reach"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/codes"
	"github.com/joute/joute/voting/sweep"
)

// Config is what a server stands on. All of it is needed but Sweeps, Ledgers, Archive, Networks,
// TrustedProxies, PublicURL, Version and what is of mail.
type Config struct {
	Store     *store.Store
	Interlock *store.Interlock
	Registry  *registry.Registry
	Boards    *live.Boards
	Feeds     *live.Feeds
	Boxes     *ballotbox.Boxes
	Passes    *voting.Passes
	Receipts  *voting.Receipts
	Presence  *voting.Presence
	Counters  *gate.Counters
	Farms     *gate.Farms
	Pressure  *gate.Pressure
	Codes     *codes.Codes
	Fans      *fans.Fans
	Reach     *reach.Reach
	Captains  *captains.Captains
	Forget    *forget.Contests
	Sweeps    *sweep.Sweeper // nil: no detectors look back
	Ledgers   Ledgers        // nil: nothing is moved to disk
	Archive   Health         // of who moves it; nil likewise
	Keys      *keyring.Ring  // seals what browsers and mails carry for us

	Windows  *window.Contests  // what was counted of ballots
	Networks *netkind.Networks // nil: of no address it is known which kind of network it is of

	Mail       *mail.Outbox      // nil: no e-mail leaves this server, nobody can prove an address
	Disposable *voting.Domains   // services of disposable addresses
	DemoMail   func() []DemoMail // what /demo/mail shows, newest first; nil: there is no such page

	FormKey        []byte         // signs vote forms and opened links; the same on every server of the data folder
	AdminKey       string         // the organizer's bearer key
	PublicURL      string         // how browsers reach the server, such as https://vote.example.org
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Log            *slog.Logger
	Metrics        *prometheus.Registry
	Version        string
}

// Health is a part of the server that /readyz asks: faults say why it is not well,
// notes are what an operator should see all the same.
type Health interface {
	Status() (ok bool, faults, notes []string)
}

const (
	// readTimeout is for one whole request: who sends 16 KiB slower than this
	// is holding the connection, not voting.
	readTimeout = 5 * time.Second
	idleTimeout = 60 * time.Second

	// maxHeaders is the request line and all headers. A partner's pass with a
	// profile is about 1 KiB.
	maxHeaders = 8 << 10

	// maxConnections bounds memory (about 10 KiB each), maxInFlight what is being
	// answered at once: more than the store's queue holds could only wait. Of it,
	// each class has its own room: see shed.go. Open feeds are in neither; live
	// bounds them.
	maxConnections = 100_000
	maxInFlight    = 16_000
)

// Server answers HTTP requests. Make it with New.
type Server struct {
	cfg          Config
	app          *fiber.App
	log          *slog.Logger
	texts        *catalogue
	metrics      *metrics
	public       publicViews
	policies     policies
	sessions     sessions
	cards        *cards
	drawnStories *cards
	adminKey     [sha256.Size]byte
	forms        formTokens
	fanTokens    *community.Tokens
	marks        sharing.Marks
	challenges   antifraud.Challenges
	shed         *shedder
	turnedAway   turnedAway
	turnedBack   map[string]turnedBack
	connections  int64          // most at a time, without feeds
	patience     time.Duration  // for a piece of an answer to go out
	feeding      sync.WaitGroup // connections of feeds
	unnamedProxy sync.Once      // tells of one, see address
	letters      sync.WaitGroup // mails that were promised, and go into the outbox in a moment

	// base ends when a shutdown has no more time: streams end with it.
	base context.Context
	stop context.CancelFunc
}

// New makes a server that listens to nothing yet.
func New(cfg Config) (*Server, error) {
	if cfg.AdminKey == "" {
		return nil, errors.New("web: an organizer key is needed")
	}
	if len(cfg.FormKey) == 0 {
		return nil, errors.New("web: a key for forms is needed")
	}
	texts, err := newCatalogue()
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if cfg.Keys == nil {
		return nil, errors.New("web: a keyring is needed")
	}
	fanTokens, err := community.NewTokens(cfg.Keys.Derive("fan link"))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	away, err := newTurnedAway(texts)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	measured, pictures := newMetrics(cfg.Metrics, cfg.Feeds), newCards()
	s := &Server{
		cfg: cfg, log: cfg.Log, texts: texts, metrics: measured,
		cards: pictures, drawnStories: newStories(pictures),
		adminKey: sha256.Sum256([]byte(cfg.AdminKey)), sessions: newSessions(cfg.Keys.Derive("organizer session"), cfg.AdminKey),
		forms: formTokens{cfg.FormKey}, fanTokens: fanTokens, marks: sharing.NewMarks(cfg.FormKey),
		challenges: antifraud.NewChallenges(cfg.Keys.Derive("challenge")),
		shed:       newShedder(measured.refused, cfg.Log), turnedAway: away, turnedBack: newTurnedBack(away),
		patience: writeTimeout,
	}
	s.connections, _ = Sockets()
	s.base, s.stop = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		AppName:                      "joute",
		BodyLimit:                    maxBody,
		CaseSensitive:                true,
		StrictRouting:                true,
		Concurrency:                  maxConnections + 1, // the listener refuses before
		ReadBufferSize:               maxHeaders,
		ReadTimeout:                  readTimeout,
		IdleTimeout:                  idleTimeout,
		ReduceMemoryUsage:            true, // see ahead
		DisablePreParseMultipartForm: true,
		DisableStartupMessage:        true,
		ErrorHandler:                 s.fail,
	})
	// Writes have no timeout of their own: see conn, which gives each its own.
	s.app.Server().HeaderReceived = s.bodyLimit
	s.app.Server().CloseOnShutdown = true
	s.app.Server().KeepHijackedConns = true // feeds close theirs
	s.app.Server().Handler = s.admit(s.app.Handler())
	s.app.Use(s.observe)
	s.route(s.app)
	s.pages(s.app)
	return s, nil
}

// Serve answers on l until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	// Readers who are sent away come back at once: to another server, since by then
	// this one has closed its door.
	door := &listener{Listener: l, patience: s.patience, closed: s.cfg.Feeds.Close, most: s.connections, idle: s.app.Server().IdleTimeout, busy: func() bool { return s.shed.full(ballots) }, turnBack: s.turnBack, log: s.log}
	if err := s.app.Listener(door); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Shutdown stops accepting, waits until every request that was accepted is
// answered and every mail that was promised is in the outbox, and returns. When ctx
// ends first, what is still under way is given up, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stop()
	defer s.letters.Wait()
	defer s.feeding.Wait()
	defer s.cfg.Feeds.Close() // for a server that never listened
	if err := s.app.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	return nil
}

// admit stands before fiber: it refuses what fiber would answer in plain text,
// and what is more than can be answered.
func (s *Server) admit(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, method := range fiber.DefaultMethods {
		known[method] = true
	}
	return func(fctx *fasthttp.RequestCtx) {
		// One that fiber would answer in plain text goes on as one that it knows and no address takes: it finds
		// out which those are that the address does take.
		if !known[string(fctx.Method())] {
			fctx.Request.Header.SetMethod(fiber.MethodTrace)
		}
		if !plainHead(&fctx.Request.Header) {
			fctx.SetConnectionClose()
			s.refuse(fctx, fiber.ErrBadRequest)
			return
		}
		// On every path, also where no body is read: nothing here is ever decompressed.
		if len(fctx.Request.Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
			s.refuse(fctx, errEncoding)
			return
		}
		of := classOf(fctx)
		switch {
		case s.shed.enter(of):
			defer s.shed.leave(of)
		case of == reads && lean(fctx):
			fctx.SetUserValue(localLean, true)
		default:
			s.turnAway(fctx, of)
			return
		}
		if of != ballots {
			next(fctx)
			return
		}
		entered := s.shed.voting.enter()
		next(fctx)
		s.shed.voting.leave(entered, fctx.Response.StatusCode() < 500)
	}
}

// refuse answers with a problem outside any route.
func (s *Server) refuse(fctx *fasthttp.RequestCtx, err error) {
	c := s.app.AcquireCtx(fctx)
	defer s.app.ReleaseCtx(c)
	_ = s.fail(c, err) // writes to memory
}
