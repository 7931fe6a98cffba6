package contest

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON builds the tree from tokens: escapes and surrogates are the
// library's, lines are counted between one token's end and the next.
func parseJSON(data []byte) (*node, error) {
	p := &jsonParser{data: data, line: 1}
	// Two members of one name are a fault among others, so the tree keeps both.
	p.decoder = jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	root, err := p.value()
	if err != nil {
		return nil, err
	}
	rest := bytes.TrimLeft(data[p.offset:], " \t\r\n")
	if len(rest) > 0 {
		p.advance(int64(len(data) - len(rest)))
		return nil, syntax(p.line, "expected the end of the document after its last }")
	}
	return root, nil
}

type jsonParser struct {
	data    []byte
	decoder *jsontext.Decoder
	offset  int64
	line    int // of offset
	nodes   int
}

// advance moves to a later offset and counts the lines in between.
func (p *jsonParser) advance(to int64) {
	to = min(to, int64(len(p.data)))
	if to > p.offset {
		p.line += bytes.Count(p.data[p.offset:to], []byte("\n"))
		p.offset = to
	}
}

func (p *jsonParser) next() (jsontext.Token, error) {
	token, err := p.decoder.ReadToken()
	if err != nil {
		at := p.decoder.InputOffset()
		message := err.Error()
		if bad := (*jsontext.SyntacticError)(nil); errors.As(err, &bad) {
			at = bad.ByteOffset
			message = bad.Err.Error()
		}
		p.advance(at)
		return token, syntax(p.line, "not JSON, as which a document that begins with {\" is read: %s", firstLine(strings.TrimPrefix(message, "jsontext: ")))
	}
	// A token holds no line end, so its last byte is on the line of its first.
	p.advance(p.decoder.InputOffset())
	return token, nil
}

func (p *jsonParser) value() (*node, error) {
	token, err := p.next()
	if err != nil {
		return nil, err
	}
	return p.from(token)
}

func (p *jsonParser) from(token jsontext.Token) (*node, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, syntax(p.line, "expected at most %d values", maxNodes)
	}
	if p.decoder.StackDepth() > maxDepth {
		return nil, syntax(p.line, "expected values nested at most %d deep", maxDepth)
	}
	n := &node{line: p.line}
	switch token.Kind() {
	case '"':
		n.kind, n.text = kindString, token.String()
	case '0':
		n.kind, n.text = kindNumber, token.String()
	case 't', 'f':
		n.kind, n.text = kindBool, token.String()
	case '[':
		n.kind = kindList
		return n, p.items(n)
	case '{':
		n.kind = kindObject
		return n, p.members(n)
	}
	return n, nil
}

func (p *jsonParser) items(list *node) error {
	for {
		token, err := p.next()
		if err != nil {
			return err
		}
		if token.Kind() == ']' {
			return nil
		}
		item, err := p.from(token)
		if err != nil {
			return err
		}
		list.items = append(list.items, item)
	}
}

func (p *jsonParser) members(object *node) error {
	for {
		token, err := p.next()
		if err != nil {
			return err
		}
		if token.Kind() == '}' {
			return nil
		}
		name, line := token.String(), p.line
		value, err := p.value()
		if err != nil {
			return err
		}
		object.members = append(object.members, member{name, line, value})
	}
}
