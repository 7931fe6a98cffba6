package web

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

const (
	// organizerTime is for calls over many ballots or boxes, each of whose steps
	// has the store's own timeout.
	organizerTime = 30 * time.Second

	lookupsAtOnce = 64
)

// reasonShape is a code: it goes into the ledger, which anyone may read later,
// so it has no place for a name or a story.
var reasonShape = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// settable are the standings that an organizer may give. Only its voter
// withdraws a ballot.
var settable = []voting.Standing{voting.Counted, voting.Held, voting.Void}

type standingsBody struct {
	Ballots  []string `json:"ballots"`
	Standing string   `json:"standing"`
	Reason   string   `json:"reason"`
}

func (s *Server) organizerContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.base, organizerTime)
}

// postStandings changes where ballots stand. Every ballot is looked up before
// the first is changed: one that is not there changes none. After an error the
// same call again does what is left.
func (s *Server) postStandings(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body standingsBody
	if err := decode(c, &body); err != nil {
		return err
	}
	var check checks
	check.expect(len(body.Ballots) > 0, "ballots", "at least one ballot")
	check.expect(slices.Contains(settable, voting.Standing(body.Standing)), "standing", "counted, held or void")
	check.expect(reasonShape.MatchString(body.Reason), "reason", "a code of 1 to 64 of a-z 0-9 -")
	if err := check.err(); err != nil {
		return err
	}
	changes, err := parseChanges(body)
	if err != nil {
		return err
	}
	if err := s.cfg.Interlock.Err(); err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	// Whether the store answers at all is known by the first.
	if _, err := within(ctx, func(ctx context.Context) (any, error) { return nil, s.lookUp(ctx, stored, changes[:1]) }); err != nil {
		return err
	}
	if err := s.lookUp(ctx, stored, changes); err != nil {
		return err
	}
	changed, err := s.cfg.Boxes.ChangeAll(ctx, stored, changes)
	if err != nil {
		return err
	}
	// Also of those that stood so before: whoever says so again has read why they should not.
	if voting.Standing(body.Standing) != voting.Held {
		if err := s.cfg.Boxes.AnswerAppeals(ctx, stored, decided(changes), true); err != nil {
			return err
		}
	}
	return sendPersonal(c, fiber.StatusOK, map[string]int{"changed": changed, "unchanged": len(changes) - changed})
}

// decided are the ballots of changes.
func decided(changes []ballotbox.Change) []ballotbox.ActedBallot {
	ballots := make([]ballotbox.ActedBallot, len(changes))
	for i, change := range changes {
		ballots[i] = ballotbox.ActedBallot{Ballot: change.Ballot, Voter: change.Voter}
	}
	return ballots
}

// parseChanges reads BALLOT and BALLOT/VOTER.
func parseChanges(body standingsBody) ([]ballotbox.Change, error) {
	changes := make([]ballotbox.Change, len(body.Ballots))
	var check checks
	for i, text := range body.Ballots {
		id, voter, named := strings.Cut(text, "/")
		ballot, ok := parseBallotID(id)
		changes[i] = ballotbox.Change{
			Ballot: ballot, Standing: voting.Standing(body.Standing), Actor: voting.ActorOrganizer, Reasons: []string{body.Reason},
		}
		if named && changes[i].Voter.UnmarshalText([]byte(voter)) != nil {
			ok = false
		}
		check.expect(ok, fmt.Sprintf("ballots[%d]", i), "a ballot id, or BALLOT/VOTER")
	}
	return changes, check.err()
}

// lookUp finds every ballot, and its voter where none was named.
func (s *Server) lookUp(ctx context.Context, stored *registry.Stored, changes []ballotbox.Change) error {
	var unnamed []uuid.UUID
	for _, change := range changes {
		if change.Voter == (voting.Voter{}) {
			unnamed = append(unnamed, change.Ballot)
		}
	}
	voters, err := s.cfg.Boxes.Lookup(ctx, stored, unnamed)
	if err != nil {
		return err
	}
	missing := make([]error, len(changes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookupsAtOnce)
	for i, change := range changes {
		if change.Voter == (voting.Voter{}) {
			switch found := voters[change.Ballot]; len(found) {
			case 0:
				missing[i] = ballotbox.ErrNoSuchBallot
				continue
			case 1:
				change.Voter = found[0]
			default:
				missing[i] = ballotbox.ErrAmbiguousBallot
				continue
			}
		}
		group.Go(panics.Caught(func() error {
			cast, err := s.cfg.Boxes.Find(ctx, stored, change.Voter, change.Ballot)
			if errors.Is(err, ballotbox.ErrNoSuchBallot) || errors.Is(err, ballotbox.ErrAmbiguousBallot) {
				missing[i] = err
				return nil
			}
			changes[i].Voter = cast.Voter
			return err
		}))
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return unfound(missing)
}

// unfound is one problem for all ballots that were not found, or nil.
func unfound(missing []error) error {
	var p *problem
	var faults []fault
	for i, err := range missing {
		if err == nil {
			continue
		}
		if p == nil || errors.Is(err, ballotbox.ErrNoSuchBallot) {
			p = problemOf(err)
		}
		faults = append(faults, fault{Path: fmt.Sprintf("ballots[%d]", i), Message: err.Error()})
	}
	if p == nil {
		return nil
	}
	return &problem{status: p.status, code: p.code, errors: faults}
}
