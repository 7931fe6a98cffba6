package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// Contest is what the commands read of a contest's public view.
type Contest struct {
	ID       string        `json:"id"`
	Version  int           `json:"version"`
	Identity contest.Level `json:"identity"`

	ForgottenAt string `json:"forgotten_at"` // RFC 3339; empty: it was not
	LedgerKey   string `json:"ledger_key"`   // verifies checkpoints; empty: the server keeps no ledger on disk
	Entries     []struct {
		ID string `json:"id"`
	} `json:"entries"`
}

// Contest reads a contest.
func (c *Client) Contest(ctx context.Context, id string) (Contest, error) {
	var got Contest
	_, err := c.call(ctx, http.MethodGet, c.contestURL(id), nil, &got)
	return got, err
}

// Checkpoint is the newest signed checkpoint of the ledger; nil when the server has
// none yet.
func (c *Client) Checkpoint(ctx context.Context, id string) ([]byte, error) {
	var signed []byte
	_, err := c.call(ctx, http.MethodGet, c.contestURL(id, "checkpoint"), nil, &signed)
	var problem *Problem
	if errors.As(err, &problem) && problem.Status == http.StatusNotFound && problem.Code == "not-found" {
		return nil, nil
	}
	return signed, err
}

// Applied is what became of a document.
type Applied struct {
	Version int
	Created bool
	Changed bool // false: the server had this very document
}

// Apply makes the server keep the document.
func (c *Client) Apply(ctx context.Context, document *contest.Contest) (Applied, error) {
	before, err := c.Contest(ctx, document.ID)
	var problem *Problem
	if err != nil && !(errors.As(err, &problem) && problem.Status == http.StatusNotFound) {
		return Applied{}, err
	}
	var now struct {
		Version int `json:"version"`
	}
	status, err := c.call(ctx, http.MethodPut, c.contestURL(document.ID), document.DocumentWithSecret(), &now)
	if err != nil {
		return Applied{}, err
	}
	return Applied{
		Version: now.Version, Created: status == http.StatusCreated,
		// Somebody else's change in between may make this say "updated" for what
		// the other one did: the version is right either way.
		Changed: now.Version != before.Version,
	}, nil
}

// Leaderboard reads the whole board: an organizer's key shows live numbers.
func (c *Client) Leaderboard(ctx context.Context, id string) (voting.Leaderboard, error) {
	to := c.contestURL(id, "leaderboard")
	to.RawQuery = url.Values{"limit": {"10000"}}.Encode()
	var board voting.Leaderboard
	_, err := c.call(ctx, http.MethodGet, to, nil, &board)
	return board, err
}

// Captain is the link of a school's captain; renew voids those before. Sent again
// after a broken connection it may void one that nobody was given.
func (c *Client) Captain(ctx context.Context, contest, school string, renew bool) (string, error) {
	body, err := json.Marshal(map[string]any{"school": school, "renew": renew})
	if err != nil {
		return "", fmt.Errorf("captain: %w", err)
	}
	var got struct {
		URL string `json:"url"`
	}
	_, err = c.call(ctx, http.MethodPost, c.contestURL(contest, "captains"), body, &got)
	return got.URL, err
}

// EndVoting closes a contest now.
func (c *Client) EndVoting(ctx context.Context, id string) error {
	var got Contest
	_, err := c.call(ctx, http.MethodPost, c.contestURL(id, "close"), []byte("{}"), &got)
	return err
}

// Forget ends the personal data of a contest. After an error the same call goes on.
func (c *Client) Forget(ctx context.Context, id string) (Contest, error) {
	var got Contest
	_, err := c.call(ctx, http.MethodPost, c.contestURL(id, "forget"), []byte("{}"), &got)
	return got, err
}

// Sweeps gives what the detectors did with a contest, each line as the server sent it.
func (c *Client) Sweeps(ctx context.Context, id string, yield func(line []byte) error) error {
	given := 0
	return c.stream(ctx, func() (*url.URL, int) { return c.contestURL(id, "sweeps"), given }, func(line []byte) error {
		if err := yield(line); err != nil {
			return err
		}
		given++
		return nil
	})
}
