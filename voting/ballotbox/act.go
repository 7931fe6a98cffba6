package ballotbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// actLife is how long an act can be undone as one: while whoever did it still
// looks at what came of it. After that each ballot can be changed by hand.
const actLife = time.Hour

// Act is what an organizer has decided about ballots, kept so that it can be undone as a whole. It is a convenience: what happened is in the ledger.
type Act struct {
	Standing voting.Standing `json:"standing"` // that they came to
	Ballots  []ActedBallot   `json:"ballots"`
}

// ActedBallot is one of them, where it stood before, and why.
type ActedBallot struct {
	Ballot  uuid.UUID       `json:"ballot"`
	Voter   voting.Voter    `json:"voter"`
	Was     voting.Standing `json:"was"`
	Reasons []string        `json:"reasons,omitempty"`
}

// ErrNoAct is returned for an act that is not known, or not any more.
var ErrNoAct = errors.New("no such act, or too long ago")

// RememberAct keeps an act under a name that nobody can guess.
func (b *Boxes) RememberAct(ctx context.Context, s *registry.Stored, name string, act Act) error {
	text, err := json.Marshal(act)
	if err != nil {
		return fmt.Errorf("remember act: %w", err)
	}
	if err := b.store.Client().Set(ctx, keysOf(s.Contest.ID, 0).act(name), text, actLife).Err(); err != nil {
		return fmt.Errorf("remember act: %w", store.Classify(err))
	}
	return nil
}

// RecallAct is the act of that name, or [ErrNoAct].
func (b *Boxes) RecallAct(ctx context.Context, s *registry.Stored, name string) (Act, error) {
	text, err := b.store.Client().Get(ctx, keysOf(s.Contest.ID, 0).act(name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return Act{}, ErrNoAct
	}
	if err != nil {
		return Act{}, fmt.Errorf("recall act: %w", store.Classify(err))
	}
	var act Act
	if err := json.Unmarshal(text, &act); err != nil {
		return Act{}, fmt.Errorf("recall act: %w", err)
	}
	return act, nil
}

// UndoAct puts the ballots of an act back to where they were, for the reasons they
// were there, and opens their appeals again. One that has come to another standing
// since stays there. It returns how many went back; a second call finds none left.
func (b *Boxes) UndoAct(ctx context.Context, s *registry.Stored, act Act) (int, error) {
	var changes []Change
	for _, one := range act.Ballots {
		cast, err := b.find(ctx, s, one.Voter, one.Ballot)
		if err != nil {
			return 0, err
		}
		if cast.Standing == act.Standing {
			changes = append(changes, Change{Voter: one.Voter, Ballot: one.Ballot, Standing: one.Was, Actor: voting.ActorOrganizer, Reasons: one.Reasons})
		}
	}
	if err := b.AnswerAppeals(ctx, s, act.Ballots, false); err != nil {
		return 0, err
	}
	return b.ChangeAll(ctx, s, changes)
}
