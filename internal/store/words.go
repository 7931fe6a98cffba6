package store

import (
	"fmt"
	"strconv"
)

// Words are keys or arguments of a script, as they go over the wire. The zero value
// has none.
type Words struct {
	line []byte
	n    int
}

// Reset empties them, and keeps their room.
func (w *Words) Reset() { w.line, w.n = w.line[:0], 0 }

// Text adds one word.
func (w *Words) Text(word string) {
	w.line = appendPart(w.line, word)
	w.n++
}

// Bytes adds one word.
func (w *Words) Bytes(word []byte) {
	w.line = append(append(appendHeader(w.line, '$', len(word)), word...), '\r', '\n')
	w.n++
}

// Int adds a number in decimal digits.
func (w *Words) Int(n int64) {
	var digits [20]byte
	w.Bytes(strconv.AppendInt(digits[:0], n, 10))
}

// add adds a word of a kind that is known at run time only.
func (w *Words) add(word any) error {
	switch word := word.(type) {
	case string:
		w.Text(word)
	case []byte:
		w.Bytes(word)
	case int:
		w.Int(int64(word))
	case int64:
		w.Int(word)
	default:
		return fmt.Errorf("an argument is a %T: it must be a string, bytes or an integer", word)
	}
	return nil
}

// Part is keys and arguments of a call. It must not change once the call is made, and after
// one that failed never: a call that was given up may still be on its way.
type Part struct {
	Keys, Args Words

	// Joined are arguments too, before Args: of calls that go together each is one text, all
	// calls' behind one another. It is for what a script only hands on, as Lua takes its time
	// with every text, and with every byte of it.
	Joined [][]byte
}

// partOf is a part of its own with these keys and arguments.
func partOf(keys []string, args []any) (Part, error) {
	var p Part
	for _, key := range keys {
		p.Keys.Text(key)
	}
	for _, arg := range args {
		if err := p.Args.add(arg); err != nil {
			return Part{}, err
		}
	}
	return p, nil
}
