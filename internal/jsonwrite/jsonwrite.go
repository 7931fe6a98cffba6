// Package jsonwrite writes what is written for every ballot as JSON: byte for byte
// what encoding/json writes, which takes three times as long to find out what there is.
package jsonwrite

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// Name begins a member of the object at the end of b.
func Name(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), '"', ':')
}

// Text writes a string.
func Text[T ~string](b []byte, text T) []byte {
	for i := range len(text) {
		if special[text[i]] {
			quoted, _ := json.Marshal(string(text)) // a string has no error
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// UUID writes an id as a string.
func UUID(b []byte, id [16]byte) []byte {
	b = append(b, '"')
	at := 0
	for i, n := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[at:at+n])
		at += n
	}
	return append(b, '"')
}

// special are the bytes of which encoding/json writes something else, or may.
var special = func() (are [256]bool) {
	for c := range are {
		are[c] = c < ' ' || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
	}
	return are
}()

// GivenText writes a member that is left out where it is empty.
func GivenText[T ~string](b []byte, name string, text T) []byte {
	if text == "" {
		return b
	}
	return Text(Name(b, name), text)
}

// GivenTexts writes a list of strings that is left out where it is empty.
func GivenTexts[T ~string](b []byte, name string, texts []T) []byte {
	if len(texts) == 0 {
		return b
	}
	b = append(Name(b, name), '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = Text(b, text)
	}
	return append(b, ']')
}

// GivenNumber writes a member that is left out where it is nil.
func GivenNumber(b []byte, name string, n *int64) []byte {
	if n == nil {
		return b
	}
	return strconv.AppendInt(Name(b, name), *n, 10)
}

// GivenFlag writes a member that is left out where it is nil.
func GivenFlag(b []byte, name string, flag *bool) []byte {
	if flag == nil {
		return b
	}
	return strconv.AppendBool(Name(b, name), *flag)
}

// Flag writes a member that is left out where it is false.
func Flag(b []byte, name string, flag bool) []byte {
	if !flag {
		return b
	}
	return append(Name(b, name), "true"...)
}
