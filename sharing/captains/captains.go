// Package captains keeps which links of a school's captain are good: one number
// for each school. The links themselves are sealed, not stored.
package captains

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
)

// Captains makes and reads captains' tokens. It is safe for concurrent use.
type Captains struct {
	store  *store.Store
	sealed *sharing.Captains
}

// New takes 32 bytes used for nothing else, the same on every server.
func New(st *store.Store, key []byte) (*Captains, error) {
	sealed, err := sharing.NewCaptains(key)
	if err != nil {
		return nil, err
	}
	return &Captains{st, sealed}, nil
}

// Token is the token of a school's captain: the same one until it is renewed.
func (c *Captains) Token(ctx context.Context, contestID, school string) (string, error) {
	generation, err := c.generation(ctx, contestID, school)
	if err != nil {
		return "", err
	}
	return c.sealed.Seal(sharing.Captain{Contest: contestID, School: school, Generation: generation}), nil
}

// Renew voids every token of a school's captain so far and gives a new one. On an
// error they may be void all the same: Token then gives the new one. Should the
// store run it twice, the number in between is one that nobody was given.
func (c *Captains) Renew(ctx context.Context, contestID, school string) (string, error) {
	generation, err := c.store.Client().HIncrBy(ctx, generationsKey(contestID), school, 1).Result()
	if err != nil {
		return "", fmt.Errorf("renew captain: %w", store.Classify(err))
	}
	// Lost with its master, the renewal would make good again what it made void.
	if err := c.store.Confirm(ctx, generationsKey(contestID)); err != nil {
		return "", fmt.Errorf("renew captain: %w", err)
	}
	return c.sealed.Seal(sharing.Captain{Contest: contestID, School: school, Generation: uint64(generation)}), nil
}

// Read is whose token that is. It returns [sharing.ErrCaptain] for one that is
// forged or void.
func (c *Captains) Read(ctx context.Context, token string) (sharing.Captain, error) {
	who, err := c.sealed.Open(token)
	if err != nil {
		return sharing.Captain{}, err
	}
	generation, err := c.generation(ctx, who.Contest, who.School)
	switch {
	case err != nil:
		return sharing.Captain{}, err
	case generation != who.Generation:
		return sharing.Captain{}, fmt.Errorf("%w any more", sharing.ErrCaptain)
	}
	return who, nil
}

// Forget takes the numbers of a contest away: with it go all renewals, so it is
// for contests that go too.
func (c *Captains) Forget(ctx context.Context, contestID string) error {
	if err := c.store.Client().Del(ctx, generationsKey(contestID)).Err(); err != nil {
		return fmt.Errorf("forget captains: %w", store.Classify(err))
	}
	return nil
}

func (c *Captains) generation(ctx context.Context, contestID, school string) (uint64, error) {
	n, err := c.store.Client().HGet(ctx, generationsKey(contestID), school).Uint64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("captain: %w", store.Classify(err))
	}
	return n, nil
}
