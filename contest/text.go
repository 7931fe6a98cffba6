package contest

import (
	"maps"
	"slices"
	"strings"
)

// Text is what people read: one string for all, or one a language.
type Text struct {
	plain  string
	byLang map[string]string // BCP 47, canonical; nil when plain
}

// Plain is a text that is the same in every language.
func Plain(s string) Text { return Text{plain: s} }

// IsZero tells whether there is no text at all.
func (t Text) IsZero() bool { return t.plain == "" && len(t.byLang) == 0 }

// In is the wording for a reader of lang: that language, else its less regional
// forms (fr for fr-CA), else the same for fallback, else the first in order of
// language code. It is never empty when the text is not.
func (t Text) In(lang, fallback string) string {
	if t.byLang == nil {
		return t.plain
	}
	for _, want := range [2]string{lang, fallback} {
		for want != "" {
			if s, ok := t.byLang[want]; ok {
				return s
			}
			want = want[:max(strings.LastIndexByte(want, '-'), 0)]
		}
	}
	for _, code := range t.languages() {
		return t.byLang[code]
	}
	return ""
}

// languages lists the codes of a text with several wordings, sorted; none for a plain one.
func (t Text) languages() []string { return slices.Sorted(maps.Keys(t.byLang)) }
