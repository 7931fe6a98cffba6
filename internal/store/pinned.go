package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// lookEvery is how often the store is asked for its dataset while it serves. A
// Redis that is started anew, or replaced, has only new connections, and each of
// these asks first; so this is about one that is emptied as it runs.
const lookEvery = time.Second

// ErrNotTheStore means that the store is not the one that was opened: emptied, or
// another. Nothing is read from it nor written to it until it is.
var ErrNotTheStore = fmt.Errorf("%w: it is not the one that was opened", ErrUnsafe)

// Dataset is the name by which a store and a data folder know each other while
// they serve. It may be used by many goroutines.
type Dataset struct {
	store  *Store
	id     string // empty: of an embedded store without a folder, which is never another
	unlock func() error

	mu   sync.Mutex
	told bool // guarded by mu: that the store is another
}

// pin makes the store ask for its name over each new connection.
func (d dataset) pin(id string) *Dataset {
	p := &Dataset{store: d.store, id: id}
	d.store.pinned.Store(p)
	return p
}

// Check asks the store for its name. Where it has another or none, this server
// refuses it from here on, with ErrNotTheStore, until a Check finds the right one. An error
// of any other kind says nothing.
func (d *Dataset) Check(ctx context.Context) error {
	if d.id == "" || d.store.Embedded() {
		return nil
	}
	theirs, err := dataset{store: d.store}.stored(past(ctx))
	if err != nil {
		return err
	}
	return d.judge(theirs)
}

func (d *Dataset) judge(theirs string) error {
	if theirs == keptAs(d.id) {
		d.store.barred.Store(nil)
		return nil
	}
	found := "it holds another dataset: start it on the data it had, or give it back its address"
	switch theirs {
	case "":
		found = "it is empty: start it on the data it had, or fill it with joute restore"
	case restoringMark + d.id:
		found = "it is being restored: this goes on when joute restore has ended, which you may have to run again"
	}
	err := fmt.Errorf("%w; %s", ErrNotTheStore, found)
	d.store.barred.Store(&err)
	return err
}

// Err is nil while the store is the one that was opened, else what it was found to
// be. It costs nothing: ask before every cast.
func (d *Dataset) Err() error { return d.store.bar(context.Background()) }

// Run checks every second until ctx ends.
func (d *Dataset) Run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		_ = d.Check(ctx) // what it found is in Err
		d.tell(log)
	}
}

// tell logs what has changed.
func (d *Dataset) tell(log *slog.Logger) {
	err := d.Err()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil && !d.told:
		log.Error("the store is refused: nothing is counted", "fault", err)
	case err == nil && d.told:
		log.Info("the store is the one that was opened again")
	}
	d.told = err != nil
}

// Close gives the folder of an embedded store free.
func (d *Dataset) Close() error {
	if d == nil || d.unlock == nil {
		return nil
	}
	return d.unlock()
}

// greet is what every new connection begins with: a Redis that was replaced, or
// has lost its data, gets not a single command.
func (s *Store) greet(ctx context.Context, connection *redis.Conn) error {
	d := s.pinned.Load()
	if d == nil {
		return nil
	}
	theirs, err := connection.MGet(past(ctx), datasetKey).Result()
	if err != nil {
		return err
	}
	id, _ := theirs[0].(string)
	return d.judge(id)
}

// greetScripts is greet for the connection of scripts.
func (s *Store) greetScripts(c *conn) error {
	d := s.pinned.Load()
	if d == nil {
		return nil
	}
	id, err := c.ask("GET", datasetKey)
	if err != nil && err != redis.Nil {
		return err
	}
	theirs, _ := id.(string)
	return d.judge(theirs)
}

// bar is why nothing may be asked of the store; nil when something may.
func (s *Store) bar(ctx context.Context) error {
	if barred := s.barred.Load(); barred != nil && ctx.Value(beyondBar{}) == nil {
		return *barred
	}
	return nil
}

// beyondBar marks the context of what is asked to know whether the bar may go.
type beyondBar struct{}

func past(ctx context.Context) context.Context { return context.WithValue(ctx, beyondBar{}, true) }
