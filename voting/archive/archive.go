// Package archive moves what happened from the store to the data folder: records
// into the ledger on disk (package ledger), what was seen of their casts into files
// beside it. What is on disk leaves the store, so that the store holds who has voted
// and what counts, and no history.
//
//	DATA/ledger/{contest}/…                       see package ledger
//	DATA/evidence/{contest}/box-N/{first}.ndjson  what was seen, a cast a line, from record {first} on
//
// One server at a time moves a contest's records: it has its ledger open. About once
// a second it reads what is new, writes it, syncs it, signs a checkpoint, and only then
// has the store drop it. Killed anywhere between, nothing is lost, and nothing is
// there twice: offsets say what the disk has.
//
// It also holds the tally of every box against the fold of its records, and what the
// store says against what is on disk. What does not fit is told, and never overwritten.
package archive

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

const (
	// moveEvery is how often records are moved, and a checkpoint signed at most: a
	// sync of the disk serves all of a second's.
	moveEvery = time.Second

	// calmEvery is how often a contest is looked at that is over and wholly on disk.
	calmEvery = 30 * time.Second

	// failEvery is how often the disk is tried after it failed.
	failEvery = 5 * time.Second

	// lookEvery is how often new contests are looked for. The looking is in memory.
	lookEvery = 250 * time.Millisecond

	// lastTime bounds the moving of what is left when a server stops.
	lastTime = 10 * time.Second

	// workTime bounds one visit to a contest. A page is bounded by itself.
	workTime = time.Minute

	// roundPages bounds what one visit moves of a box, before it is synced and trimmed:
	// 10,000 sheets. A second brings fewer: where it has many ballots, they come together.
	roundPages = 100

	// compareEvery is how often tallies are compared with the ledger. A difference is
	// to be told within a minute.
	compareEvery = 5 * time.Second
)

// Options has a zero value that works.
type Options struct {
	Registerer prometheus.Registerer // nil: not measured
	Log        *slog.Logger          // nil: silent

	Every   time.Duration // between visits to an open contest; 0: a second
	Compare time.Duration // between comparisons of tallies; 0: five seconds
}

// Archive moves the records of the contests of one store.
type Archive struct {
	boxes   *ballotbox.Boxes
	ledgers string // DATA/ledger
	seen    evidenceFolder
	signer  *ledger.Signer
	opts    Options
	log     *slog.Logger
	metrics *metrics
	states  *states
}

// New does nothing yet. data is the folder that all servers of the store share.
func New(boxes *ballotbox.Boxes, data string, signer *ledger.Signer, opts Options) *Archive {
	a := &Archive{
		boxes: boxes, ledgers: filepath.Join(data, ledgerFolder), seen: evidenceFolder(filepath.Join(data, seenFolder)),
		signer: signer, opts: opts, log: opts.Log, states: &states{of: map[string]state{}},
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.opts.Every == 0 {
		a.opts.Every = moveEvery
	}
	if a.opts.Compare == 0 {
		a.opts.Compare = compareEvery
	}
	a.metrics = newMetrics(opts.Registerer, a.states)
	return a
}

// Run moves records until ctx ends, and then what is left, in at most ten seconds.
// What fails is tried again.
func (a *Archive) Run(ctx context.Context, contests func() []*registry.Stored) {
	working := map[string]context.CancelFunc{}
	var newest atomic.Pointer[map[string]*registry.Stored] // for the workers: there may be a thousand, and a list is long
	var workers sync.WaitGroup
	defer workers.Wait()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		ending := ctx.Err() != nil // a last look: what came since the one before has records to move too
		there := map[string]*registry.Stored{}
		for _, s := range contests() {
			there[s.Contest.ID] = s
		}
		newest.Store(&there)
		for id := range there {
			if working[id] == nil {
				mine, cancel := context.WithCancel(ctx)
				working[id] = cancel
				w := &worker{a: a, id: id, stored: func() *registry.Stored { return (*newest.Load())[id] }}
				workers.Go(func() { w.run(mine) })
			}
		}
		for id, cancel := range working {
			if there[id] == nil { // gone from the store: there is nothing to move
				cancel()
				delete(working, id)
				a.states.drop(id)
			}
		}
		if ending {
			return
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// Status is for /readyz: faults say why not, notes are what an operator should see
// all the same. It tells what the last visit to each contest saw.
func (a *Archive) Status() (ok bool, faults, notes []string) { return a.states.status(time.Now()) }

// Err is nil, or says why no ballot may be taken, as a [store.ErrUnsafe]: a store and a
// folder that do not belong together. It costs nothing: ask before every cast.
func (a *Archive) Err() error { return a.states.err() }

// Forget deletes what was seen of a contest's attempts from the folder. Whoever moves
// its records deletes what came meanwhile.
func (a *Archive) Forget(_ context.Context, contestID string) error { return a.seen.remove(contestID) }
