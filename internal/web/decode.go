package web

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
)

const (
	typeJSON = "application/json"

	// maxShownPath cuts what we quote of a member's name.
	maxShownPath = 100
)

var yamlTypes = []string{"application/yaml", "application/x-yaml", "text/yaml"}

// decode reads the body as one JSON object: no member twice, none unknown, no
// invalid UTF-8, nothing after it. The bytes are the ones sent: what says that it
// is encoded was refused by admit, and fiber's Body() would decompress without a
// bound (405 bytes of brotli cost 2 GB).
func decode(c *fiber.Ctx, into any) error {
	if err := checkType(c, typeJSON); err != nil {
		return err
	}
	return decodeJSON(c.BodyRaw(), into)
}

// decodeOptional is decode where no body at all will do.
func decodeOptional(c *fiber.Ctx, into any) error {
	if len(c.BodyRaw()) == 0 {
		return nil
	}
	return decode(c, into)
}

func checkType(c *fiber.Ctx, allowed ...string) error {
	said := c.Request().Header.ContentType()
	if slices.Contains(allowed, string(said)) {
		return nil // as nearly all say it
	}
	kind, params, err := mime.ParseMediaType(string(said))
	if err != nil {
		return errMediaType
	}
	if charset, given := params["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return errMediaType
	}
	if !slices.Contains(allowed, kind) {
		return errMediaType
	}
	return nil
}

func decodeJSON(body []byte, into any) error {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return nil
	}
	p := &problem{status: 400, code: "invalid-request", say: "body"}
	var path jsontext.Pointer
	message := "expected a JSON object" // null is none, though it could be read as an empty one
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		path = syntactic.JSONPointer
		message = fmt.Sprintf("not JSON at byte %d", syntactic.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			p.say, message = "duplicate", "expected this member once, found it twice"
		}
	case errors.As(err, &semantic):
		path = semantic.JSONPointer
		message = "expected " + wordsFor(semantic.GoType)
		if errors.Is(err, json.ErrUnknownName) {
			p.say, message = "unknown", "this member is not known here"
		}
	}
	shown := dotted(path)
	if p.say == "body" && shown != "" {
		p.say = ""
	}
	p.data = map[string]any{"Path": shown}
	p.errors = []fault{{Path: shown, Message: message}}
	return p
}

// dotted writes a JSON pointer as documents' faults are written: client.via, ballots[3].
func dotted(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		if b.Len() > maxShownPath {
			break
		}
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	shown := strings.ToValidUTF8(b.String(), "\uFFFD")
	if len(shown) <= maxShownPath {
		return shown
	}
	end := maxShownPath
	for !utf8.RuneStart(shown[end]) {
		end--
	}
	return shown[:end] + "…"
}

// wordsFor is a Go type as somebody writing JSON knows it.
func wordsFor(t reflect.Type) string {
	if t == nil {
		return "another value"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wordsFor(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

// checks collects what is wrong with members that could be read.
type checks struct{ faults []fault }

func (c *checks) expect(ok bool, path, what string) {
	if !ok {
		c.faults = append(c.faults, fault{Path: path, Message: "expected " + what})
	}
}

// err is all of it as one problem, or nil.
func (c *checks) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return &problem{status: 400, code: "invalid-request", data: map[string]any{"Path": c.faults[0].Path}, errors: c.faults}
}
