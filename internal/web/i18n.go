package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*.json
var locales embed.FS

// languages Joute speaks; the first is spoken to who asks for neither.
var languages = []language.Tag{language.English, language.French}

// maxAcceptLanguage bounds what is parsed; browsers send under 100 bytes.
const maxAcceptLanguage = 512

// catalogue holds the texts people read, by language ("en", "fr") and message id.
type catalogue struct {
	matcher    language.Matcher
	localizers map[string]*i18n.Localizer
	said       sync.Map // texts without data by language and id: as many as there are messages
}

func newCatalogue() (*catalogue, error) {
	bundle := i18n.NewBundle(languages[0])
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	c := &catalogue{matcher: language.NewMatcher(languages), localizers: map[string]*i18n.Localizer{}}
	for _, tag := range languages {
		if _, err := bundle.LoadMessageFileFS(locales, "locales/"+tag.String()+".json"); err != nil {
			return nil, fmt.Errorf("texts: %w", err)
		}
		c.localizers[tag.String()] = i18n.NewLocalizer(bundle, tag.String())
	}
	return c, nil
}

// pick is the language to answer in, by an Accept-Language header and its q-values.
func (c *catalogue) pick(accept string) string {
	if len(accept) > maxAcceptLanguage {
		return languages[0].String()
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return languages[0].String()
	}
	_, index, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return languages[0].String()
	}
	return languages[index].String()
}

// saying names a text of a language.
type saying struct{ lang, id string }

// say is the message in a language the catalogue has. data fills its template.
// A message that is missing shows its id: a test keeps that from happening.
func (c *catalogue) say(lang, id string, data map[string]any) string {
	if len(data) == 0 { // the same text every time: refusing must not cost more than answering
		if text, ok := c.said.Load(saying{lang, id}); ok {
			return text.(string)
		}
	}
	text, err := c.localizers[lang].Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data})
	if err != nil {
		return id
	}
	if len(data) == 0 {
		c.said.Store(saying{lang, id}, text)
	}
	return text
}

// moment writes an instant as people say it, in the zone of a contest.
func moment(lang string, t time.Time, zone *time.Location) string {
	layout := "2 January 2006 at 15:04 (MST)"
	if lang == "fr" {
		layout = "02/01/2006 à 15:04 (MST)"
	}
	return t.In(zone).Format(layout)
}
