package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/joute/joute/internal/folder"
)

// datasetLock is held by the one server of an embedded store, and by joute restore.
const datasetLock = "dataset.lock"

// openEmbedded takes the folder for the one server that has its store in memory.
func (d dataset) openEmbedded() (*Dataset, error) {
	if d.dir == "" {
		return &Dataset{store: d.store}, nil
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: data folder: %w", err)
	}
	id, err := d.read(datasetFile)
	if err != nil {
		return nil, err
	}
	if id != "" && !strings.HasPrefix(id, embeddedMark) {
		return nil, fmt.Errorf("%w: %s belongs to a Redis; give --redis, or --data another folder", ErrForeignDataset, d.dir)
	}
	unlock, err := lockFolder(d.dir)
	if err != nil {
		return nil, err
	}
	if id == "" {
		if err := d.writeOnce(datasetFile, embeddedMark+rand.Text()); err != nil {
			return nil, errors.Join(err, unlock())
		}
	}
	return &Dataset{store: d.store, id: id, unlock: unlock}, nil
}

func lockFolder(dir string) (unlock func() error, err error) {
	unlock, err = folder.Lock(dir+"/"+datasetLock, false)
	if errors.Is(err, folder.ErrBusy) {
		return nil, fmt.Errorf("store: %s is in use by another server, or by joute restore: one at a time may have it", dir)
	}
	return unlock, err
}
