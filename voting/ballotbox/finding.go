package ballotbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// Finding is why the detectors decided on a ballot as they did. It is evidence: for
// organizers alone, and gone with the rest of it.
type Finding struct {
	Sweep    int                `json:"sweep"` // number of the one that decided
	Standing voting.Standing    `json:"standing"`
	Score    float64            `json:"score"` // probability that the voter is a farm's
	Reasons  []antifraud.Reason `json:"reasons"`
	Cluster  string             `json:"cluster,omitempty"`
	Families []antifraud.Family `json:"families"` // that speak against the ballot by themselves
	Parts    []detect.Part      `json:"parts"`    // what Score is made of
	Policy   string             `json:"policy"`
	Model    string             `json:"model"`
}

// BallotFinding is a finding and the ballot it is of.
type BallotFinding struct {
	Voter  voting.Voter
	Ballot uuid.UUID
	Finding
}

// findingsPage is how many findings one script keeps: other scripts wait for it.
const findingsPage = 200

// KeepFindings keeps the last word of the detectors on ballots. Of a contest that was
// forgotten nothing is kept: [registry.ErrForgotten]. After another error some may be
// kept, and the same call keeps the rest.
func (b *Boxes) KeepFindings(ctx context.Context, s *registry.Stored, findings []BallotFinding) error {
	args := make([][]any, s.Contest.Boxes)
	for _, f := range findings {
		text, err := json.Marshal(f.Finding)
		if err != nil {
			return fmt.Errorf("keep findings: %w", err)
		}
		box := boxOf(f.Voter, s.Contest.Boxes)
		args[box] = append(args[box], ballotField(f.Ballot, f.Voter), text)
	}
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
		for page := range slices.Chunk(args[box], 2*findingsPage) {
			reply, err := b.reply(ctx, s, box, b.finding, keys.common(keys.findings), page...)
			if err != nil {
				return err
			}
			if reply.code() == "forgotten" {
				return registry.ErrForgotten
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep findings: %w", err)
	}
	return nil
}

// ErrSweepTaken is returned for the number of a sweep that another server has used.
var ErrSweepTaken = errors.New("another server sweeps the contest")

// KeepSweep keeps one sweep of the detectors under its number, and where they are
// after it, both JSON. Number 0 keeps only the latter. The same call again changes
// nothing; another sweep under the number is [ErrSweepTaken] and changes nothing
// either. Of a contest that was forgotten nothing is kept: [registry.ErrForgotten].
func (b *Boxes) KeepSweep(ctx context.Context, s *registry.Stored, number int, sweep, now []byte) error {
	field := ""
	if number > 0 {
		field = strconv.Itoa(number)
	}
	keys := keysOf(s.Contest.ID, 0)
	reply, err := b.reply(ctx, s, 0, b.sweep, keys.common(keys.sweeps), field, sweep, now)
	if err != nil {
		return fmt.Errorf("keep sweep: %w", err)
	}
	switch reply.code() {
	case "kept":
		return nil
	case "taken":
		return ErrSweepTaken
	case "forgotten":
		return registry.ErrForgotten
	}
	return fmt.Errorf("keep sweep: unknown reply %q", reply.code())
}

// Sweeps gives the sweeps that were kept, in their order, and where the detectors
// are; nothing before the first, and after they have expired.
func (b *Boxes) Sweeps(ctx context.Context, s *registry.Stored) (sweeps [][]byte, now []byte, err error) {
	kept, err := b.store.Client().HGetAll(ctx, keysOf(s.Contest.ID, 0).sweeps).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("sweeps: %w", store.Classify(err))
	}
	for number := 1; ; number++ { // without a hole: each sweep looks for the last number first
		text, there := kept[strconv.Itoa(number)]
		if !there {
			break
		}
		sweeps = append(sweeps, []byte(text))
	}
	if text, there := kept[sweepNow]; there {
		now = []byte(text)
	}
	return sweeps, now, nil
}

// sweepNow is the field of where the detectors are.
const sweepNow = "now"

// SweepNow is where the detectors are; nil when they never ran, or it has expired.
func (b *Boxes) SweepNow(ctx context.Context, s *registry.Stored) ([]byte, error) {
	now, err := b.store.Client().HGet(ctx, keysOf(s.Contest.ID, 0).sweeps, sweepNow).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", store.Classify(err))
	}
	return now, nil
}

// LastSweep is the highest number of a sweep that was kept, 0 for none.
func (b *Boxes) LastSweep(ctx context.Context, s *registry.Stored) (int, error) {
	fields, err := b.store.Client().HKeys(ctx, keysOf(s.Contest.ID, 0).sweeps).Result()
	if err != nil {
		return 0, fmt.Errorf("sweeps: %w", store.Classify(err))
	}
	last := 0
	for _, field := range fields {
		if n, err := strconv.Atoi(field); err == nil {
			last = max(last, n)
		}
	}
	return last, nil
}

// parseFinding reads what KeepFindings kept; nil for nothing.
func parseFinding(read *redis.StringCmd) (*Finding, error) {
	text, err := read.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, store.Classify(err)
	}
	var f Finding
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("finding: %w", err)
	}
	return &f, nil
}
