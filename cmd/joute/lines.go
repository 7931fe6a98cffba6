package main

import (
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// lines finds where in a document's text a fault is that the server found: it
// says the path alone, since it was sent the document and not the file.
type lines struct{ file *ast.File }

// newLines reads YAML, and JSON as the YAML that it also is.
func newLines(text []byte) lines {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return lines{}
	}
	return lines{file}
}

// of is the line of what is at a path such as schools[3].id, or of the nearest
// thing around it when the document has nothing there; 0 when there is none.
func (l lines) of(path string) int {
	for l.file != nil && path != "" {
		if at, err := yaml.PathString("$." + path); err == nil {
			if node, err := at.FilterFile(l.file); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}
