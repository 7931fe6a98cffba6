package contest

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML builds the tree from plain YAML: maps, lists and scalars. What makes
// YAML a language of its own (anchors, tags, several documents) is refused.
func parseYAML(data []byte) (root *node, err error) {
	// The library is fed what strangers send; a panic of its is their syntax error.
	defer func() {
		if recover() != nil {
			root, err = nil, syntax(1, "not YAML that can be read")
		}
	}()
	// Every token begins at one of these bytes or after one: bounds memory before a token is made.
	if marks := countMarks(data); marks > 2*maxNodes {
		return nil, syntax(1, "expected at most %d values", maxNodes)
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlSyntax(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, syntax(1, "expected one document")
	}
	return fromAST(file.Docs[0].Body)
}

func countMarks(data []byte) int {
	marks := 0
	for _, b := range data {
		if bytes.IndexByte([]byte("\n,:-[]{}\"'&*!?|>%#"), b) >= 0 {
			marks++
		}
	}
	return marks
}

func yamlSyntax(err error) error {
	line, message := 1, err.Error()
	if at := yaml.Error(nil); errors.As(err, &at) {
		message = at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return syntax(line, "not YAML: %s", firstLine(message))
}

func fromAST(n ast.Node) (*node, error) {
	out := &node{line: lineOf(n)}
	switch n := n.(type) {
	case *ast.StringNode:
		out.kind, out.text = kindString, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = kindString, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = kindNumber, strings.TrimSpace(n.GetToken().Value)
	case *ast.BoolNode:
		out.kind, out.text = kindBool, strings.TrimSpace(n.Token.Value)
	case *ast.NullNode, nil:
	case *ast.SequenceNode:
		out.kind = kindList
		for _, v := range n.Values {
			item, err := fromAST(v)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
	case *ast.MappingNode:
		out.kind = kindObject
		return out, addMembers(out, n.Values)
	case *ast.MappingValueNode:
		out.kind = kindObject
		return out, addMembers(out, []*ast.MappingValueNode{n})
	default:
		return nil, syntax(out.line, "expected plain YAML (maps, lists, texts, numbers), found %s", strings.ToLower(n.Type().String()))
	}
	return out, nil
}

func addMembers(object *node, values []*ast.MappingValueNode) error {
	for _, v := range values {
		key := v.Key.GetToken()
		value, err := fromAST(v.Value)
		if err != nil {
			return err
		}
		name := key.Value
		if s, ok := v.Key.(*ast.StringNode); ok {
			name = s.Value
		}
		if value.kind == kindNull {
			value.line = key.Position.Line // the library puts a missing value anywhere near
		}
		object.members = append(object.members, member{name, key.Position.Line, value})
		if object.line == 0 || key.Position.Line < object.line {
			object.line = key.Position.Line
		}
	}
	return nil
}

func lineOf(n ast.Node) int {
	if n == nil {
		return 0
	}
	var t *token.Token
	switch n := n.(type) {
	case *ast.MappingNode:
		if t = n.Start; len(n.Values) > 0 && !n.IsFlowStyle {
			t = n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = n.Key.GetToken()
	default:
		t = n.GetToken()
	}
	if t == nil || t.Position == nil {
		return 0
	}
	return t.Position.Line
}
