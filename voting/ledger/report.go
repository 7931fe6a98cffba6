package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Options is what a verifier knows from elsewhere than the folder.
type Options struct {
	PublicKey   string // the key that must have signed; empty: the one found beside the ledger
	Checkpoints []Seen
}

// Seen is a checkpoint that somebody kept: a contest's or a box's.
type Seen struct {
	Name string // of the file, for faults
	Note []byte
}

// Report is what [Verify] found of each contest.
type Report struct {
	Contests []Proof `json:"contests"`
}

// Proof is of one contest. Where it has faults, it proves nothing.
type Proof struct {
	Contest string     `json:"contest"`
	Folder  string     `json:"folder"`
	Key     string     `json:"key"` // that has signed
	Boxes   []BoxProof `json:"boxes"`
	Seen    []string   `json:"contains,omitempty"` // checkpoints of Options that it goes on from
	Tally   Count      `json:"tally"`
	Faults  []Fault    `json:"faults,omitempty"`
}

// BoxProof is the part of a box that the newest checkpoint covers.
type BoxProof struct {
	Box    int    `json:"box"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Behind int64  `json:"behind"` // records behind the checkpoint: whole, and not proved
	Torn   bool   `json:"torn"`   // behind those is more, that is no record: a crash leaves it, and the next start cuts it
}

// Count is the tally of the records that are proved.
type Count struct {
	Counted   int64            `json:"counted"`
	Held      int64            `json:"held"`
	Void      int64            `json:"void"`
	Withdrawn int64            `json:"withdrawn"`
	Entries   map[string]int64 `json:"entries"` // counted, by entry
}

// Fault is one thing that is not as it was signed, and where.
type Fault struct {
	File   string `json:"file"`
	Line   int64  `json:"line,omitempty"`
	Record int64  `json:"record,omitempty"` // offset of the record that is, or should be, there
	What   string `json:"what"`
}

func (f Fault) Error() string {
	file, what := Printable(f.File), Printable(f.What)
	switch {
	case f.Line > 0:
		return fmt.Sprintf("%s:%d: record %d: %s", file, f.Line, f.Record, what)
	case f.Record > 0:
		return fmt.Sprintf("%s: record %d: %s", file, f.Record, what)
	default:
		return fmt.Sprintf("%s: %s", file, what)
	}
}

// Printable is a text of somebody else's as it may be shown: one that would end its line, or
// tell a terminal something, is quoted. A ledger's names are made by who is to be verified.
func Printable(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool { return c == unicode.ReplacementChar || !unicode.IsPrint(c) }) {
		return strconv.QuoteToGraphic(text)
	}
	return text
}
