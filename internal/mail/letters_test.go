package mail

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const confirmURL = "https://vote.example.org/c/pire-cv-video/join/Zk3uR8mD1qVx7b_PaTnw2EoYc5hJ9sLgQ0iXfB6rKvUeWt4NyMzAHdSpCjGl1OqIbRxEw"

// everyLetter is each letter in each language.
func everyLetter(contest, brand string) map[string]Message {
	all := map[string]Message{}
	for _, lang := range []string{"fr", "en"} {
		all[lang+" code"] = Code(lang, CodeLetter{Contest: contest, Brand: brand, Code: "482913", Minutes: 10})
		all[lang+" optin"] = OptIn(lang, OptInLetter{
			Community: "Club du Pire CV", Contest: contest, OptIn: "J'accepte de recevoir au plus deux messages par mois du Club du Pire CV, et je peux partir d'un clic à tout moment.",
			ConfirmURL: confirmURL, LeaveURL: "https://vote.example.org/leave/abc",
		})
		all[lang+" joined"] = Joined(lang, JoinedLetter{Community: "Club du Pire CV", Contest: contest, LeaveURL: "https://vote.example.org/leave/abc"})
	}
	return all
}

func TestLetters_AreWholeInBothParts(t *testing.T) {
	tag := regexp.MustCompile(`(?s)<title>.*?</title>|<[^>]*>`)
	for name, m := range everyLetter("Le pire CV vidéo", "Studio Été") {
		lang, kind, _ := strings.Cut(name, " ")
		plain := tag.ReplaceAllString(m.HTML, "")
		for _, part := range []string{m.Subject, m.Text, m.HTML} {
			if strings.Contains(part, "<no value>") || strings.Contains(part, "{{") || !utf8.ValidString(part) || strings.Contains(part, "\r") {
				t.Errorf("%s: %s", name, part)
			}
		}
		for _, want := range []string{"Le pire CV vidéo", map[string]string{"fr": "Bonjour", "en": "Hello"}[lang]} {
			if !strings.Contains(strings.ReplaceAll(m.Text, "\n", " "), want) || !strings.Contains(plain, want) {
				t.Errorf("%s: no %q in\n%s\n%s", name, want, m.Text, plain)
			}
		}
		if !strings.Contains(m.HTML, `<html lang="`+lang+`">`) || !strings.Contains(m.HTML, `content="light dark"`) {
			t.Errorf("%s: %s", name, m.HTML)
		}
		for line := range strings.Lines(m.Text) {
			if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 78 && !strings.HasPrefix(line, "https://") {
				t.Errorf("%s: a line of %d characters: %s", name, width, line)
			}
		}
		// Nothing that asks anybody for anything when the mail is opened.
		if remote := regexp.MustCompile(`(?i)<(img|link|script|iframe|object|embed|video|audio|form|svg)|url\(|@import|src=|background=`).FindString(m.HTML); remote != "" {
			t.Errorf("%s: %s", name, remote)
		}
		links := regexp.MustCompile(`(?i)href|https?:|www\.`).MatchString(m.HTML + m.Text)
		if links != (kind != "code") {
			t.Errorf("%s: links %v", name, links)
		}
		if (m.Leave != "") != (kind != "code") {
			t.Errorf("%s: leave %q", name, m.Leave)
		}
		if kind == "optin" && (!strings.Contains(m.Text, "\n"+confirmURL+"\n") || !strings.Contains(m.HTML, `href="`+confirmURL+`"`)) {
			t.Errorf("%s: the address is cut or not there:\n%s", name, m.Text)
		}
	}
}

func TestLetters_OtherLanguagesGetEnglish(t *testing.T) {
	if m := Code("de", CodeLetter{Contest: "X", Code: "482913", Minutes: 10}); !strings.Contains(m.Text, "Hello") || !strings.Contains(m.HTML, `lang="en"`) {
		t.Error(m.Text)
	}
}

func TestLetters_FrenchSpacesDoNotBreak(t *testing.T) {
	breaks := regexp.MustCompile(`[ \n][:;?!»]|«[ \n]|[^\s\x{a0}(:/]\?`)
	for name, m := range everyLetter("Le pire CV vidéo", "") {
		if strings.HasPrefix(name, "fr") {
			if at := breaks.FindString(strings.ReplaceAll(m.Subject+"\n"+m.Text, confirmURL, "")); at != "" {
				t.Errorf("%s: %q in %s", name, at, m.Text)
			}
		}
	}
}

func TestCode_LeadsTheSubjectAndIsTheOnlySuchNumber(t *testing.T) {
	digits := regexp.MustCompile(`[0-9]{6,}`)
	check := func(m Message, about string) {
		t.Helper()
		if !strings.HasPrefix(m.Subject, "482913 ") {
			t.Errorf("%s: subject %q", about, m.Subject)
		}
		for where, text := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
			for _, found := range digits.FindAllString(text, -1) {
				if found != "482913" {
					t.Errorf("%s: %s in the %s: %s", about, found, where, text)
				}
			}
			if !strings.Contains(text, "482913") {
				t.Errorf("%s: no code in the %s", about, where)
			}
		}
	}
	titles := []string{"Le pire CV vidéo", "2026", "Prix 2025-2026 de l'ENSTA", "1000000 d'euros", "Concours n° 123456", "654321", "١٢٣٤٥٦", "&#123456;", "#123456"}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("0123456789 0123456789<>&\"'é«»:#;-.x")
	for range 300 {
		title := make([]rune, random.IntN(60))
		for i := range title {
			title[i] = alphabet[random.IntN(len(alphabet))]
		}
		titles = append(titles, string(title))
	}
	for _, title := range titles {
		for _, lang := range []string{"fr", "en"} {
			check(Code(lang, CodeLetter{Contest: title, Brand: title, Code: "482913", Minutes: 10}), fmt.Sprintf("%s %q", lang, title))
		}
	}
	if m := Code("fr", CodeLetter{Contest: "CV", Code: "000042", Minutes: 10}); m.Subject != "000042 est votre code pour «\u00a0CV\u00a0»" {
		t.Errorf("%q", m.Subject)
	}
}

func TestLetters_MarkupAndLineBreaksOfADocumentAreText(t *testing.T) {
	hostile := "A</p><script>alert(1)</script>\r\nBcc: everybody@example.org\r\n\r\n\u202eB\u0000{{.Code}}"
	for name, m := range everyLetter(hostile, hostile) {
		if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.Contains(m.Text+m.Subject, "\nBcc:") || strings.Contains(m.Text+m.HTML, "\u202e") || strings.Contains(m.HTML, "<script") {
			t.Errorf("%s: %q\n%q\n%s", name, m.Subject, m.Text, m.HTML)
		}
	}
}

func TestWrapLines_KeepsWordsAndAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"a b":                          "a b\n",
		"    482913\n":                 "    482913\n",
		strings.Repeat("abcd ", 20):    strings.TrimSuffix(strings.Repeat("abcd ", 15), " ") + "\nabcd abcd abcd abcd abcd \n",
		strings.Repeat("é", 80) + " x": strings.Repeat("é", 78) + "\néé x\n",
		"go to https://" + strings.Repeat("x", 100): "go to\nhttps://" + strings.Repeat("x", 100) + "\n",
		"one\n\ntwo\n": "one\n\ntwo\n",
	} {
		if got := wrapLines(text); got != want {
			t.Errorf("%q becomes\n%q, want\n%q", text, got, want)
		}
	}
}
