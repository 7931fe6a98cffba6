package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/folder"
	"github.com/joute/joute/internal/store"
)

// Contests are kept in the data folder too, so that it alone can make a store
// again: CONTESTS/{contest}.json, written before a put or a mark is answered. Any
// server writes it; none takes it back to an older revision.

// Kept is a contest as the data folder has it.
type Kept struct {
	Contest      string          `json:"contest"`
	Version      int             `json:"version"`
	Revision     int64           `json:"revision"`
	Epoch        int64           `json:"epoch"`
	Epochs       []Epoch         `json:"epochs,omitempty"`
	ConfiguredAt int64           `json:"configured_at,omitempty"` // this and the next in ms
	ClosedAt     int64           `json:"closed_at,omitempty"`
	PublishedAt  int64           `json:"published_at,omitempty"`
	ForgottenAt  int64           `json:"forgotten_at,omitempty"`
	Secret       []byte          `json:"secret,omitempty"` // partner.secret, sealed
	Document     json.RawMessage `json:"document"`
}

// ErrKept is returned for a file of a contest that this package has not written.
var ErrKept = errors.New("registry: damaged contest file")

// lockFile is taken by whoever writes a contest's file. No contest's id begins with a dot.
const lockFile = ".lock"

// repairEvery is how often files are looked for that are missing or behind: of a
// server that died between the store and the folder, or found the disk full.
const repairEvery = 5 * time.Second

func millis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

func (h held) kept() Kept {
	s := h.stored
	return Kept{
		Contest: s.Contest.ID, Version: s.Version, Revision: h.revision, Epoch: s.Epoch, Epochs: s.Epochs,
		ConfiguredAt: millis(s.ConfiguredAt), ClosedAt: millis(s.ClosedAt), PublishedAt: millis(s.PublishedAt), ForgottenAt: millis(s.ForgottenAt),
		Secret: []byte(h.sealed), Document: s.Contest.Document(),
	}
}

func (k Kept) older(than Kept) bool {
	return k.Epoch < than.Epoch || k.Epoch == than.Epoch && k.Revision < than.Revision
}

// keep writes what this server knows of a contest into the folder, unless that has
// it, or something newer. Without an error it is on disk.
func (r *Registry) keep(id string) error {
	h, ok := (*r.known.Load())[id]
	if !ok || r.opts.Dir == "" {
		return nil
	}
	if err := h.kept().write(r.opts.Dir); err != nil {
		return fmt.Errorf("%w: contest %s is stored, and not yet in the data folder: %w", store.ErrUnavailable, id, err)
	}
	return nil
}

func (k Kept) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, k.Contest+".json")
	newer := func() (bool, error) {
		there, err := readKept(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrKept) { // damage is mended by who knows better
			return true, nil
		}
		return there.older(k), err
	}
	if is, err := newer(); !is || err != nil {
		return err
	}
	unlock, err := folder.Lock(filepath.Join(dir, lockFile), true)
	if err != nil {
		return err
	}
	defer unlock()
	if is, err := newer(); !is || err != nil { // another server was faster
		return err
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return folder.Write(path, append(text, '\n'))
}

func readKept(path string) (Kept, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Kept{}, err
	}
	var k Kept
	if err := json.Unmarshal(text, &k); err != nil {
		return Kept{}, fmt.Errorf("%w: %s: %w", ErrKept, path, err)
	}
	if k.Contest+".json" != filepath.Base(path) || k.Version < 1 || k.Revision < 1 || k.Epoch < 1 {
		return Kept{}, fmt.Errorf("%w: %s: expected a contest with version, revision and epoch", ErrKept, path)
	}
	return k, nil
}

// had are the ids of contests that the folder has, and the store must have. A folder
// that cannot be read has none: that is told by whoever writes there.
func (r *Registry) had() (ids []string) {
	if r.opts.Dir == "" {
		return nil
	}
	files, _ := os.ReadDir(r.opts.Dir)
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".json"); ok && !strings.HasPrefix(id, ".") {
			ids = append(ids, id)
		}
	}
	return ids
}

// ReadKept is the contests that a folder has, by id, each readable by this server:
// [ErrKept] names the first file that is not.
func (r *Registry) ReadKept() ([]Kept, error) {
	files, err := os.ReadDir(r.opts.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	var all []Kept
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".json") || strings.HasPrefix(f.Name(), ".") {
			continue
		}
		path := filepath.Join(r.opts.Dir, f.Name())
		k, err := readKept(path)
		if err != nil {
			return nil, err
		}
		if _, err := r.Stored(k); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrKept, path, err)
		}
		all = append(all, k)
	}
	return all, nil
}

// Stored is the contest that a folder has, as the store would give it.
func (r *Registry) Stored(k Kept) (*Stored, error) {
	c, err := contest.ParseStored(k.Document)
	if err != nil {
		return nil, err
	}
	fields, err := k.fields(c)
	if err != nil {
		return nil, err
	}
	h, err := r.decode(k.Contest, fields)
	return h.stored, err
}

// fields are those of the contest's hash.
func (k Kept) fields(c *contest.Contest) (map[string]string, error) {
	fields := map[string]string{
		"document": string(c.Document()), "put": "restored",
		"version": fmt.Sprint(k.Version), "revision": fmt.Sprint(k.Revision), "epoch": fmt.Sprint(k.Epoch),
	}
	for name, at := range map[string]int64{
		"configured_at": k.ConfiguredAt, "closed_at": k.ClosedAt, "published_at": k.PublishedAt, "forgotten_at": k.ForgottenAt,
	} {
		if at != 0 {
			fields[name] = fmt.Sprint(at)
		}
	}
	if len(k.Secret) > 0 {
		fields["secret"] = string(k.Secret)
	}
	if len(k.Epochs) > 0 {
		epochs, err := json.Marshal(k.Epochs)
		if err != nil {
			return nil, err
		}
		fields["epochs"] = string(epochs)
	}
	return fields, nil
}

// Restore puts a contest back into a store that does not have it, as the folder
// had it but for its epochs, and writes those into the folder. The same call again
// changes nothing more. Servers see it within a second.
func (r *Registry) Restore(ctx context.Context, k Kept) error {
	c, err := contest.ParseStored(k.Document)
	if err != nil {
		return fmt.Errorf("restore contest %s: %w", k.Contest, err)
	}
	fields, err := k.fields(c)
	if err != nil {
		return fmt.Errorf("restore contest %s: %w", k.Contest, err)
	}
	// The index last: without its line there no server knows of the contest.
	if err := r.store.Client().HSet(ctx, contestKey(k.Contest), fields).Err(); err != nil {
		return fmt.Errorf("restore contest %s: %w", k.Contest, err)
	}
	if err := r.store.Client().HSet(ctx, indexKey, k.Contest, fmt.Sprintf("%d-%d", k.Epoch, k.Revision)).Err(); err != nil {
		return fmt.Errorf("restore contest %s: %w", k.Contest, err)
	}
	if _, err := r.load(ctx, k.Contest); err != nil {
		return err
	}
	return r.keep(k.Contest)
}

// runRepair repairs until ctx ends. It is apart from the polling, which must not wait
// for a slow disk, or for a server that is frozen with the lock.
func (r *Registry) runRepair(ctx context.Context) {
	ticker := time.NewTicker(repairEvery)
	defer ticker.Stop()
	for failing := false; ; {
		err := r.repair()
		if err != nil && !failing {
			r.log.Error("contests cannot be kept in the data folder: without them it restores nothing of them", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// repair keeps what is not kept yet, of all contests.
func (r *Registry) repair() error {
	var faults []error
	for _, s := range r.List() {
		faults = append(faults, r.keep(s.Contest.ID))
	}
	return errors.Join(slices.DeleteFunc(faults, func(err error) bool { return err == nil })...)
}
