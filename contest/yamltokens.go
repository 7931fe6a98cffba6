package contest

import "github.com/goccy/go-yaml/token"

const (
	// maxColumn is where the last "-" or name of a block may stand. Nesting by
	// indentation needs columns, so it bounds depth; YAML itself ends a name at 1024.
	maxColumn = 512
	// maxKeys is the most names in one block map, whose parser is quadratic in them. A contest has under 20.
	maxKeys = 256
)

// checkTokens refuses, in one linear pass, what the parser must not see: YAML's
// own machinery, and shapes on which it takes quadratic time or deep recursion.
func checkTokens(tokens token.Tokens) error {
	var c tokenChecker
	for i, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		// No comment can stand between a name and its colon.
		var next *token.Token
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		if err := c.check(t, next); err != nil {
			return err
		}
		c.previous = t
	}
	return nil
}

type tokenChecker struct {
	previous *token.Token
	open     []token.Type // flow brackets not closed yet
	columns  []int        // of the block maps around, outermost first
	keys     []int        // names so far in each
	begun    bool         // something other than "---" was seen
	ended    bool         // "..." was seen
}

func (c *tokenChecker) check(t, next *token.Token) error {
	line, column := t.Position.Line, t.Position.Column
	if t.Type == token.DocumentHeaderType {
		if c.begun {
			return syntax(line, "expected one document, found a second one")
		}
		c.begun = true
		return nil
	}
	if c.ended {
		return syntax(line, "expected nothing after the end of the document")
	}
	c.begun = true
	switch t.Type {
	case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
		return syntax(line, "expected plain YAML: anchors, aliases, merge keys, tags, directives and complex keys are not read, found %s", shorten(t.Value))
	case token.InvalidType:
		return syntax(line, "not YAML: %s", firstLine(t.Error))
	case token.DocumentEndType:
		c.ended = true
	case token.SequenceStartType, token.MappingStartType:
		if c.open = append(c.open, t.Type); len(c.open) > maxDepth {
			return syntax(line, "expected values nested at most %d deep", maxDepth)
		}
	case token.SequenceEndType, token.MappingEndType:
		opener := token.SequenceStartType
		if t.Type == token.MappingEndType {
			opener = token.MappingStartType
		}
		if len(c.open) == 0 || c.open[len(c.open)-1] != opener {
			return syntax(line, "not YAML: %s closes nothing", t.Value)
		}
		c.open = c.open[:len(c.open)-1]
	case token.CollectEntryType:
		if len(c.open) == 0 {
			return syntax(line, "not YAML: a comma outside a list")
		}
	case token.SequenceEntryType:
		if len(c.open) == 0 {
			c.leave(column)
			return checkColumn(t)
		}
	case token.MappingValueType:
		if c.previous == nil || !scalar(c.previous) {
			return syntax(line, "expected a name before the colon")
		}
		if len(c.open) == 0 {
			return c.key(c.previous)
		}
	default:
		// In a block every scalar is a value or a name: after one that is neither followed by ":" nor
		// preceded by a mark, the parser would look back again and again.
		if scalar(t) && c.previous != nil && scalar(c.previous) && (next == nil || next.Type != token.MappingValueType) {
			return syntax(line, "expected a mark between two values, found %s", shorten(t.Value))
		}
	}
	return nil
}

// key counts a name of a block map, and forgets the maps further in.
func (c *tokenChecker) key(name *token.Token) error {
	if err := checkColumn(name); err != nil {
		return err
	}
	column := name.Position.Column
	c.leave(column)
	if n := len(c.columns); n == 0 || c.columns[n-1] < column {
		c.columns, c.keys = append(c.columns, column), append(c.keys, 0)
	}
	last := len(c.keys) - 1
	if c.keys[last]++; c.keys[last] > maxKeys {
		return syntax(name.Position.Line, "expected at most %d names in one object", maxKeys)
	}
	return nil
}

// leave forgets the block maps that stand further right than column.
func (c *tokenChecker) leave(column int) {
	for n := len(c.columns); n > 0 && c.columns[n-1] > column; n-- {
		c.columns, c.keys = c.columns[:n-1], c.keys[:n-1]
	}
}

func checkColumn(t *token.Token) error {
	if t.Position.Column > maxColumn {
		return syntax(t.Position.Line, "expected at most %d columns before a value", maxColumn)
	}
	return nil
}

func scalar(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.BoolType, token.NullType,
		token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType,
		token.FloatType, token.InfinityType, token.NanType:
		return true
	}
	return false
}
