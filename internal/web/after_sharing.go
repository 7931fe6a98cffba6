package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// sharingOffer is shown by the template after-sharing: the voter's own link, by
// each channel there is.
type sharingOffer struct {
	words
	Entry    string
	Script   string
	Action   string // told when a link was given out
	Title    string // of what the device's own menu shares
	Text     string // and its text, without the link
	Native   string
	WhatsApp string // an address of WhatsApp with the whole message
	Copy     string
	QR       template.HTML
	Story    string // a picture to post
}

// offerSharing gives the voter of a ballot that may count their own link, while
// there is still something to share it for.
func (s *Server) offerSharing(ctx context.Context, c *fiber.Ctx, v accepted) *sharingOffer {
	d := v.stored.Contest
	if v.cast.Standing != voting.Counted && v.cast.Standing != voting.Held || v.stored.Phase(time.Now()) != contest.PhaseVoting {
		return nil
	}
	entry, _ := d.Entry(v.cast.Entry)
	if entry.Hidden { // its name and its picture are for nobody any more
		return nil
	}
	code, err := s.shareOf(ctx, v.stored, ownedBy(v.stored, v.cast))
	if err != nil {
		s.log.Warn("sharing not offered", slog.String("request", s.requestID(c)), slog.Any("error", err))
		return nil
	}
	o := &sharingOffer{words: v.words, Script: asset("share.js"), Action: "/c/" + d.ID + "/share", Entry: v.In(entry.Title, d), Title: v.In(d.Title, d)}
	o.Text = o.Say("share.message", "Entry", o.Entry, "Contest", o.Title)
	o.Native, o.Copy = s.linkHref(c, code, sharing.Native), s.linkHref(c, code, sharing.Copy)
	o.WhatsApp = "https://wa.me/?text=" + textQuery(o.Text+" "+s.linkHref(c, code, sharing.WhatsApp))
	o.Story = "/story/" + d.ID + "/e/" + url.PathEscape(entry.ID) + ".png?lang=" + o.Lang + "&via=" + code.String()
	link := s.linkHref(c, code, sharing.QR)
	if o.QR, err = qrSVG(link, o.Say("embed.qr", "Link", link)); err != nil {
		s.log.Warn("sharing without a QR code", slog.String("request", s.requestID(c)), slog.Any("error", err))
	}
	return o
}

// textQuery escapes a text as apps read it: a space is %20 to all of them, and +
// to some.
func textQuery(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
