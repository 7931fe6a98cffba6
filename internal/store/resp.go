package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// The wire format of Redis (RESP 2), as far as scripts need it. Commands are
// written by whoever makes the call and replies read by whoever waits for it: in
// between, a batcher moves bytes and finds where a reply ends.

const (
	maxReply = 64 << 20 // longer than any script of ours answers: a connection out of step
	maxDepth = 8        // of arrays in arrays
)

// errProtocol is an answer that is no reply of Redis: its connection is of no
// more use.
var errProtocol = fmt.Errorf("%w: its answer is not one of Redis", ErrUnavailable)

// replyError is an error reply: the server's or a script's own word.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError makes it a redis.Error.
func (replyError) RedisError() {}

// appendCommand writes a command of so many parts behind buf; its parts follow.
func appendCommand(buf []byte, parts int) []byte {
	return appendHeader(buf, '*', parts)
}

func appendHeader(buf []byte, kind byte, n int) []byte {
	buf = append(buf, kind)
	buf = strconv.AppendInt(buf, int64(n), 10)
	return append(buf, '\r', '\n')
}

func appendPart(buf []byte, part string) []byte {
	buf = appendHeader(buf, '$', len(part))
	return append(append(buf, part...), '\r', '\n')
}

func appendInteger(buf []byte, n int64) []byte {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], n, 10)
	buf = appendHeader(buf, '$', len(text))
	return append(append(buf, text...), '\r', '\n')
}

// appendReply reads one whole reply, arrays with all they hold, and writes it
// behind buf as it came.
func appendReply(buf []byte, r *bufio.Reader) ([]byte, error) {
	start := len(buf)
	for missing := 1; missing > 0; missing-- {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errProtocol
			}
			return buf, err
		}
		buf = append(buf, line...)
		kind, n, ok := header(line)
		switch {
		case !ok || n > maxReply || len(buf)-start > maxReply:
			return buf, errProtocol
		case kind == '$' && n >= 0:
			from := len(buf)
			buf = append(buf, make([]byte, n+2)...)
			if _, err := io.ReadFull(r, buf[from:]); err != nil {
				return buf, err
			}
			if !bytes.HasSuffix(buf, []byte("\r\n")) {
				return buf, errProtocol
			}
		case kind == '*' && n > 0:
			missing += n
		}
	}
	return buf, nil
}

// header reads the first line of a reply, with its end: its kind, and the length
// of what has one. -1 is the length of nil.
func header(line []byte) (kind byte, n int, ok bool) {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return 0, 0, false
	}
	kind = line[0]
	switch kind {
	case '+', '-', ':':
		return kind, 0, true
	case '$', '*':
		n, err := strconv.Atoi(string(line[1 : len(line)-2]))
		return kind, n, err == nil && n >= -1
	default:
		return 0, 0, false
	}
}

// parseReply reads a reply that appendReply has found whole: a string, an int64, nil,
// or a []any of these, where an error reply inside an array is a value. An error
// reply itself is the error.
func parseReply(raw []byte) (any, error) {
	value, rest, err := parseValue(raw, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, errProtocol
	}
	if failed, ok := value.(replyError); ok {
		return nil, failed
	}
	return value, nil
}

func parseValue(raw []byte, depth int) (value any, rest []byte, err error) {
	end := bytes.IndexByte(raw, '\n') + 1
	kind, n, ok := header(raw[:end])
	if !ok || depth > maxDepth {
		return nil, nil, errProtocol
	}
	text, rest := raw[1:end-2], raw[end:]
	switch {
	case kind == '+':
		return string(text), rest, nil
	case kind == '-':
		return replyError(text), rest, nil
	case kind == ':':
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return nil, nil, errProtocol
		}
		return n, rest, nil
	case n < 0:
		return nil, rest, nil
	case kind == '$':
		if len(rest) < n+2 {
			return nil, nil, errProtocol
		}
		return string(rest[:n]), rest[n+2:], nil
	}
	if len(rest) < n { // each takes more than a byte
		return nil, nil, errProtocol
	}
	values := make([]any, n)
	for i := range values {
		if values[i], rest, err = parseValue(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return values, rest, nil
}

// Reply is what a script answered.
type Reply struct {
	raw []byte // as it came
	err error
}

// replyOf is a reply for the one who waits for it; raw stays the caller's.
func replyOf(raw []byte) Reply {
	switch kind, n, ok := header(raw[:bytes.IndexByte(raw, '\n')+1]); {
	case !ok:
		return Reply{err: errProtocol}
	case kind == '-':
		return Reply{err: replyError(raw[1 : len(raw)-2])}
	case n < 0:
		return Reply{err: redis.Nil}
	}
	return Reply{raw: bytes.Clone(raw)}
}

// Err is why there is no reply, or none to rely on; redis.Nil where the script
// returned nil.
func (r Reply) Err() error { return r.err }

// missing is why there are no values to read: with [ErrUnconfirmed] there are.
func (r Reply) missing() error {
	if errors.Is(r.err, ErrUnconfirmed) {
		return nil
	}
	return r.err
}

// Slice is the values of a reply that has several: strings, int64s, nils, slices
// of these. With [ErrUnconfirmed] come the values that are not confirmed.
func (r Reply) Slice() ([]any, error) { return sliceOf(r, func(v any) (any, bool) { return v, true }) }

// StringSlice is the values of a reply that are all strings.
func (r Reply) StringSlice() ([]string, error) {
	return sliceOf(r, func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case int64:
			return strconv.FormatInt(v, 10), true
		default:
			return "", v == nil
		}
	})
}

// Int64Slice is the values of a reply that are all integers.
func (r Reply) Int64Slice() ([]int64, error) {
	return sliceOf(r, func(v any) (int64, bool) { n, ok := v.(int64); return n, ok })
}

func sliceOf[T any](r Reply, as func(any) (T, bool)) ([]T, error) {
	if err := r.missing(); err != nil {
		return nil, err
	}
	value, err := parseReply(r.raw)
	if err != nil {
		return nil, err
	}
	values, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("the script answered a %T, not several values", value)
	}
	all := make([]T, len(values))
	for i, v := range values {
		if all[i], ok = as(v); !ok {
			return nil, fmt.Errorf("value %d of the script's answer is a %T", i, v)
		}
	}
	return all, r.err
}

// Values reads a reply value by value, where taking it apart by Slice would cost too
// much. The first value that is not of the kind that is asked for ends it: all after it
// are zero, and Err says so. With [ErrUnconfirmed] come the values that are not confirmed.
type Values struct {
	rest []byte
	err  error
}

// Values begins to read.
func (r Reply) Values() Values { return Values{rest: r.raw, err: r.missing()} }

// Err is why not all could be read.
func (v *Values) Err() error { return v.err }

// next is the value's length or what its line has, by kind.
func (v *Values) next(kind byte) (text []byte, n int) {
	if v.err != nil {
		return nil, 0
	}
	end := bytes.IndexByte(v.rest, '\n') + 1
	got, n, ok := header(v.rest[:end])
	if !ok || got != kind || n < 0 {
		v.err = fmt.Errorf("the script's answer has %.20q where a value of kind %q was expected", v.rest, kind)
		return nil, 0
	}
	text, v.rest = v.rest[1:end-2], v.rest[end:]
	return text, n
}

// List begins a value that has several, and tells how many come.
func (v *Values) List() int {
	_, n := v.next('*')
	return n
}

// Int is the next value, an integer.
func (v *Values) Int() int64 {
	text, _ := v.next(':')
	if v.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		v.err = errProtocol
	}
	return n
}

// Number is the next value where it is an integer; where it is not, it is still the next one.
func (v *Values) Number() (n int64, ok bool) {
	if v.err != nil || len(v.rest) == 0 || v.rest[0] != ':' {
		return 0, false
	}
	n = v.Int()
	return n, v.err == nil
}

// Bytes is the next value, a text: a view that is good as long as the reply.
func (v *Values) Bytes() []byte {
	_, n := v.next('$')
	if v.err == nil && len(v.rest) < n+2 {
		v.err = errProtocol
	}
	if v.err != nil {
		return nil
	}
	text := v.rest[:n]
	v.rest = v.rest[n+2:]
	return text
}

// Text is the next value, a text.
func (v *Values) Text() string { return string(v.Bytes()) }
