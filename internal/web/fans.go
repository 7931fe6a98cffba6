package web

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// fanLine is a confirmed member as the organizer gets it.
type fanLine struct {
	Email         string `json:"email"`
	School        string `json:"school"`
	JoinedAt      string `json:"joined_at"`
	AskedAt       string `json:"asked_at"`
	Wording       string `json:"wording"`
	Lang          string `json:"lang"`
	Page          string `json:"page"`
	Under15Parent bool   `json:"under_15_parent"`
}

func newFanLine(m fans.Confirmed) fanLine {
	return fanLine{
		Email: m.Address, School: m.School, JoinedAt: voting.FormatTime(m.Confirmed), AskedAt: voting.FormatTime(m.Asked),
		Wording: m.Wording, Lang: m.Lang, Page: m.Page, Under15Parent: m.Under15Parent,
	}
}

// getFans streams the confirmed members to the organizer, as JSON or CSV.
func (s *Server) getFans(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	c.Vary(fiber.HeaderAccept)
	s.logDownload(c, stored, "members")
	if wantsCSV(c) {
		if err := s.pour(c, typeCSV, func(ctx context.Context, out *bufio.Writer) error { return s.fansCSV(ctx, out, stored) }); err != nil {
			return err
		}
		asCSV(c, "fans-"+stored.Contest.ID)
		return nil
	}
	return s.pour(c, typeJSON, func(ctx context.Context, out *bufio.Writer) error { return s.fansJSON(ctx, out, stored) })
}

// logDownload says that somebody took what names people, and nothing of it.
func (s *Server) logDownload(c *fiber.Ctx, stored *registry.Stored, what string) {
	s.log.Info("fans downloaded", slog.String("by", "organizer"), slog.String("contest", stored.Contest.ID), slog.String("what", what), slog.String("request", s.requestID(c)))
}

func (s *Server) fansCSV(ctx context.Context, out *bufio.Writer, stored *registry.Stored) error {
	head := func() error {
		out.WriteString(csvBOM)
		return writeCSV(out, "email", "school", "joined_at", "asked_at", "wording", "lang", "page", "under_15_parent")
	}
	none := true
	err := s.cfg.Fans.Export(ctx, stored, func(m fans.Confirmed) error {
		if none {
			none = false
			if err := head(); err != nil {
				return err
			}
		}
		l := newFanLine(m)
		return writeCSV(out, l.Email, l.School, l.JoinedAt, l.AskedAt, l.Wording, l.Lang, l.Page, strconv.FormatBool(l.Under15Parent))
	})
	if err == nil && none {
		return head()
	}
	return err
}

func (s *Server) fansJSON(ctx context.Context, out *bufio.Writer, stored *registry.Stored) error {
	texts, err := s.cfg.Fans.Wordings(ctx, stored)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	comma := `{"fans":[`
	err = s.cfg.Fans.Export(ctx, stored, func(m fans.Confirmed) error {
		out.WriteString(comma)
		comma = ","
		if texts[m.Wording] == "" { // came since
			if texts, err = s.cfg.Fans.Wordings(ctx, stored); err != nil {
				return err
			}
		}
		return encoder.Encode(newFanLine(m))
	})
	if err != nil {
		return err
	}
	out.WriteString(strings.TrimSuffix(comma, ",") + `],"wordings":`)
	if err := encoder.Encode(texts); err != nil {
		return err
	}
	_, err = out.WriteString("}\n")
	return err
}

// getFanLedger streams the joins and leavings as NDJSON, to the organizer.
func (s *Server) getFanLedger(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	s.logDownload(c, stored, "ledger")
	return s.stream(c, func(ctx context.Context, line func(any) error) error {
		return s.cfg.Fans.Ledger(ctx, stored, func(r community.Record) error { return line(r) })
	})
}

// getFanChurn says how the community moves, to the organizer.
func (s *Server) getFanChurn(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	churn := community.NewChurn(time.Now(), stored.Contest.Location())
	if err := s.cfg.Fans.Ledger(ctx, stored, func(r community.Record) error { churn.Add(r); return nil }); err != nil {
		return err
	}
	s.logDownload(c, stored, "churn")
	return sendPersonal(c, fiber.StatusOK, churn.Report())
}
