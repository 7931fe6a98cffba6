// Package keyring keeps the secrets that must not be in Redis: the server's key,
// from which passes and receipts are signed, the key that signs ledgers, and one
// key per contest, from which voters' pseudonyms and evidence are hashed. Deleting
// a contest's key makes its voters nobody for good.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/joute/joute/internal/folder"
)

const keySize = 32

// asidePrefix begins the names of keys that are not whole yet. A crash may leave one.
const asidePrefix = ".new-"

// ErrKeyFile is returned for a key file that is not what this package wrote, or
// that others may read.
var ErrKeyFile = errors.New("bad key file")

// Ring holds the keys of one data folder. It is safe for concurrent use, and
// several servers may share the folder: whoever asks first makes the key.
type Ring struct {
	dir    string // empty: keys live and die with the process
	server []byte

	files  sync.Mutex         // held by who makes or deletes keys: nobody who only asks waits for a disk
	ledger ed25519.PrivateKey // guarded by files; nil until it is asked for

	mu        sync.RWMutex      // held for a moment; by who writes, inside files
	contests  map[string][]byte // guarded by mu
	forgotten map[string]bool   // guarded by mu; see Forget
}

// Open reads or makes the keys under dir/keys. With an empty dir they are made
// up and kept in memory, for a trial.
func Open(dir string) (*Ring, error) {
	r := &Ring{contests: map[string][]byte{}, forgotten: map[string]bool{}}
	if dir != "" {
		r.dir = filepath.Join(dir, "keys")
		if err := os.MkdirAll(r.dir, 0o700); err != nil {
			return nil, fmt.Errorf("open keys: %w", err)
		}
	}
	var err error
	if r.server, err = r.key("server"); err != nil {
		return nil, err
	}
	return r, nil
}

// Check reads every key file of a data folder and makes none: [ErrKeyFile] for each
// that is not as it should be, one a line. A folder without keys is well.
func Check(dir string) error {
	dir = filepath.Join(dir, "keys")
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open keys: %w", err)
	}
	var faults []error
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".key") {
			continue
		}
		if _, err := readKey(filepath.Join(dir, f.Name())); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// CheckUsed is [Check] of a folder that was used: it also tells of keys that are missing,
// which [Open], [Ring.Ledger] and [Ring.Contest] would make, and nobody would be known
// again by them. The server's must be there; the ledgers', where some are signed; and
// that of each contest in voted, unless it was forgotten.
func CheckUsed(dir string, signed bool, voted []string) error {
	needed := []string{"server"}
	if signed {
		needed = append(needed, "ledger")
	}
	for _, id := range voted {
		needed = append(needed, "contest-"+id)
	}
	var missing []string
	for _, name := range needed {
		path := filepath.Join(dir, "keys", name)
		there, err := exists(path + ".key")
		if !there && err == nil {
			there, err = exists(path + ".forgotten")
		}
		if err != nil {
			return fmt.Errorf("open keys: %w", err)
		}
		if !there {
			missing = append(missing, path+".key")
		}
	}
	err := Check(dir)
	if len(missing) > 0 {
		others := ""
		if n := len(missing) - 1; n > 0 {
			others = fmt.Sprintf(", and %d more", n)
		}
		err = errors.Join(err, fmt.Errorf("%w: %s is missing%s: bring back the keys of this folder from a backup of it", ErrKeyFile, missing[0], others))
	}
	return err
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Derive is a 32-byte key for one purpose, the same on every server of the folder.
func (r *Ring) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, r.server, nil, purpose, keySize)
	if err != nil {
		panic(err) // only for lengths over 8 KiB
	}
	return key
}

// Ledger is the Ed25519 key that signs the ledgers of all contests. It is made at
// the first call, and kept when the folder is: another one could not go on with a
// ledger that this one has signed.
func (r *Ring) Ledger() (ed25519.PrivateKey, error) {
	r.files.Lock()
	defer r.files.Unlock()
	if r.ledger == nil {
		seed, err := r.key("ledger")
		if err != nil {
			return nil, err
		}
		r.ledger = ed25519.NewKeyFromSeed(seed)
	}
	return r.ledger, nil
}

// Contest is the contest's own key. It is made at the first call. It returns
// [ErrForgotten] for a contest that was forgotten.
func (r *Ring) Contest(id string) ([]byte, error) {
	if key, gone := r.known(id); gone {
		return nil, ErrForgotten
	} else if key != nil {
		return key, nil
	}
	r.files.Lock()
	defer r.files.Unlock()
	if key, _ := r.known(id); key != nil {
		return key, nil
	}
	key, err := r.living(id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.contests[id] = key
	r.mu.Unlock()
	return key, nil
}

// Used tells whether the folder has, or had, a key of the contest: whether anybody was
// ever given a pass for it. It makes none.
func (r *Ring) Used(id string) (bool, error) {
	if r.dir == "" {
		return false, nil
	}
	for _, path := range []string{r.keyFile(id), r.forgottenFile(id)} {
		if there, err := exists(path); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// known is what is in memory of a contest.
func (r *Ring) known(id string) (key []byte, forgotten bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.contests[id], r.forgotten[id]
}

// key reads the key file of that name, or makes it. The file appears whole and
// once: it is written aside and linked into place, and who loses the race reads
// the winner's.
func (r *Ring) key(name string) ([]byte, error) {
	fresh := make([]byte, keySize)
	rand.Read(fresh) // never fails: crypto/rand ends the program instead
	if r.dir == "" {
		return fresh, nil
	}
	path := filepath.Join(r.dir, name+".key")
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := r.write(path, fresh); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return readKey(path)
}

func (r *Ring) write(path string, key []byte) error {
	f, err := os.CreateTemp(r.dir, asidePrefix+"*") // 0600 by os.CreateTemp
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return folder.Sync(r.dir)
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s may be read by others (mode %04o, expected 0600)", ErrKeyFile, path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%w: %s: expected %d bytes in base64", ErrKeyFile, path, keySize)
	}
	return key, nil
}

// Seal encrypts plain so that only these servers read it, and only as what it
// was sealed for: purpose is authenticated with it.
func (r *Ring) Seal(plain []byte, purpose string) ([]byte, error) {
	aead, err := r.aead()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, plain, []byte(purpose)), nil
}

// Open is the reverse of [Ring.Seal].
func (r *Ring) Open(sealed []byte, purpose string) ([]byte, error) {
	aead, err := r.aead()
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("sealed text is cut short")
	}
	nonce, body := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, body, []byte(purpose))
	if err != nil {
		return nil, errors.New("sealed with another key, or for another purpose")
	}
	return plain, nil
}

func (r *Ring) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(r.Derive("seal"))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
