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
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// DefaultTimeout leaves a web handler 200 ms to answer 503 within the 2 s that
// are promised when Redis is gone.
const DefaultTimeout = 1800 * time.Millisecond

// connLife is how long a connection to a single Redis is used: whoever fails it over behind an
// address moves the address, and who only reads at the server of before is told nothing.
const connLife = time.Minute

// Options says which store to open. The zero value is the embedded store.
type Options struct {
	URL        string                // redis://, rediss://, unix://, redis-cluster://, rediss-cluster://; empty opens an embedded store
	Timeout    time.Duration         // longest any single call may take; 0 is DefaultTimeout
	Registerer prometheus.Registerer // nil: not measured
	Log        *slog.Logger          // told which store was opened; nil: silent

	// Unconfirmed takes a cluster's masters at their word and waits for no replica.
	// It loses ballots: it is there for tests that must see it do so.
	Unconfirmed bool
}

// Store is an open store. It may be used by many goroutines.
type Store struct {
	client   redis.UniversalClient
	scripts  *batcher  // nil on a cluster, and until the store has answered
	cluster  *cluster  // nil for a single Redis
	embedded *embedded // nil for a real Redis
	nothing  *Script   // for Confirm
	name     string
	timeout  time.Duration
	metrics  *metrics

	pinned atomic.Pointer[Dataset] // nil: any dataset is the right one
	barred atomic.Pointer[error]   // why the store is refused; nil: it is not
}

// Open opens the store and waits until it has answered once. A store that does
// not answer is ErrUnavailable; nothing is left running on any error. Whether
// the store may be trusted with ballots is for Interlock to say.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{timeout: opts.Timeout, metrics: newMetrics(opts.Registerer)}
	if s.timeout <= 0 {
		s.timeout = DefaultTimeout
	}
	var a address
	var err error
	if opts.URL == "" {
		if s.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		a.options = s.embedded.options()
	} else if a, err = parseURL(opts.URL); err != nil {
		return nil, err
	}
	s.name = a.target(s.Embedded())
	s.connect(a)
	if s.cluster != nil {
		s.cluster.unconfirmed = opts.Unconfirmed
		s.cluster.begin(a.seeds)
	}
	s.nothing = s.Script("confirm", "return 1", false)

	if s.cluster != nil {
		err = Classify(s.cluster.start(ctx, s.client.(*redis.ClusterClient).ReloadState))
	}
	if err == nil {
		err = s.client.Ping(ctx).Err()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("store: %s does not answer: %w", s.name, err)
	}
	if single, ok := s.client.(*redis.Client); ok {
		s.scripts = newBatcher(single.Options(), s.metrics)
		s.scripts.greet = s.greetScripts
		s.scripts.start()
	}
	if opts.Log != nil {
		opts.Log.Info("store open", "store", s.name)
	}
	return s, nil
}

func (s *Store) connect(a address) {
	ro := a.options
	// One number bounds a call: the hook puts it on every context as a deadline.
	ro.ContextTimeoutEnabled = true
	ro.ReadTimeout, ro.WriteTimeout, ro.PoolTimeout = s.timeout, s.timeout, s.timeout
	ro.DialTimeout, ro.DialerRetries = s.timeout/2, 1
	// go-redis repeats what may already have run (40 INCR counted 50 in our
	// measurements). Here nothing is sent twice but by Script.Run, whose scripts
	// are idempotent, and on a cluster where a connection is lost.
	ro.MaxRetries = -1
	ro.ClientName = "joute"
	ro.DisableIdentity = true
	ro.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	// Its lines repeat, unstructured, what every failed call says in its error.
	redis.SetLogger(&logging.VoidLogger{})

	if a.seeds == nil {
		ro.OnConnect, ro.ConnMaxLifetime = s.greet, connLife
		s.client = redis.NewClient(ro)
	} else {
		// Nodes are not asked for the dataset one by one: its key is on one of them. A
		// node that has lost its boxes is found by the boxes (ballotbox.Guard).
		s.cluster = newCluster(a.node, s.metrics)
		// The client takes the host off a node at loopback, as it has not read the map
		// itself; a certificate is for a host.
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			addr = hostOr(addr, a.seeds[0])
			return redis.NewDialer(a.node(addr))(ctx, network, addr)
		}
		s.client = redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: a.seeds, ClusterSlots: s.cluster.known, Dialer: dial, Username: ro.Username, Password: ro.Password, TLSConfig: ro.TLSConfig,
			ContextTimeoutEnabled: true, ReadTimeout: ro.ReadTimeout, WriteTimeout: ro.WriteTimeout, PoolTimeout: ro.PoolTimeout,
			DialTimeout: ro.DialTimeout, DialerRetries: ro.DialerRetries, MaxRetries: ro.MaxRetries,
			ClientName: ro.ClientName, DisableIdentity: ro.DisableIdentity, MaintNotificationsConfig: ro.MaintNotificationsConfig,
		})
	}
	s.client.AddHook(hook{timeout: s.timeout, metrics: s.metrics, bar: s.bar})
}

// Client is for calls that are not scripts. Every call ends within the store's
// timeout (so none may block on the server), and fails with ErrUnavailable when the
// store is gone. It is sent at most once, but on a cluster: there the client sends
// it again when a slot has moved or a connection was lost, so it must bear that;
// and what it wrote is on no replica yet, which [Store.Confirm] tells.
func (s *Store) Client() redis.UniversalClient { return s.client }

// Embedded says whether this is the trial store in memory.
func (s *Store) Embedded() bool { return s.embedded != nil }

// Clustered says whether this is a Redis Cluster, where what is written may yet be
// lost until a replica has it.
func (s *Store) Clustered() bool { return s.cluster != nil }

// Name is where the store is, without user or password: fit for a log line.
func (s *Store) Name() string { return s.name }

// Close sends what was accepted, then ends every connection and goroutine. The
// embedded store's data is gone after it.
func (s *Store) Close() error {
	if s.scripts != nil {
		s.scripts.close()
	}
	if s.cluster != nil {
		s.cluster.close()
	}
	err := s.client.Close()
	if s.embedded != nil {
		s.embedded.close()
	}
	return err
}
