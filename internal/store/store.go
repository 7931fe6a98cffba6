// Package store is Joute's way to its store: a Redis given by URL, or an
// embedded one when none is given. It opens it, sends scripts to it, says when
// it is gone, refuses it when its settings would lose ballots, and pins it to
// its data folder.
//
// What a script does is decided by the packages that own it (voting/ballotbox,
// contest/registry, antifraud/gate).
package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// DefaultTimeout leaves a web handler 200 ms to answer 503 within the 2 s that
// are promised when Redis is gone.
const DefaultTimeout = 1800 * time.Millisecond

// Options says which store to open. The zero value is the embedded store.
type Options struct {
	URL        string                // redis://, rediss:// or unix://; empty opens an embedded store
	Timeout    time.Duration         // longest any single call may take; 0 is DefaultTimeout
	Registerer prometheus.Registerer // nil: not measured
	Log        *slog.Logger          // told which store was opened; nil: silent
}

// Store is an open store. It may be used by many goroutines.
type Store struct {
	client   redis.UniversalClient
	scripts  *batcher  // nil until the store has answered
	embedded *embedded // nil for a real Redis
	name     string
	timeout  time.Duration
	metrics  *metrics
}

// Open opens the store and waits until it has answered once. A store that does
// not answer is ErrUnavailable; nothing is left running on any error. Whether
// the store may be trusted with ballots is for Gate to say.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{timeout: opts.Timeout}
	if s.timeout <= 0 {
		s.timeout = DefaultTimeout
	}
	var err error
	if s.metrics, err = newMetrics(opts.Registerer); err != nil {
		return nil, fmt.Errorf("store: metrics: %w", err)
	}

	var ro *redis.Options
	if opts.URL == "" {
		if s.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		ro = s.embedded.options()
	} else if ro, err = parseURL(opts.URL); err != nil {
		return nil, err
	}
	s.name = target(ro, s.Embedded())
	s.connect(ro)

	if err := s.client.Ping(ctx).Err(); err != nil {
		s.Close()
		return nil, fmt.Errorf("store: %s does not answer: %w", s.name, err)
	}
	s.scripts = newBatcher(s.client.(*redis.Client).Options(), s.metrics)
	if opts.Log != nil {
		opts.Log.Info("store open", "store", s.name)
	}
	return s, nil
}

func (s *Store) connect(ro *redis.Options) {
	// One number bounds a call: the hook puts it on every context as a deadline.
	ro.ContextTimeoutEnabled = true
	ro.ReadTimeout, ro.WriteTimeout, ro.PoolTimeout = s.timeout, s.timeout, s.timeout
	ro.DialTimeout, ro.DialerRetries = s.timeout/2, 1
	// go-redis repeats what may already have run (40 INCR counted 50 in our
	// measurements). Here nothing is sent twice but by Script.Run, whose scripts
	// are idempotent.
	ro.MaxRetries = -1
	ro.ClientName = "joute"
	ro.DisableIdentity = true
	ro.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	// Its lines repeat, unstructured, what every failed call says in its error.
	redis.SetLogger(&logging.VoidLogger{})

	client := redis.NewClient(ro)
	client.AddHook(hook{timeout: s.timeout, metrics: s.metrics})
	s.client = client
}

// Client is for calls that are not scripts. Every call is sent at most once,
// ends within the store's timeout (so none may block on the server), and fails
// with ErrUnavailable when the store is gone.
func (s *Store) Client() redis.UniversalClient { return s.client }

// Embedded says whether this is the trial store in memory.
func (s *Store) Embedded() bool { return s.embedded != nil }

// Name is where the store is, without user or password: fit for a log line.
func (s *Store) Name() string { return s.name }

// Close sends what was accepted, then ends every connection and goroutine. The
// embedded store's data is gone after it.
func (s *Store) Close() error {
	if s.scripts != nil {
		s.scripts.close()
	}
	err := s.client.Close()
	if s.embedded != nil {
		s.embedded.close()
	}
	return err
}
