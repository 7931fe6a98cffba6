// Package community says what a fan is: somebody who asked, apart from the vote
// and never as a condition of it, to hear from a contest's community, and who
// confirmed it by a mail. It is pure: no store, no network, no clock of its own.
//
// Who joins and who leaves is kept as records that name nobody: a fan is the
// keyed hash of an address, under another purpose than voters are, so that not
// even the contest's key ties a fan to a ballot.
package community

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"time"
)

// Fan is the pseudonym of one address in one contest's community: 128 bits of a
// keyed hash. It is in the fan ledger; address and key are not.
type Fan [16]byte

// NewFan is the fan of an address in its canonical form, by the contest's key.
// Deleting the key makes all of the contest's fans nobody.
func NewFan(contestKey []byte, canonical string) (Fan, error) {
	key, err := hkdf.Key(sha256.New, contestKey, nil, "fan", sha256.Size)
	if err != nil {
		return Fan{}, fmt.Errorf("fan key: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(canonical))
	return Fan(mac.Sum(nil)[:16]), nil
}

// idText is lower-case base32 without padding, as voters are written.
var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// String is the fan as written in the ledger: 26 characters.
func (f Fan) String() string { return idText.EncodeToString(f[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (f Fan) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *Fan) UnmarshalText(text []byte) error { return parseID(f[:], text) }

// AskID names one request to join. It is made with the form: a form that is
// sent twice asks once.
type AskID [16]byte

// String is the id in 26 characters.
func (a AskID) String() string { return idText.EncodeToString(a[:]) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *AskID) UnmarshalText(text []byte) error { return parseID(a[:], text) }

func parseID(id, text []byte) error {
	raw, err := idText.DecodeString(string(text))
	if err != nil || len(raw) != len(id) || idText.EncodeToString(raw) != string(text) {
		return fmt.Errorf("expected 26 characters of 0-9 a-v, found %d bytes", len(text))
	}
	copy(id, raw)
	return nil
}

// Kind is what a record of the fan ledger says happened.
type Kind string

// The kinds of records.
const (
	Join  Kind = "join"
	Leave Kind = "leave"
)

// Channel is where the offer stood that a fan took.
type Channel string

// The channels.
const (
	ChannelSite  Channel = "site"  // a page of the contest
	ChannelEmbed Channel = "embed" // the window of a frame on another site's page
)

// ParseChannel refuses what it does not know.
func ParseChannel(text string) (Channel, error) {
	switch c := Channel(text); c {
	case ChannelSite, ChannelEmbed:
		return c, nil
	}
	return "", fmt.Errorf("unknown channel %q", text)
}

// Record is one line of the fan ledger.
type Record struct {
	Position string // where in the ledger: millisecond-sequence, growing
	At       time.Time
	Kind     Kind
	Fan      Fan
	School   string  // of the entry voted for before joining; stays with the fan
	Wording  string  // version of the text agreed to
	Page     string  // the page with the offer; the entry of an entry's page is left out
	Channel  Channel // of the join
}

// MarshalJSON writes the record as one ledger line, without the newline.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Position string  `json:"position"`
		Kind     Kind    `json:"kind"`
		At       string  `json:"at"`
		Fan      Fan     `json:"fan"`
		School   string  `json:"school"`
		Wording  string  `json:"wording"`
		Page     string  `json:"page"`
		Channel  Channel `json:"channel"`
	}{r.Position, r.Kind, r.At.UTC().Format("2006-01-02T15:04:05.000Z07:00"), r.Fan, r.School, r.Wording, r.Page, r.Channel})
}
