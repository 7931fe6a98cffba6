package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/forget"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/internal/restore"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/web"
	"github.com/joute/joute/sharing/captains"
	"github.com/joute/joute/sharing/reach"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/archive"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/codes"
	"github.com/joute/joute/voting/ledger"
	"github.com/joute/joute/voting/sweep"
)

// config is what a service is made of, checked.
type config struct {
	listen, redis, data, publicURL string
	adminKey                       string
	keyMadeUp                      bool
	trustedProxies                 []netip.Prefix
	acceptUnverified, unsafe       bool
	unconfirmed                    bool       // takes a cluster's masters at their word, which loses ballots: for controls of tests
	mailer                         *mail.SMTP // nil: no e-mail
	disposable                     *voting.Domains
	networks                       netkind.Files
	demoMail                       func() []web.DemoMail // nil but in the demo
	sweepEvery                     time.Duration         // between looks of the detectors; 0: a minute
	log                            *slog.Logger
	interlockLog                   *slog.Logger // what the store's interlock notes; nil: log
}

// service is one running server. This file is the only place where its parts
// are put together.
type service struct {
	log       *slog.Logger
	listener  net.Listener
	store     *store.Store
	interlock *store.Interlock
	dataset   *store.Dataset
	registry  *registry.Registry
	boxes     *ballotbox.Boxes
	boards    *live.Boards
	feeds     *live.Feeds
	farms     *gate.Farms
	pressure  *gate.Pressure
	forget    *forget.Contests
	rest      *restore.Rest // nil: the store has a file of its own, or nothing is kept
	sweeper   *sweep.Sweeper
	archive   *archive.Archive // nil: there is no folder to move records to
	ledgers   web.Ledgers      // nil: the same
	windows   *gate.Windows
	networks  *netkind.Networks // nil: no files were named
	mailer    *mail.SMTP        // nil: no e-mail
	outbox    *mail.Outbox      // nil: no e-mail
	web       *web.Server
}

// open takes the port and opens the store. Nothing is left open on an error.
func open(ctx context.Context, cfg config) (_ *service, err error) {
	s := &service{log: cfg.log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.listener, err = listen(ctx, cfg.listen); err != nil {
		return nil, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err = s.openStore(ctx, cfg, metrics); err != nil {
		return nil, err
	}
	keys, err := keyring.Open(cfg.data)
	if err != nil {
		return nil, err
	}
	if err = s.openBoxes(ctx, cfg, keys, metrics); err != nil {
		return nil, err
	}
	if s.mailer = cfg.mailer; s.mailer != nil {
		s.outbox = mail.NewOutbox(s.mailer, cfg.log, mail.Options{Registerer: metrics})
	}
	if len(cfg.networks.Databases) > 0 || cfg.networks.Dir != "" {
		if s.networks, err = netkind.Open(cfg.networks, cfg.log); err != nil {
			return nil, err
		}
	}
	if err = s.openWeb(cfg, keys, metrics); err != nil {
		return nil, err
	}
	return s, nil
}

// openStore opens the store, where the interlock lets ballots be taken and the data folder
// is the store's.
func (s *service) openStore(ctx context.Context, cfg config, metrics *prometheus.Registry) (err error) {
	if s.store, err = store.Open(ctx, store.Options{URL: cfg.redis, Unconfirmed: cfg.unconfirmed, Registerer: metrics, Log: cfg.log}); err != nil {
		return err
	}
	mode := store.Strict
	switch {
	case cfg.unsafe:
		mode = store.Unsafe
	case cfg.acceptUnverified:
		mode = store.AcceptUnverified
	}
	if s.interlock, err = store.OpenInterlock(ctx, s.store, store.InterlockOptions{Mode: mode, Kept: cfg.data != "", Log: cmp.Or(cfg.interlockLog, cfg.log)}); err != nil {
		return storeFaults(err)
	}
	if s.dataset, err = store.OpenDataset(ctx, s.store, cfg.data); err != nil {
		return err
	}
	s.interlock.Watch(s.dataset.Err)
	return nil
}

// openBoxes has the contests and their ballot boxes, what moves their records to disk,
// what looks back over them, and the boards and feeds that show them.
func (s *service) openBoxes(ctx context.Context, cfg config, keys *keyring.Ring, metrics *prometheus.Registry) error {
	s.registry = registry.New(s.store, keys, registry.Options{Log: cfg.log, Dir: contestsDir(cfg.data), Dataset: s.dataset.Check})
	s.interlock.Watch(s.registry.Lost)
	s.boxes = ballotbox.New(s.store).GuardedBy(s.registry)
	if cfg.data != "" {
		if err := s.openArchive(ctx, cfg, keys, metrics); err != nil {
			return err
		}
	}
	s.boards = live.New(s.boxes, cfg.log)
	_, room := web.Sockets()
	s.feeds = live.NewFeeds(s.boards, s.registry.Get, cfg.log, room)
	s.farms = gate.NewFarms(s.store, cfg.log)
	s.sweeper = sweep.New(s.store, s.boxes, sweep.Options{Farms: s.farms, Changed: s.feeds.Changed, Registerer: metrics, Log: cfg.log, Every: cfg.sweepEvery})
	return nil
}

// openWeb makes what requests ask beside the boxes, what forgets it, and the server
// that answers them.
func (s *service) openWeb(cfg config, keys *keyring.Ring, metrics *prometheus.Registry) error {
	receipts, err := voting.NewReceipts(keys.Derive("receipt"))
	if err != nil {
		return err
	}
	links, err := captains.New(s.store, keys.Derive("captain"))
	if err != nil {
		return err
	}
	counted := window.New()
	s.windows, s.pressure = gate.NewWindows(s.store, counted, cfg.log), gate.NewPressure(s.store, cfg.log)
	counters, members := gate.New(s.store), fans.New(s.store, keys, fans.Options{})
	sharers := reach.New(s.store, s.boxes, reach.Options{Fans: func(ctx context.Context, id string) (map[string]int64, error) {
		stored, ok := s.registry.Get(id)
		if !ok {
			return nil, registry.ErrNoContest
		}
		return members.Counts(ctx, stored)
	}})
	proofs := codes.New(s.store, counters, keys.Derive("code"))
	personal, brief := []forget.Store{members, sharers, links, s.farms}, []forget.Store{proofs, counters, s.pressure, s.windows}
	var moving web.Health // nil: nothing is moved to disk
	if s.archive != nil {
		moving, personal = s.archive, append(personal, s.archive)
	}
	if s.rest != nil {
		brief = append(brief, s.rest)
	}
	s.forget = forget.New(forget.Parts{
		Store: s.store, Registry: s.registry, Keys: keys, Boxes: s.boxes, Stores: personal, Brief: brief,
	}, cfg.log)
	s.web, err = web.New(web.Config{
		Forget: s.forget, Sweeps: s.sweeper, Ledgers: s.ledgers, Archive: moving,
		Fans: members, Keys: keys,
		Store: s.store, Interlock: s.interlock, Registry: s.registry, Boxes: s.boxes, Boards: s.boards, Feeds: s.feeds,
		Passes: voting.NewPasses(keys), Receipts: receipts, Reach: sharers, Captains: links, FormKey: keys.Derive("form"),
		Presence: voting.NewPresence(keys.Derive("presence")), Counters: counters, Farms: s.farms, Pressure: s.pressure, Codes: proofs,
		Windows: counted, Networks: s.networks,
		Mail: s.outbox, Disposable: cfg.disposable, DemoMail: cfg.demoMail,
		AdminKey: cfg.adminKey, PublicURL: cfg.publicURL, TrustedProxies: cfg.trustedProxies,
		Log: cfg.log, Metrics: metrics, Version: versionText(),
	})
	return err
}

// openArchive has records moved to the data folder, and read from there. An embedded
// store is filled from it first.
func (s *service) openArchive(ctx context.Context, cfg config, keys *keyring.Ring, metrics *prometheus.Registry) error {
	signer, err := ledgerSigner(keys)
	if err != nil {
		return err
	}
	s.boxes = s.boxes.WithArchive(archive.NewReader(cfg.data))
	if s.store.Embedded() {
		if err := s.bringBack(ctx, restore.Parts{Dir: cfg.data, Store: s.store, Registry: s.registry, Boxes: s.boxes, Signer: signer, Keys: keys}); err != nil {
			return err
		}
	}
	s.ledgers = ledger.NewShelf(filepath.Join(cfg.data, "ledger"), signer)
	s.archive = archive.New(s.boxes, cfg.data, signer, archive.Options{Registerer: metrics, Log: cfg.log})
	s.interlock.Watch(s.archive.Err)
	return nil
}

// ledgerSigner is what signs the ledgers of a data folder.
func ledgerSigner(keys *keyring.Ring) (*ledger.Signer, error) {
	key, err := keys.Ledger()
	if err != nil {
		return nil, err
	}
	return ledger.NewSigner(key)
}

// listen turns the error everybody meets once into a sentence.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: choose another port with --listen 127.0.0.1:8081, or port 0 for any free one", address)
	}
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return l, nil
}

// bringBack fills the embedded store from the data folder, as it was when the last
// server of the folder stopped, or a second before it was killed.
func (s *service) bringBack(ctx context.Context, parts restore.Parts) error {
	started := time.Now()
	if err := parts.Settle(); err != nil {
		return err
	}
	kept, err := parts.Check(ctx)
	if err != nil {
		return err
	}
	s.rest = restore.NewRest(s.store, parts.Dir, s.log)
	if err := s.rest.Load(ctx); err != nil {
		return err
	}
	done, err := parts.Contests(ctx, kept)
	if err != nil {
		return err
	}
	var records int64
	for _, c := range done {
		records += c.Records
	}
	s.log.Info("restored from the data folder", "contests", len(done), "records", records, "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// storeFaults leaves of the interlock's error its lines that name a fault each.
func storeFaults(err error) error {
	if !errors.Is(err, store.ErrUnsafe) {
		return err
	}
	_, faults, _ := strings.Cut(err.Error(), "\n")
	return errors.New(faults)
}
