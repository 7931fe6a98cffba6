package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/sharing"
)

// errand is what a proof is for: a vote that waits for it, or a page to go back to.
// It is in the address of the page; a ballot's id makes the vote the same one
// however often it is sent.
type errand struct {
	entry  contest.Entry
	ballot uuid.UUID
	via    string // the link the vote came by, with its mark
	origin string // of the page around the frame the vote began in
	back   string
	own    string // the voter, where the browser's cookies do not tell; see ownKey
}

// errandOf reads the errand of a page's address, or of a form. What makes no sense
// is left out.
func errandOf(d *contest.Contest, args *fasthttp.Args) errand {
	get := func(name string) string { return string(args.Peek(name)) }
	e := errand{back: get("back"), own: get("own")}
	if len(e.back) > maxBack {
		e.back = ""
	}
	if len(e.own) > maxSealed {
		e.own = ""
	}
	entry, ok := d.Entry(get("entry"))
	ballot, valid := parseBallotID(get("ballot"))
	if ok && valid && !entry.Hidden {
		e.entry, e.ballot = entry, ballot
		if via := get("via"); isVia(sharing.SplitMark(via)) {
			e.via = via
		}
		if origin := get("origin"); isOrigin(origin) {
			e.origin = origin
		}
	}
	return e
}

// errandFor makes an errand of the vote form at hand.
func errandFor(c *fiber.Ctx, d *contest.Contest, f voteForm) errand {
	form := c.Request().PostArgs()
	e := errand{ballot: f.ballot, via: string(form.Peek("via")), origin: f.client.EmbedOrigin, back: string(form.Peek("back"))}
	e.entry, _ = d.Entry(f.entry)
	return e
}

// maxBack is a receipt and a little more.
const maxBack = 600

func (e errand) fields() []field {
	var fields []field
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, field{name, value})
		}
	}
	if e.entry.ID != "" {
		add("entry", e.entry.ID)
		add("ballot", e.ballot.String())
		add("via", e.via)
		add("origin", e.origin)
	}
	add("back", e.back)
	add("own", e.own)
	return fields
}

// emailHref is a page of the proof with an errand.
func emailHref(c *fiber.Ctx, d *contest.Contest, page string, e errand, more ...field) string {
	query := kept(c)
	for _, f := range append(e.fields(), more...) {
		query.Set(f.Name, f.Value)
	}
	href := "/c/" + d.ID + page
	if len(query) > 0 {
		href += "?" + query.Encode()
	}
	return href
}

// waitingVote is the vote form of an errand, with the pass that it waited for.
func (s *Server) waitingVote(e errand, p proven) voteForm {
	f := voteForm{
		ballot: e.ballot, entry: e.entry.ID, opened: s.opened(e.via), token: p.token, pass: p.pass, known: true, maker: p.pass.Voter, sent: e.fields(),
		client: antifraud.Client{Via: sharing.SplitMark(e.via), EmbedOrigin: e.origin, Referrer: antifraud.ReferrerSite},
	}
	switch {
	case e.origin != "":
		f.client.Referrer = antifraud.ReferrerEmbed
	case f.opened:
		f.client.Referrer = antifraud.ReferrerShare
	}
	return f
}
