package web

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// A ballot's page follows its ballot, and is the same for everybody: it names
// no entry, no school, no number, and nothing by which the ledger would.
func TestReceipt_SaysWhereTheBallotStandsAndNotWhatItIs(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"links":{"contact":"concours@example.org"},"rules":{"ballots":{"max":1,"per":"contest"},"undo":"1h"}`)
	me := e.pass(path)
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).want(201, "")
	page := "/r/" + cast.text("receipt")
	stand := func(standing, reason string) {
		t.Helper()
		e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"`+standing+`","reason":"`+reason+`"}`, asOrganizer).want(200, "")
	}
	says := func(lang string, texts ...string) answer {
		t.Helper()
		a := e.do("GET", page+"?lang="+lang, "").want(200, "")
		a.shows(append(texts, `name="robots" content="noindex"`)...)
		a.hides("lumiere-1", "lumiere", "Lumière", cast.text("ballot"), cast.text("position"), cast.text("at")[:16], "receipt.", "<no value>", "data-")
		if got := a.header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		for _, looks := range []string{me, asOrganizer} {
			if other := e.do("GET", page+"?lang="+lang, "", looks); string(other.body) != string(a.body) {
				t.Errorf("the page differs for %s", looks)
			}
		}
		return a
	}
	says("en", "This vote is counted.", "The worst CV", "/c/"+id)
	stand("held", "lockstep")
	says("fr", "Ce vote est en cours de vérification.", "comme d'une seule main", "revenez à cette adresse").hides("écrivez")
	stand("void", "known-farm")
	says("en", "This vote no longer counts.", "a vote farm that was already taken out", `below. <a href="mailto:concours@example.org"`)
	stand("counted", "mistake")
	says("en", "This vote is counted.").hides("Reason")
	stand("void", "because-i-say-so")
	says("en", "a decision of the organizers").hides("because-i-say-so")
	stand("counted", "mistake")
	e.do("DELETE", path+"/ballots/"+cast.text("ballot"), "", me).want(200, "")
	says("en", "This vote was taken back.", "can vote again while voting is open").hides("Reason")
	if a := e.do("HEAD", page, ""); a.status != 200 || len(a.body) != 0 {
		t.Errorf("HEAD: %d", a.status)
	}
}

func TestReceipt_OfNoBallotIsAPageThatHelps(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	receipt := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "").text("receipt")
	never := e.server.cfg.Receipts.Seal(voting.Receipt{Contest: id, Ballot: uuid.New(), Position: voting.Position{Millis: time.Now().UnixMilli()}})
	nowhere := e.server.cfg.Receipts.Seal(voting.Receipt{Contest: "deleted", Ballot: uuid.New()})
	for _, text := range []string{"x", receipt[:len(receipt)-1], receipt + "A", strings.Repeat("A", 512), strings.Repeat("A", 4000), "%3Cscript%3E", "a%2Fb", never, nowhere} {
		a := e.do("GET", "/r/"+text, "", "Accept-Language: en")
		if a.status != 404 {
			t.Fatalf("%.40s: %d", text, a.status)
		}
		a.shows("This is no receipt of ours", "/c/"+id)
		a.hides("<script>")
	}
	other := startOn(t, sharedURL(t)) // of the same store, with keys of its own
	other.do("GET", "/r/"+receipt, "").want(404, "")
}

// Every receipt that people are given leads there.
func TestReceipt_IsLinkedFromWhereVotesAreConfirmed(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for _, path := range []string{"/c/" + id, "/c/" + id + "/e/lumiere-1/confirm"} {
		b := e.browser("Accept-Language: en")
		page := b.press(b.get(path), "lumiere-1")
		_, link, ok := strings.Cut(string(page.body), `<a href="/r/`)
		if !ok {
			t.Fatalf("%s: no link to the receipt: %s", path, page.body)
		}
		link, _, _ = strings.Cut(link, `"`)
		b.get("/r/"+link).want(200, "").shows("This vote is counted.")
	}
}
