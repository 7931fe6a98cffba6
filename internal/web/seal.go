package web

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxSealed bounds what is looked at: an address of 254 bytes, or the facts of a form.
const maxSealed = 2048

// seal makes a text of v that only these servers read, as what purpose says: what
// a browser carries for us from one page to the next.
func (s *Server) seal(purpose string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	sealed, err := s.cfg.Keys.Seal(plain, purpose)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	return tokenText.EncodeToString(sealed), nil
}

// unseal reads back what was sealed for purpose, or returns [errFormForged].
func (s *Server) unseal(purpose, text string, into any) error {
	if len(text) > maxSealed {
		return errFormForged
	}
	sealed, err := decodeToken(text)
	if err != nil {
		return errFormForged
	}
	plain, err := s.cfg.Keys.Open(sealed, purpose)
	if err != nil || json.Unmarshal(plain, into) != nil {
		return errFormForged
	}
	return nil
}

// checkAge holds what was sealed at an instant to its life. [errFormExpired] is for
// what is too old, and for what is of later than now: it is ours, so the clock was
// set back.
func checkAge(made, now time.Time, life time.Duration) error {
	if age := now.Sub(made); age < -formSkew || age > life {
		return errFormExpired
	}
	return nil
}
