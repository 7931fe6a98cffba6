package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrForeignDataset is a data folder and a store that do not belong together:
// voters' pseudonyms would change, and with them who has voted.
var ErrForeignDataset = errors.New("this data folder is not the store's")

const (
	datasetKey     = "joute:dataset" // string, never expires
	datasetFile    = "dataset"       // in the data folder, beside the keys
	datasetPending = "dataset.new"   // written before the key, for the servers that start together
)

// formMark begins a dataset's name in a store, and only there: how joute keeps things in it. It
// changes with every version that others could not go on from, so that neither takes a
// store of the other for its own; the folder is the same for all.
const formMark = "form-2-"

// keptAs is what the store has for the name in its folder.
func keptAs(id string) string { return formMark + id }

// A dataset's name begins so in the folder of an embedded store, whose server is
// its only one; and so in a store that joute restore has not finished.
const (
	embeddedMark  = "embedded-"
	restoringMark = "restoring-"
)

// OpenDataset makes sure that the folder dir and the store hold the same dataset's
// name. Where neither has one, it is made up and kept in both; several servers
// may do so at once. Where only one has it, or they differ, it fails with
// ErrForeignDataset and changes neither. From then on the store refuses whatever
// is asked of it over a new connection that finds another name: see [Dataset].
//
// The embedded store has one server, which takes the folder for itself until
// Close: its name is kept in the folder alone.
func OpenDataset(ctx context.Context, s *Store, dir string) (*Dataset, error) {
	d := dataset{dir: dir, store: s}
	if s.Embedded() {
		return d.openEmbedded()
	}
	ours, err := d.read(datasetFile)
	if err != nil {
		return nil, err
	}
	// The folder first, the store second: the file is written only after the
	// key, so a file that is seen without its key is never a start under way.
	theirs, err := d.stored(ctx)
	if err != nil {
		return nil, err
	}
	if ours == "" {
		err = d.found(ctx, theirs)
	} else {
		err = d.compare(ours, theirs)
	}
	if err != nil {
		return nil, err
	}
	if ours, err = d.read(datasetFile); err != nil {
		return nil, err
	}
	return d.pin(ours), nil
}

type dataset struct {
	dir   string
	store *Store
}

// found gives the folder its dataset's name: the one of a start that was cut
// off, or a new one if the store takes it.
func (d dataset) found(ctx context.Context, theirs string) error {
	if theirs == "" {
		if err := os.MkdirAll(d.dir, 0o700); err != nil {
			return fmt.Errorf("store: data folder: %w", err)
		}
		if err := d.writeOnce(datasetPending, rand.Text()); err != nil {
			return err
		}
	}
	pending, err := d.read(datasetPending)
	if err != nil {
		return err
	}
	if pending != "" && (theirs == "" || theirs == keptAs(pending)) {
		if theirs, err = d.claim(ctx, keptAs(pending)); err != nil {
			return err
		}
	}
	if pending != "" && theirs == keptAs(pending) {
		if err := d.writeOnce(datasetFile, pending); err != nil {
			return err
		}
	}
	// Whatever is pending now is done with, or lost against another server.
	if err := os.Remove(d.path(datasetPending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: dataset: %w", err)
	}
	ours, err := d.read(datasetFile)
	if err != nil {
		return err
	}
	if theirs == "" { // another server finished between our looks
		if theirs, err = d.stored(ctx); err != nil {
			return err
		}
	}
	return d.compare(ours, theirs)
}

// claim sets the store's name where it has none, and returns the one it has: one
// that a replica has too, where there are replicas.
func (d dataset) claim(ctx context.Context, id string) (string, error) {
	if err := d.store.client.SetNX(ctx, datasetKey, id, 0).Err(); err != nil {
		return "", fmt.Errorf("store: dataset: %w", err)
	}
	if err := d.store.Confirm(ctx, datasetKey); err != nil {
		return "", fmt.Errorf("store: dataset: %w", err)
	}
	return d.stored(ctx) // after it, as a failover may have come between
}

func (d dataset) compare(ours, theirs string) error {
	unfinished, restoring := strings.CutPrefix(theirs, restoringMark)
	switch {
	case ours != "" && theirs == keptAs(ours):
		return nil
	case ours != "" && (theirs == ours || strings.HasPrefix(theirs, "form-") && strings.HasSuffix(theirs, "-"+ours)):
		return fmt.Errorf("%w: %s was filled by another version of joute, which keeps things in another form; run that version, or fill an empty store with joute restore",
			ErrForeignDataset, d.store.name)
	case restoring && unfinished == ours:
		return fmt.Errorf("%w: %s is half restored; run joute restore again", ErrForeignDataset, d.store.name)
	case strings.HasPrefix(ours, embeddedMark):
		return fmt.Errorf("%w: %s belongs to a server without --redis; move it to an empty Redis with joute restore", ErrForeignDataset, d.dir)
	case theirs == "":
		return fmt.Errorf("%w: %s has the keys of a dataset that is not in %s, which is empty; give --redis the store it was used with, fill this one with joute restore, or give --data a new folder",
			ErrForeignDataset, d.dir, d.store.name)
	case ours == "":
		return fmt.Errorf("%w: %s holds a dataset whose keys are not in %s; give --data the folder that all its servers share",
			ErrForeignDataset, d.store.name, d.dir)
	default:
		return fmt.Errorf("%w: %s and %s hold two different datasets; give --data and --redis that belong together",
			ErrForeignDataset, d.dir, d.store.name)
	}
}

func (d dataset) stored(ctx context.Context) (string, error) {
	// GET of a missing key is redis.Nil, an error; MGET is not.
	got, err := d.store.client.MGet(ctx, datasetKey).Result()
	if err != nil {
		return "", fmt.Errorf("store: dataset: %w", err)
	}
	id, _ := got[0].(string)
	return id, nil
}

func (d dataset) path(name string) string { return filepath.Join(d.dir, name) }

func (d dataset) read(name string) (string, error) {
	id, err := os.ReadFile(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store: dataset: %w", err)
	}
	if id := strings.TrimSpace(string(id)); id != "" {
		return id, nil
	}
	return "", fmt.Errorf("store: dataset: %s is empty: restore it from a backup of the folder", d.path(name))
}

// writeOnce makes a file that appears whole, with mode 0600, or leaves the one
// that is there: a link fails where the name exists.
func (d dataset) writeOnce(name, id string) error {
	f, err := os.CreateTemp(d.dir, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("store: dataset: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(id + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), d.path(name))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store: dataset: %w", err)
	}
	return nil
}
