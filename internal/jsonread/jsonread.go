// Package jsonread reads the JSON that nearly everybody sends, without reflection, which
// takes three times as long to find out where things go.
//
// It is never the only reader. What is rare it does not read, and says so: escapes, null,
// exponents, more than maxNames members. A general parser reads that then, and what is
// no JSON at all, and finds the words for what is wrong. So the rule for who uses it: what
// is read here is what the general parser would have read, or it is not read. A fuzz
// test of each use holds it to that.
package jsonread

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

const (
	maxNames = 24 // of members, in all objects that are open
	maxDepth = 4
)

// Reader reads one value and what is in it, from its beginning to its end. Once something
// is not as expected it gives zero values, and [Reader.End] says so.
type Reader struct {
	text   []byte
	copied string // text, once a string of it was asked for: all are parts of one
	at     int
	skims  bool
	failed bool
	fresh  bool // nothing of the innermost object was read

	// The names of open objects, as no name may be there twice; where each one's begin.
	names [maxNames]span
	known int
	open  [maxDepth]int
	depth int
}

// span is a part of the text.
type span struct{ from, to int }

// New reads from text, which it does not change.
func New(text []byte) *Reader { return &Reader{text: text} }

// Skim is New for who only asks whether text is read: all strings come out empty, and cost
// nothing.
func Skim(text []byte) *Reader { return &Reader{text: text, skims: true} }

// Fail says that something is there that the caller does not read.
func (r *Reader) Fail() { r.failed = true }

// End is whether everything was read, and as it was asked for.
func (r *Reader) End() bool {
	r.skip()
	return !r.failed && r.at == len(r.text)
}

// Object begins an object: its members follow.
func (r *Reader) Object() {
	if r.depth == maxDepth || !r.take('{') {
		r.failed = true
		return
	}
	r.open[r.depth] = r.known
	r.depth++
	r.fresh = true
}

// Member is the name of the next member, whose value is to be read next; not ok: the
// object has ended.
func (r *Reader) Member() (name []byte, ok bool) {
	switch first := r.fresh; {
	case first && r.Peek() != '}':
	case first || !r.take(','):
		r.close()
		return nil, false
	}
	r.fresh = false
	at := r.quoted()
	name = r.text[at.from:at.to]
	if r.failed || !r.take(':') || r.known == maxNames {
		r.failed = true
		return nil, false
	}
	for _, before := range r.names[r.open[r.depth-1]:r.known] {
		if bytes.Equal(r.text[before.from:before.to], name) {
			r.failed = true
			return nil, false
		}
	}
	r.names[r.known] = at
	r.known++
	return name, true
}

func (r *Reader) close() {
	if r.failed || r.depth == 0 || !r.take('}') {
		r.failed = true
		return
	}
	r.depth--
	r.known, r.fresh = r.open[r.depth], false
}

// Text is a string. It is part of a copy of the whole text: who keeps one of a long text for
// long clones it.
func (r *Reader) Text() string {
	at := r.quoted()
	if r.skims || at.from == at.to {
		return ""
	}
	if r.copied == "" {
		r.copied = string(r.text)
	}
	return r.copied[at.from:at.to]
}

// Bytes is a string as part of the text that is read: it must not be kept.
func (r *Reader) Bytes() []byte {
	at := r.quoted()
	return r.text[at.from:at.to:at.to]
}

// quoted is where the next string is, between its quotes; after a failure an empty place.
func (r *Reader) quoted() span {
	if !r.take('"') {
		r.failed = true
		return span{}
	}
	end := bytes.IndexByte(r.text[r.at:], '"')
	if end < 0 {
		r.failed = true
		return span{}
	}
	found := span{r.at, r.at + end}
	text, has := r.text[found.from:found.to], byte(0)
	for _, c := range text {
		has |= bytesAre[c]
	}
	if has&odd != 0 || has&high != 0 && !utf8.Valid(text) {
		r.failed = true
		return span{}
	}
	r.at = found.to + 1
	return found
}

// What a byte within a string is, apart from plain.
const (
	high = 1 << iota // of a character that is not ASCII
	odd              // begins an escape, or must not be there
)

var bytesAre = func() (are [256]byte) {
	for c := range are {
		switch {
		case c == '\\' || c < ' ':
			are[c] = odd
		case c >= utf8.RuneSelf:
			are[c] = high
		}
	}
	return are
}()

// Texts is a list of strings; an empty one is not nil.
func (r *Reader) Texts() []string {
	if !r.take('[') {
		r.failed = true
		return nil
	}
	texts := []string{}
	if r.take(']') {
		return texts
	}
	for !r.failed {
		if text := r.Text(); !r.skims {
			texts = append(texts, text)
		}
		if r.take(']') {
			return texts
		}
		r.failed = r.failed || !r.take(',')
	}
	return nil
}

// Int is a whole number of at most 18 digits.
func (r *Reader) Int() int64 {
	negative := r.take('-')
	n, digits := r.digits(18)
	if digits == 0 || digits > 1 && r.text[r.at-digits] == '0' {
		r.failed = true
		return 0
	}
	if negative {
		return -n
	}
	return n
}

// Float is a number without an exponent.
func (r *Reader) Float() float64 {
	r.skip()
	begin := r.at
	whole := r.Int()
	if r.at == len(r.text) || r.text[r.at] != '.' {
		if whole == 0 || whole >= 1<<53 || whole <= -1<<53 { // -0 is one, too
			return r.parseFloat(begin)
		}
		return float64(whole)
	}
	r.at++
	if _, digits := r.digits(18); digits == 0 {
		r.failed = true
	}
	return r.parseFloat(begin)
}

func (r *Reader) parseFloat(begin int) float64 {
	f, err := strconv.ParseFloat(string(r.text[begin:r.at]), 64)
	if r.failed = r.failed || err != nil || math.IsInf(f, 0); r.failed {
		return 0
	}
	return f
}

// digits are read up to the first byte that is none; more than most of them are not read.
func (r *Reader) digits(most int) (n int64, digits int) {
	for ; r.at < len(r.text) && r.text[r.at]-'0' <= 9; r.at++ {
		if digits++; digits > most {
			r.failed = true
			return 0, 0
		}
		n = 10*n + int64(r.text[r.at]-'0')
	}
	return n, digits
}

// Bool is true or false.
func (r *Reader) Bool() bool {
	r.skip()
	switch rest := r.text[r.at:]; {
	case bytes.HasPrefix(rest, []byte("true")):
		r.at += 4
		return true
	case bytes.HasPrefix(rest, []byte("false")):
		r.at += 5
	default:
		r.failed = true
	}
	return false
}

// Peek is the next byte that is no space: of a value, its first; 0 at the end.
func (r *Reader) Peek() byte {
	r.skip()
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *Reader) take(c byte) bool {
	if r.failed || r.Peek() != c {
		return false
	}
	r.at++
	return true
}

func (r *Reader) skip() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\t' || r.text[r.at] == '\r') {
		r.at++
	}
}
