package web

import (
	"context"
	"log/slog"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
)

// showFans fills in how many fans each school has, where the contest says so. It
// is shown only beside numbers of now: a community grows with the votes, and
// would tell what a hidden or frozen board keeps secret.
func (s *Server) showFans(v *contestView, stored *registry.Stored, board *live.Board) {
	d := stored.Contest
	if d.Community == nil || !d.Community.ShowFans || board.Hidden || board.Frozen || v.Before {
		return
	}
	counts, err := within(s.base, func(ctx context.Context) (map[string]int64, error) { return s.cfg.Fans.Counts(ctx, stored) })
	if err != nil {
		s.log.Warn("fans not shown", slog.String("contest", d.ID), slog.Any("error", err)) // the page is whole without
		return
	}
	for i := range v.Schools {
		v.Schools[i].Fans = counts[v.Schools[i].ID]
	}
}
