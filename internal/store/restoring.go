package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/folder"
)

// ErrNotEmpty is a store that may not be restored into.
var ErrNotEmpty = errors.New("the store is not empty")

// Restoring is a store that is being filled from a folder. No server takes it
// until Finish.
type Restoring struct {
	d      dataset
	id     string
	before int64 // failovers of the cluster when it began
	unlock func() error
}

// Restore begins to fill a store from the folder dir. The store must have no key
// of Joute's that stays; what expires by itself, as servers leave that find the
// store emptied, may be there and is deleted, and so is what an earlier call has left
// that did not get to Finish. Any other store is ErrNotEmpty, and not touched.
//
// A folder that an embedded store has filled is the Redis' from here on.
func Restore(ctx context.Context, s *Store, dir string) (_ *Restoring, err error) {
	d := dataset{dir: dir, store: s}
	id, err := d.read(datasetFile)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, fmt.Errorf("store: %s is no data folder: it has no file %s", dir, datasetFile)
	}
	if _, err := d.fillable(ctx, id); err != nil { // before the folder is touched
		return nil, err
	}
	r := &Restoring{d: d}
	if r.unlock, err = lockFolder(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	// Again: another call may have ended between the look and the lock, and what it has
	// filled, and servers have taken since, would be deleted.
	if id, err = d.read(datasetFile); err != nil {
		return nil, err
	}
	own := strings.TrimPrefix(id, embeddedMark)
	r.id = own
	theirs, err := d.fillable(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.before, err = s.failovers(ctx); err != nil {
		return nil, err
	}
	if id != own {
		if err := folder.Write(d.path(datasetFile), []byte(own+"\n")); err != nil {
			return nil, fmt.Errorf("store: dataset: %w", err)
		}
	}
	if theirs == "" {
		if theirs, err = d.claim(ctx, restoringMark+own); err != nil {
			return nil, err
		}
	}
	if theirs != restoringMark+own { // somebody came in between
		return nil, fmt.Errorf("%w: %s", ErrNotEmpty, s.name)
	}
	return r, s.deleteAllBut(ctx, datasetKey)
}

// fillable is the store's name, where the store may be filled from the folder of that name.
func (d dataset) fillable(ctx context.Context, id string) (theirs string, err error) {
	if theirs, err = d.stored(ctx); err != nil || theirs == restoringMark+strings.TrimPrefix(id, embeddedMark) {
		return theirs, err
	}
	return theirs, d.store.empty(ctx)
}

// Finish makes the store the folder's. Until then no server takes it; from then on
// those that were refused do, within a second. On a cluster all that was restored is
// on replicas first.
func (r *Restoring) Finish(ctx context.Context) error {
	if err := r.d.store.confirmAll(ctx); err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	// What a master had written and no replica had yet is lost with it, and who has taken
	// its place confirms the rest.
	now, err := r.d.store.failovers(ctx)
	if err == nil && now != r.before {
		err = fmt.Errorf("%w: the cluster has failed over meanwhile", ErrUnavailable)
	}
	if err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	if err := r.d.store.client.Set(ctx, datasetKey, keptAs(r.id), 0).Err(); err != nil {
		return fmt.Errorf("store: dataset: %w", err)
	}
	return r.d.store.Confirm(ctx, datasetKey)
}

// Close gives the folder free. What was restored stays, for the next call to begin anew.
func (r *Restoring) Close() error { return r.unlock() }

// prefix begins every key of Joute's.
const prefix = "joute:"

// empty is an ErrNotEmpty that names a key that stays.
func (s *Store) empty(ctx context.Context) error {
	return s.scan(ctx, prefix, func(ctx context.Context, node redis.Cmdable, keys []string) error {
		pipe := node.Pipeline()
		lives := make([]*redis.DurationCmd, len(keys))
		for i, key := range keys {
			lives[i] = pipe.PTTL(ctx, key)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("store: scan: %w", Classify(err))
		}
		for i, life := range lives {
			if life.Val() == -1 && !isConfirmKey(keys[i]) {
				return fmt.Errorf("%w: %s has %q; give --redis an empty one", ErrNotEmpty, s.name, keys[i])
			}
		}
		return nil
	})
}

// deleteAllBut deletes every key of Joute's but one.
func (s *Store) deleteAllBut(ctx context.Context, but string) error {
	return s.deleteKeys(ctx, prefix, func(key string) bool { return key != but })
}
