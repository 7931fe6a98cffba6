package voting

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/keyed"
)

// Keys are the secrets passes stand on.
type Keys interface {
	// Derive is a 32-byte key of the server for one purpose.
	Derive(purpose string) []byte
	// Contest is the contest's own key: with it die its pseudonyms.
	Contest(id string) ([]byte, error)
}

// derive makes a key for one purpose from another key.
func derive(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// derived are the keys that come of a contest's own.
type derived struct {
	from     []byte
	voter    *keyed.Hash
	share    *keyed.Hash
	evidence antifraud.EvidenceKey
}

// contest is what is derived of a contest's key. The key itself is asked for every
// time, as it may be forgotten; what is derived of it is kept.
func (p *Passes) contest(id string) (*derived, error) {
	key, err := p.keys.Contest(id)
	if err != nil {
		p.derived.Delete(id)
		return nil, fmt.Errorf("contest's key: %w", err)
	}
	if kept, ok := p.derived.Load(id); ok && bytes.Equal(kept.(*derived).from, key) {
		return kept.(*derived), nil
	}
	d := &derived{from: key, voter: keyed.New(derive(key, "voter")), share: keyed.New(derive(key, "share")), evidence: antifraud.NewEvidenceKey(derive(key, "evidence"))}
	p.derived.Store(id, d)
	return d, nil
}

// ShareKey is the key that voters' share codes are hashed with.
func (p *Passes) ShareKey(contestID string) (*keyed.Hash, error) {
	d, err := p.contest(contestID)
	if err != nil {
		return nil, err
	}
	return d.share, nil
}

// EvidenceKey is the key that hashes what attempts on the contest show.
func (p *Passes) EvidenceKey(contestID string) (antifraud.EvidenceKey, error) {
	d, err := p.contest(contestID)
	if err != nil {
		return antifraud.EvidenceKey{}, err
	}
	return d.evidence, nil
}

// partner is what a contest's partner signs with.
type partner struct {
	secret string
	sign   *keyed.Hash
}

// partner checks with the secret that the contest has now.
func (p *Passes) partner(c *contest.Contest) *keyed.Hash {
	if kept, ok := p.partners.Load(c.ID); ok && kept.(*partner).secret == string(c.Partner.Secret) {
		return kept.(*partner).sign
	}
	fresh := &partner{string(c.Partner.Secret), keyed.New([]byte(c.Partner.Secret))}
	p.partners.Store(c.ID, fresh)
	return fresh.sign
}
