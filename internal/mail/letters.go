package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"strconv"
	"strings"
	texttemplate "text/template"
	"unicode/utf8"
)

//go:embed templates
var templateFiles embed.FS

// letterForms are the letters by language, "en" and "fr", and by name. A text's
// first line is the subject.
var letterForms = map[string]map[string]letterForm{"en": readForms("en"), "fr": readForms("fr")}

type letterForm struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

func readForms(lang string) map[string]letterForm {
	forms := map[string]letterForm{}
	for _, name := range []string{"code", "optin", "joined"} {
		path := "templates/" + lang + "/" + name
		forms[name] = letterForm{
			text: texttemplate.Must(texttemplate.New(name+".txt").Option("missingkey=error").ParseFS(templateFiles, path+".txt")),
			html: htmltemplate.Must(htmltemplate.New(name+".html").Option("missingkey=error").ParseFS(templateFiles, path+".html", "templates/layout.html")),
		}
	}
	return forms
}

// CodeLetter is what the mail with a code says.
type CodeLetter struct {
	Contest string
	Brand   string // may be empty
	Code    string // six digits
	Minutes int    // how long it is good for
}

// Code is the mail that proves an address: the code at the front of the subject,
// where a phone's notification shows it, and no other number that could be
// taken for one. It has no link: whoever learns to press a link for a code
// learns to press others'.
//
// The caller adds To, and Before: a code that comes late is of no use.
//
//	m := mail.Code("fr", letter)
//	m.To, m.Before = email, expires
//	delivery := outbox.Put(m)
func Code(lang string, l CodeLetter) Message {
	return write(lang, "code", fields{
		"Contest": withoutCodes(l.Contest), "Brand": withoutCodes(l.Brand), "Code": l.Code, "Minutes": strconv.Itoa(l.Minutes),
	})
}

// OptInLetter is what the mail asks that a double opt-in sends.
type OptInLetter struct {
	Community, Contest string
	OptIn              string // what was agreed to, word for word
	ConfirmURL         string // of a page with a button: scanners of mail open links
	LeaveURL           string
}

// OptIn asks whether the owner of an address is who asked to join.
func OptIn(lang string, l OptInLetter) Message {
	return write(lang, "optin", fields{"Community": l.Community, "Contest": l.Contest, "OptIn": l.OptIn, "ConfirmURL": l.ConfirmURL, "LeaveURL": l.LeaveURL})
}

// JoinedLetter is what a new member reads.
type JoinedLetter struct {
	Community, Contest string
	LeaveURL           string
}

// Joined tells a member that they are one, and how to leave.
func Joined(lang string, l JoinedLetter) Message {
	return write(lang, "joined", fields{"Community": l.Community, "Contest": l.Contest, "LeaveURL": l.LeaveURL})
}

var codeLike = regexp.MustCompile(`[0-9]{6,}`)

// withoutCodes leaves out of a text what a reader, or a phone that fills codes
// in, might take for one.
func withoutCodes(text string) string { return codeLike.ReplaceAllString(text, "…") }

// fields are what a letter's templates ask for.
type fields map[string]string

// write fills in a letter. Languages that Joute does not speak get English. Each
// field is one line: a break in a title would look like a paragraph of ours.
func write(lang, name string, f fields) Message {
	if letterForms[lang] == nil {
		lang = "en"
	}
	for field, text := range f {
		f[field] = oneLine(text)
	}
	form := letterForms[lang][name]
	var text, html bytes.Buffer
	if err := form.text.Execute(&text, f); err != nil { // of the program: a test writes each letter
		panic(fmt.Sprintf("mail: %s/%s.txt: %v", lang, name, err))
	}
	subject, body, _ := strings.Cut(text.String(), "\n")
	m := Message{Subject: oneLine(subject), Text: wrapLines(strings.Trim(body, "\n") + "\n"), Leave: leave(f["LeaveURL"])}
	f["Lang"], f["Subject"] = lang, m.Subject
	if err := form.html.Execute(&html, f); err != nil {
		panic(fmt.Sprintf("mail: %s/%s.html: %v", lang, name, err))
	}
	m.HTML = html.String()
	return m
}

// lineWidth is RFC 5322's: lines should be no longer, and some readers break
// longer ones where they like.
const lineWidth = 78

// wrapLines breaks lines at spaces. Addresses stay whole, to be pressed; other
// words that are longer than a line are cut.
func wrapLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		width := 0
		for i, word := range strings.Split(line, " ") {
			length := utf8.RuneCountInString(word)
			if i > 0 && width+1+length <= lineWidth {
				out.WriteByte(' ')
				width++
			} else if i > 0 {
				out.WriteByte('\n')
				width = 0
			}
			for length > lineWidth && !strings.HasPrefix(word, "http") {
				cut := runeIndex(word, lineWidth)
				out.WriteString(word[:cut] + "\n")
				word, length = word[cut:], length-lineWidth
			}
			out.WriteString(word)
			width += length
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// runeIndex is where the rune after the first n begins.
func runeIndex(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
