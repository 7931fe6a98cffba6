package gate

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/store"
)

//go:embed lua/put.lua
var putSource string

//go:embed lua/lift.lua
var liftSource string

//go:embed lua/met.lua
var metSource string

var (
	// ErrFull is returned for signatures of which a contest would have too many.
	ErrFull = errors.New("a contest has as many signatures as it may")
	// ErrNoFarm is returned for a farm that is not known, or not any more.
	ErrNoFarm = errors.New("no such farm")
	// ErrSignature is returned for a signature that cannot be kept.
	ErrSignature = errors.New("no signature that can be kept")
)

const (
	// liftedLife is how long it is remembered that a signature was lifted, from the
	// last that came: longer than voting lasts between two farms.
	liftedLife = 60 * 24 * time.Hour

	// maxSignature bounds a signature as it is kept: a few hundred features.
	maxSignature = 64 << 10

	// refreshEvery is how old the copy of a server may be while its contest has casts.
	refreshEvery = time.Second

	// quietAfter is for how long after its last cast a contest's copy is refreshed.
	quietAfter = 15 * time.Minute
)

// farmShape is what the id of a farm looks like: it is part of addresses.
var farmShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Farm is a known farm as an organizer sees it.
type Farm struct {
	antifraud.Signature
	Lifted   time.Time // since when it speaks of nobody; zero: it does
	Met      int64     // attempts that bore it
	Rejected int64     // and were rejected
}

// Farms are the signatures of void clusters, in Redis for all servers of a store.
// They expire by themselves. Each server holds a copy, so that a cast meets them
// without asking: see Run. It is safe for concurrent use.
type Farms struct {
	store          *store.Store
	put, lift, met *store.Script
	log            *slog.Logger

	wake   chan struct{}
	mu     sync.Mutex
	copies map[string]*farmCopy // by contest; guarded by mu, as is what is in them
}

// farmCopy is what a server has of a contest's farms.
type farmCopy struct {
	signatures *antifraud.Signatures
	change     string // of which it is the copy
	loaded     bool
	asked      time.Time        // when a cast last met it
	counts     map[string]int64 // fields of met that are not in the store yet
}

// NewFarms loads the scripts. Nothing is sent to the store yet.
func NewFarms(st *store.Store, log *slog.Logger) *Farms {
	return &Farms{
		store: st, put: st.Script("put", putSource, false), lift: st.Script("lift", liftSource, false), met: st.Script("met", metSource, false).Forgettable(),
		log: log, wake: make(chan struct{}, 1), copies: map[string]*farmCopy{},
	}
}

// Put keeps signatures, one for each id: of the same id the latest wins. What is
// lifted stays lifted. It returns [ErrFull] or [ErrSignature] and has changed
// nothing; after another error it may have been kept, and the same call settles it.
// Every server's casts meet them within refreshEvery.
func (f *Farms) Put(ctx context.Context, contestID string, signatures []antifraud.Signature) error {
	if len(signatures) == 0 {
		return nil
	}
	args := []any{antifraud.MaxSignatures, liftedLife.Milliseconds()}
	for _, s := range signatures {
		text, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("put farms: %w: %w", ErrSignature, err)
		}
		if !farmShape.MatchString(s.ID) || s.Expires.UnixMilli() <= 0 || len(text) > maxSignature {
			return fmt.Errorf("put farms: %w: an id of 1 to 64 of A-Z a-z 0-9 _ -, an end, and at most 64 KiB are needed", ErrSignature)
		}
		args = append(args, s.ID, s.Expires.UnixMilli(), text)
	}
	if err := f.run(ctx, f.put, contestID, "put", args...); err != nil {
		return fmt.Errorf("put farms: %w", err)
	}
	return nil
}

// Lift makes a signature speak of nobody, for good: by this call or before. It
// returns [ErrNoFarm] for one that is not known.
func (f *Farms) Lift(ctx context.Context, contestID, id string) error {
	if err := f.run(ctx, f.lift, contestID, "lifted", id, liftedLife.Milliseconds()); err != nil {
		return fmt.Errorf("lift farm: %w", err)
	}
	return nil
}

// run runs a script that changes signatures, and has the copies read anew.
func (f *Farms) run(ctx context.Context, script *store.Script, contestID, want string, args ...any) error {
	known, lifted, met, change := farmKeys(contestID)
	reply, err := script.Run(ctx, []string{known, lifted, met, change}, args...).StringSlice()
	if err != nil {
		return err
	}
	if len(reply) != 1 {
		return fmt.Errorf("unknown reply %q", reply)
	}
	switch reply[0] {
	case want:
		f.look()
		return nil
	case "full":
		return ErrFull
	case "unknown":
		return ErrNoFarm
	}
	return fmt.Errorf("unknown reply %q", reply)
}

// List are the farms of a contest that have not expired, the newest first, and
// what was lifted among them. Counts are what the servers had told a second before.
func (f *Farms) List(ctx context.Context, contestID string) ([]Farm, error) {
	known, lifted, met, _ := farmKeys(contestID)
	pipe := f.store.Client().Pipeline()
	texts, since, counts, now := pipe.HGetAll(ctx, known), pipe.HGetAll(ctx, lifted), pipe.HGetAll(ctx, met), pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list farms: %w", store.Classify(err))
	}
	farms := []Farm{}
	for id, text := range texts.Val() {
		_, text, _ := strings.Cut(text, "|")
		var farm Farm
		if err := json.Unmarshal([]byte(text), &farm.Signature); err != nil {
			return nil, fmt.Errorf("list farms: %q: %w", id, err)
		}
		if !now.Val().Before(farm.Expires) {
			continue
		}
		if at, err := strconv.ParseInt(since.Val()[id], 10, 64); err == nil {
			farm.Lifted = time.UnixMilli(at).UTC()
		}
		farm.Met, _ = strconv.ParseInt(counts.Val()[id], 10, 64) // none: 0
		farm.Rejected, _ = strconv.ParseInt(counts.Val()[id+"!"], 10, 64)
		farms = append(farms, farm)
	}
	slices.SortFunc(farms, func(a, b Farm) int {
		if c := b.Since.Compare(a.Since); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return farms, nil
}

// Forget deletes what is known of a contest's farms. Other servers' copies are
// empty within refreshEvery.
func (f *Farms) Forget(ctx context.Context, contestID string) error {
	f.mu.Lock()
	delete(f.copies, contestID)
	f.mu.Unlock()
	known, lifted, met, change := farmKeys(contestID)
	if err := f.store.Client().Unlink(ctx, known, lifted, met, change).Err(); err != nil {
		return fmt.Errorf("forget farms: %w", store.Classify(err))
	}
	return nil
}

// Match tells which known farm's signature an attempt for entry bears, by this
// server's copy: it asks nobody. The first attempt after a quiet time meets the
// copy of before, or none, and has it refreshed.
func (f *Farms) Match(contestID, entry string, e *antifraud.Evidence, now time.Time) (id string, ok bool) {
	f.mu.Lock()
	c := f.copies[contestID]
	cold := c == nil || now.Sub(c.asked) > quietAfter
	if c == nil {
		c = &farmCopy{counts: map[string]int64{}}
		f.copies[contestID] = c
	}
	c.asked = now
	signatures := c.signatures
	f.mu.Unlock()
	if cold {
		f.look()
	}
	return signatures.Match(entry, e, now)
}

// Met counts an attempt that bore a signature, and whether it was rejected. The
// store is told within refreshEvery; a server that dies before takes the last
// second's counts with it.
func (f *Farms) Met(contestID, id string, rejected bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.copies[contestID]
	if c == nil { // forgotten meanwhile
		return
	}
	c.counts[id]++
	if rejected {
		c.counts[id+"!"]++
	}
}

// look has Run go round at once.
func (f *Farms) look() {
	select {
	case f.wake <- struct{}{}:
	default: // it will
	}
}
