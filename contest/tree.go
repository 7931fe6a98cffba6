package contest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// node is one value of a document, the same whether it was written in YAML or
// in JSON, so that one set of rules reads both and can name the line of a fault.
type node struct {
	kind    kind
	line    int
	text    string   // of a string: its value; of a number or boolean: as written
	members []member // of an object, in the order written
	items   []*node  // of a list
}

type member struct {
	name string
	line int
	node *node
}

type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

const (
	// maxDepth bounds nesting: an honest document is seven deep.
	maxDepth = 32
	// maxNodes bounds memory: 10,000 entries with every member and 20 authors each stay under it.
	maxNodes = 600_000
)

// found says what a fault found, short enough for one line.
func (n *node) found() string {
	switch n.kind {
	case kindNull:
		return "nothing"
	case kindBool:
		return n.text
	case kindNumber:
		return "the number " + shorten(n.text)
	case kindString:
		return strconv.Quote(shorten(n.text))
	case kindList:
		return "a list"
	default:
		return "an object"
	}
}

func shorten(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// syntaxError stops the reading of a document: what follows it has no certain meaning.
type syntaxError struct {
	line    int
	message string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

func syntax(line int, format string, args ...any) error {
	return &syntaxError{line, fmt.Sprintf(format, args...)}
}

// parseTree reads JSON or YAML: see beginsAsJSON.
func parseTree(data []byte) (root *node, fault *Fault) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	// Lines of a foreign parser's tokens are only as good as the line ends it knows.
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	var err error
	switch body := bytes.TrimLeft(data, " \t\r\n"); {
	case len(body) == 0:
		err = syntax(1, "expected a document, found nothing")
	case !utf8.Valid(data):
		err = syntax(1+bytes.Count(data[:firstInvalid(data)], []byte("\n")), "expected UTF-8 text, found other bytes")
	case beginsAsJSON(body):
		root, err = parseJSON(data)
	default:
		root, err = parseYAML(data)
	}
	if at := (*syntaxError)(nil); errors.As(err, &at) {
		return nil, &Fault{Line: at.line, Message: at.message}
	}
	return root, nil
}

// beginsAsJSON tells JSON by its first two marks: `{` and a name in double quotes, or nothing more. Any
// other `{` opens a map of YAML's. Read as one language from there on, a document has the faults of one.
func beginsAsJSON(body []byte) bool {
	inside, object := bytes.CutPrefix(body, []byte("{"))
	inside = bytes.TrimLeft(inside, " \t\r\n")
	return object && (len(inside) == 0 || inside[0] == '"' || inside[0] == '}')
}

func firstInvalid(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// firstLine keeps the first line of another library's message, without the excerpt below it.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}
