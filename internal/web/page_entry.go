package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// entryPage is what entry.html shows: one entry, its film and its vote, and the
// other entries of its school.
type entryPage struct {
	*contestView
	Entry entryView
	Of    int64 // entries it stands among
	Film  *film
}

// film is a video behind a click: nothing of its site is asked for before.
type film struct {
	Site, Title string
	Page        string // on the site
	Player      string // to put in the page
	Host        string // which that asks
}

func (s *Server) entryPage(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	entry, err := entryOf(c, d)
	if err != nil {
		return err
	}
	v, board, err := s.aboard(c, stored, "e/"+entry.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(board.Entries, func(r voting.EntryRow) bool { return r.ID == entry.ID })
	if at < 0 {
		return errNoEntry // hidden since the document was read
	}
	p := entryPage{contestView: v, Entry: v.entry(d, board, at), Of: int64(len(board.Entries)), Film: filmOf(v.words, d, entry)}
	v.Title, v.Index = p.Entry.Title, true
	v.Description = v.Say("entry.description", "Entry", p.Entry.Title, "School", p.Entry.School, "Contest", v.Name)
	v.entries(c, d, board, v.Path+"/e/"+entry.ID, func(r voting.EntryRow) bool { return r.School == entry.School && r.ID != entry.ID })
	v.last = max(v.last, at+1)
	v.follow(d, board)
	if err := s.share(c, stored, v, board, cardEntry, entry.ID); err != nil {
		return err
	}
	return s.renderUnder(c, playerPolicy(p.Film), fiber.StatusOK, "entry.html", v.Lang, p)
}

func filmOf(w words, d *contest.Contest, entry contest.Entry) *film {
	if entry.Video == nil {
		return nil
	}
	f := &film{Site: siteNames[entry.Video.Provider], Title: w.In(entry.Title, d), Page: entry.Video.URL(), Player: entry.Video.EmbedURL()}
	if player, err := url.Parse(f.Player); err == nil {
		f.Host = player.Host
	}
	return f
}

// playerPolicy lets a page frame the player of its film's site, and nothing else.
func playerPolicy(f *film) string {
	if f == nil {
		return pagePolicy
	}
	return strings.Replace(pagePolicy, "; form-action", "; frame-src https://"+f.Host+"; form-action", 1)
}
