package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// keyName is the name in every signature. Keys of different installations differ
// by the hash that goes with it.
const keyName = "joute-ledger"

// algorithmEd25519 begins a key of package note.
const algorithmEd25519 = 1

// Signer signs checkpoints, with one key for all contests of an installation.
type Signer struct {
	note.Signer
	public   string
	verifier note.Verifier
}

// NewSigner takes the installation's key (keyring keeps it).
func NewSigner(key ed25519.PrivateKey) (*Signer, error) {
	public, err := note.NewEd25519VerifierKey(keyName, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w", err)
	}
	// name+hash+key, as package note writes keys; both halves have the same hash.
	hash := strings.Split(public, "+")[1]
	secret := append([]byte{algorithmEd25519}, key.Seed()...)
	signer, err := note.NewSigner("PRIVATE+KEY+" + keyName + "+" + hash + "+" + base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w", err)
	}
	return &Signer{Signer: signer, public: public, verifier: verifier}, nil
}

// Public is the key that verifies, as text: name+hash+key.
func (s *Signer) Public() string { return s.public }
