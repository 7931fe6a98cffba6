package web

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// presence tells whether voter's new pass is to be marked as present: for the
// code that the call carries, or not when it carries none. A code that is not of
// this minute, or used up, is an error: no pass comes without the mark that was
// asked for.
func (s *Server) presence(stored *registry.Stored, token string, voter voting.Voter) (bool, error) {
	if token == "" {
		return false, nil
	}
	code, err := s.cfg.Presence.ReadCode(stored.Contest.ID, token)
	if err == nil {
		err = code.CheckFresh(time.Now())
	}
	if err != nil {
		return false, invalid("presence", "presence")
	}
	err = s.useCode(stored, code, voter)
	if errors.Is(err, gate.ErrSpent) {
		return false, invalid("presence", "presence-spent")
	}
	return err == nil, err
}

// useCode counts voter among those whom a code marks: [gate.ErrSpent] when they
// are as many as the contest lets one code mark. The same voter is counted once.
func (s *Server) useCode(stored *registry.Stored, code voting.HallCode, voter voting.Voter) error {
	if err := s.cfg.Interlock.Err(); err != nil {
		return err
	}
	uses := gate.Uses{
		Contest: stored.Contest.ID, Kind: "presence", Name: strconv.FormatUint(uint64(code.Window), 10),
		Limit: stored.Contest.Antifraud.PresenceUses, Life: voting.PresenceLife,
	}
	_, err := within(s.base, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.cfg.Counters.Use(ctx, uses, voter)
	})
	return err
}

// hallOf is the contest whose wall shows or showed a code. The code does not name
// it: there are few contests, and asking each whether the code is its own takes a
// microsecond.
func (s *Server) hallOf(token string) (*registry.Stored, voting.HallCode, error) {
	for _, stored := range s.cfg.Registry.List() {
		if code, err := s.cfg.Presence.ReadCode(stored.Contest.ID, token); err == nil {
			return stored, code, nil
		}
	}
	return nil, voting.HallCode{}, voting.ErrPresence
}
