package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest"
)

// farmsView is what farms.html shows.
type farmsView struct {
	tool
	Back, Action, Token string
	Zone                string
	Farms               []farmView
	Done                string
}

// farmView is a known farm in words.
type farmView struct {
	ID       string
	Entries  []string
	Members  string
	Since    string
	Expires  string
	Rejected string
	Lifted   string // since when; empty: it is met
}

// farmsPage lists the known farms, each with a button to lift it.
func (s *Server) farmsPage(c *fiber.Ctx, who session) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := farmsView{tool: s.tool(c, lang, s.texts.say(lang, "farms.title", nil)), Token: who.form}
	v.Lead, v.Brand, v.Logout = v.In(d.Title, d), d.Brand, "/organize/logout"+chosen(c)
	v.Back, v.Action = "/organize/"+d.ID+"/held"+chosen(c), "/organize/"+d.ID+"/farms"+chosen(c)
	v.Zone = v.Say("held.zone", "Zone", d.Location().String())
	farms, err := s.farmsOf(s.base, stored)
	if err != nil {
		return err
	}
	for _, f := range farms {
		v.Farms = append(v.Farms, v.farm(d, f))
		if !f.Lifted.IsZero() && f.ID == query(c, "lifted") {
			v.Done = v.Say("farms.lifted.done")
		}
	}
	return s.renderTool(c, fiber.StatusOK, "farms.html", lang, v)
}

func (v *farmsView) farm(d *contest.Contest, f gate.Farm) farmView {
	out := farmView{
		ID: f.ID, Members: v.Count("farms.members", int64(f.Members)), Rejected: v.Count("farms.rejected", f.Rejected),
		Since: v.Say("farms.since", "At", v.Stamp(f.Since, d.Location())), Expires: v.Say("farms.expires", "At", v.Stamp(f.Expires, d.Location())),
	}
	for _, id := range f.Entries {
		if entry, ok := d.Entry(id); ok {
			out.Entries = append(out.Entries, v.In(entry.Title, d))
		}
	}
	if !f.Lifted.IsZero() {
		out.Lifted = v.Say("farms.lifted", "At", v.Stamp(f.Lifted, d.Location()))
	}
	return out
}

// liftFarm lifts the farm of a form and leads back to the list.
func (s *Server) liftFarm(c *fiber.Ctx, who session) error {
	stored, form, err := s.organizerForm(c, who)
	if err != nil {
		return err
	}
	id := string(form.Peek("farm"))
	if err := s.lift(c, stored, id); err != nil {
		return err
	}
	to := url.Values{"lifted": {id}}
	if lang := c.Query("lang"); lang == "fr" || lang == "en" {
		to.Set("lang", lang)
	}
	return c.Redirect("/organize/"+stored.Contest.ID+"/farms?"+to.Encode()+"#status", fiber.StatusSeeOther)
}
