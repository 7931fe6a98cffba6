package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// contest is the contest that the path names.
func (s *Server) contest(c *fiber.Ctx) (*registry.Stored, error) {
	stored, ok := s.cfg.Registry.Get(c.Params("contest"))
	if !ok {
		return nil, errNoContest
	}
	return stored, nil
}

// entryOf is the entry that the path names, unless it was taken off.
func entryOf(c *fiber.Ctx, d *contest.Contest) (contest.Entry, error) {
	entry, ok := d.Entry(param(c, "entry"))
	if !ok || entry.Hidden {
		return contest.Entry{}, errNoEntry
	}
	return entry, nil
}

// putContest stores a document. When it answers, the ballot boxes have it too.
func (s *Server) putContest(c *fiber.Ctx) error {
	if err := checkType(c, append(yamlTypes, typeJSON)...); err != nil {
		return err
	}
	document, err := contest.Parse(bytes.Clone(c.BodyRaw()))
	if err != nil {
		return err
	}
	if document.ID != param(c, "contest") {
		p := invalid("id", "id")
		p.errors[0].Message = "expected " + param(c, "contest") + ", as in the address"
		return p
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if _, known := s.cfg.Registry.Get(document.ID); !known {
		// In a store that was emptied since, a forgotten contest begins anew under
		// another id: nobody could vote in this one.
		if gone, err := s.cfg.Keys.Forgotten(document.ID); err != nil || gone {
			return cmp.Or(err, error(errForgotten))
		}
	}
	stored, created, _, err := s.cfg.Registry.Put(ctx, document)
	if err != nil {
		return err
	}
	if err := s.cfg.Boxes.Configure(ctx, &stored); err != nil {
		return err
	}
	status := fiber.StatusOK
	if created {
		status = fiber.StatusCreated
		c.Set(fiber.HeaderLocation, "/v1/contests/"+document.ID)
	}
	return sendJSON(c, status, s.view(stored.Contest.Document(), &stored))
}

// getContest is the public view.
func (s *Server) getContest(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=1")
	return s.sendContest(c)
}

// sendContest answers the public view as this server has it now.
func (s *Server) sendContest(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, s.view(s.public.of(stored), stored))
}

// summary is a contest in the list: enough to show it and to find the rest.
type summary struct {
	ID      string        `json:"id"`
	Title   contest.Text  `json:"title"`
	Brand   string        `json:"brand,omitempty"`
	Accent  string        `json:"accent,omitempty"`
	Locale  string        `json:"locale"`
	Phase   contest.Phase `json:"phase"`
	Opens   string        `json:"opens_at"`
	Closes  string        `json:"closes_at"`
	Version int           `json:"version"`
	URL     string        `json:"url"`
}

// listContests has one line a contest. Whole documents may be 4 MiB each.
func (s *Server) listContests(c *fiber.Ctx) error {
	now := time.Now()
	list := []summary{}
	for _, stored := range s.cfg.Registry.List() {
		d := stored.Contest
		list = append(list, summary{
			ID: d.ID, Title: d.Title, Brand: d.Brand, Accent: d.Accent, Locale: d.Locale, Phase: stored.Phase(now),
			Opens: voting.FormatTime(d.Phases.Voting.Opens), Closes: voting.FormatTime(stored.Closes()),
			Version: stored.Version, URL: "/v1/contests/" + d.ID,
		})
	}
	body, err := json.Marshal(map[string]any{"contests": list})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=1")
	return sendJSON(c, fiber.StatusOK, body)
}

// view adds to a document what the server knows of the contest.
func (s *Server) view(document []byte, stored *registry.Stored) []byte {
	more := struct {
		Version     int           `json:"version"`
		Phase       contest.Phase `json:"phase"`
		ClosedAt    string        `json:"closed_at,omitempty"`
		PublishedAt string        `json:"published_at,omitempty"`
		ForgottenAt string        `json:"forgotten_at,omitempty"`
		LedgerKey   string        `json:"ledger_key,omitempty"`
	}{Version: stored.Version, Phase: stored.Phase(time.Now())}
	if !stored.ClosedAt.IsZero() {
		more.ClosedAt = voting.FormatTime(stored.ClosedAt)
	}
	if !stored.PublishedAt.IsZero() {
		more.PublishedAt = voting.FormatTime(stored.PublishedAt)
	}
	if stored.Forgotten() {
		more.ForgottenAt = voting.FormatTime(stored.ForgottenAt)
	}
	if s.cfg.Ledgers != nil {
		more.LedgerKey = s.cfg.Ledgers.Key()
	}
	tail, err := json.Marshal(more)
	if err != nil {
		panic("web: plain members must encode: " + err.Error())
	}
	// Both are objects with members: {…} and {…} become {…,…}.
	head := bytes.TrimSuffix(document, []byte("}"))
	return append(append(append(make([]byte, 0, len(head)+len(tail)), head...), ','), tail[1:]...)
}

// sendJSON answers a body that is JSON already.
func sendJSON(c *fiber.Ctx, status int, body []byte) error {
	c.Set(fiber.HeaderContentType, typeJSON)
	return c.Status(status).Send(body)
}

// sendPersonal answers with what is for one reader only.
func sendPersonal(c *fiber.Ctx, status int, answer any) error {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return sendJSON(c, status, []byte(body.String()))
}
