package community

import (
	"crypto/sha256"
	"encoding/hex"
)

// Wording is the exact text that somebody agreed to.
type Wording struct {
	Version string // the language, and a hash of language and text
	Text    string
}

// NewWording is the wording of a text in a language. The same text in the same
// language is always the same version: nobody has to number them, and a version
// that was kept proves the text it stands for.
func NewWording(lang, text string) Wording {
	sum := sha256.Sum256([]byte(lang + "\x00" + text))
	return Wording{Version: lang + "-" + hex.EncodeToString(sum[:8]), Text: text}
}
