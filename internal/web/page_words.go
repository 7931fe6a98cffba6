package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/joute/joute/contest"
)

// words are the catalogue in one language, as templates ask it.
type words struct {
	texts *catalogue
	Lang  string
}

// Say is a message; pairs are names and values for it.
func (w words) Say(id string, pairs ...any) string {
	data := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return w.texts.say(w.Lang, id, data)
}

// Count is a message that depends on how many.
func (w words) Count(id string, n int64) string { return w.CountOf(id, n) }

// CountOf is Count with pairs of names and values for it.
func (w words) CountOf(id string, n int64, pairs ...any) string {
	data := map[string]any{"N": w.Number(n)}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	// French has a form of its own for whole millions in words, un million de votes: in
	// digits, as here, they are said like any other number.
	if n != 0 && n%1_000_000 == 0 {
		n = 2
	}
	text, err := w.texts.localizers[w.Lang].Localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n, TemplateData: data})
	if err != nil {
		return id
	}
	return text
}

// Number writes n in groups of three, as Intl.NumberFormat does in the page:
// 12,482 or 12 482 (a narrow space that does not break).
func (w words) Number(n int64) string {
	separator := ","
	if w.Lang == "fr" {
		separator = "\u202f"
	}
	digits := strconv.FormatInt(n, 10)
	var out strings.Builder
	for i, digit := range digits {
		if i > 0 && digit != '-' && digits[i-1] != '-' && (len(digits)-i)%3 == 0 {
			out.WriteString(separator)
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// Decimal writes x with two decimals.
func (w words) Decimal(x float64) string {
	whole, part, _ := strings.Cut(strconv.FormatFloat(x, 'f', 2, 64), ".")
	n, _ := strconv.ParseInt(whole, 10, 64) // a score is far below 2^63
	if w.Lang == "fr" {
		return w.Number(n) + "," + part
	}
	return w.Number(n) + "." + part
}

var monthsFR = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
var daysFR = [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}

// When writes an instant as the people of a contest say it, their zone named.
func (w words) When(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if w.Lang != "fr" {
		return t.Format("Monday 2 January 2006, ") + w.Hour(t) + " (" + zone.String() + ")"
	}
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return fmt.Sprintf("%s %s %s %d à %s (%s)", daysFR[t.Weekday()], day, monthsFR[t.Month()-1], t.Year(), w.Hour(t), zone)
}

// Stamp is an instant to the second, short enough for a list. Its zone is told once
// beside the list.
func (w words) Stamp(t time.Time, zone *time.Location) string {
	if w.Lang == "fr" {
		return t.In(zone).Format("02/01/2006 15:04:05")
	}
	return t.In(zone).Format("2 Jan 2006, 15:04:05")
}

// Hour is the time of day of t, in t's zone: 20:08, or 20 h 08.
func (w words) Hour(t time.Time) string {
	if w.Lang != "fr" {
		return t.Format("15:04")
	}
	hour := strconv.Itoa(t.Hour()) + "\u00a0h"
	if t.Minute() != 0 {
		hour += "\u00a0" + t.Format("04")
	}
	return hour
}

// Span is how long something takes, in its largest unit.
func (w words) Span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return w.Count("span.day", int64(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return w.Count("span.hour", int64(d/time.Hour))
	default:
		return w.Count("span.minute", max(int64((d+time.Minute-1)/time.Minute), 1))
	}
}

// In is a text of a contest's document, for this reader.
func (w words) In(t contest.Text, d *contest.Contest) string {
	return unbroken.Replace(t.In(w.Lang, d.Locale))
}

// unbroken keeps French marks with their word. Who types a title has no key for
// a space that does not break.
var unbroken = strings.NewReplacer(" :", "\u00a0:", " ;", "\u00a0;", " ?", "\u00a0?", " !", "\u00a0!", " »", "\u00a0»", "« ", "«\u00a0")

// List joins names: A, B and C.
func (w words) List(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + w.Say("page.and") + " " + names[last]
}

// pageLang is the language of a page: the one of ?lang=, else the first of the
// reader's that Joute speaks, else the contest's, else English.
func (s *Server) pageLang(c *fiber.Ctx, locale string) string {
	lang := s.choose(c.Query("lang"), c.Get(fiber.HeaderAcceptLanguage), locale)
	c.Locals(localLang, lang)
	return lang
}

func (s *Server) choose(asked, accept, locale string) string {
	if len(accept) > maxAcceptLanguage {
		accept = ""
	}
	for _, want := range []string{asked, accept, locale} {
		tags, _, err := language.ParseAcceptLanguage(want)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, index, confidence := s.texts.matcher.Match(tags...); confidence != language.No {
			return languages[index].String()
		}
	}
	return languages[0].String()
}
