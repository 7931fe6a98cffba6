package community

import (
	"errors"

	"github.com/joute/joute/voting"
)

// Purpose is what a token of a mail may be used for.
type Purpose byte

// The purposes. They are part of the token: its first byte, sealed.
const (
	ToConfirm Purpose = 1
	ToLeave   Purpose = 2
)

// Token is what a link in a mail says to the servers that made it.
type Token struct {
	Purpose Purpose
	Contest string
	Fan     Fan
	Ask     AskID // of ToConfirm; else zero
}

// ErrToken is returned for text that is no token of these servers, or one for
// another purpose.
var ErrToken = errors.New("not a token of a community's mail")

// maxToken bounds what is looked at. A contest's id has at most 64 characters.
const maxToken = 256

// Tokens seals and opens tokens. Whoever holds one can do what it is for and
// nothing else; it has no end of its own, so that an old mail still leads out.
type Tokens struct{ sealer *voting.Sealer }

// NewTokens takes a 32-byte key.
func NewTokens(key []byte) (*Tokens, error) {
	sealer, err := voting.NewSealer(key, "community")
	return &Tokens{sealer}, err
}

// Seal writes t as an opaque URL-safe string of at most 175 characters.
func (t *Tokens) Seal(token Token) string {
	plain := make([]byte, 0, 33+len(token.Contest))
	plain = append(plain, byte(token.Purpose))
	plain = append(plain, token.Fan[:]...)
	plain = append(plain, token.Ask[:]...)
	plain = append(plain, token.Contest...)
	return t.sealer.Seal(plain)
}

// Open reads back a token that was sealed for purpose, or returns [ErrToken].
func (t *Tokens) Open(text string, purpose Purpose) (Token, error) {
	plain, ok := t.sealer.Open(text, maxToken)
	if !ok || len(plain) < 33 || plain[0] != byte(purpose) {
		return Token{}, ErrToken
	}
	return Token{Purpose: purpose, Fan: Fan(plain[1:17]), Ask: AskID(plain[17:33]), Contest: string(plain[33:])}, nil
}
