package sweep

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/joute/joute/internal/store"
)

//go:embed lua/lease.lua
var leaseSource string

// leaseKey is of who sweeps a contest: a name made up at each start. It expires by
// itself, and says nothing of voters.
func leaseKey(contestID string) string { return "joute:{" + contestID + "/sweep}:lease" }

// leases say which server sweeps a contest.
type leases struct {
	script *store.Script
	name   string // of this server
	life   time.Duration
}

// take gets or keeps a contest's lease. False means that another server has it, or
// may have: after an error nobody knows.
func (l leases) take(ctx context.Context, contestID string) (bool, error) {
	return l.run(ctx, contestID, l.life, "mine")
}

// give ends a lease before its time.
func (l leases) give(ctx context.Context, contestID string) error {
	_, err := l.run(ctx, contestID, 0, "given")
	return err
}

func (l leases) run(ctx context.Context, contestID string, life time.Duration, want string) (bool, error) {
	reply, err := l.script.Run(ctx, []string{leaseKey(contestID)}, l.name, life.Milliseconds()).StringSlice()
	if err != nil {
		return false, fmt.Errorf("lease: %w", err)
	}
	if len(reply) == 1 && (reply[0] == want || reply[0] == "others") {
		return reply[0] == want, nil
	}
	return false, fmt.Errorf("lease: unknown reply %q", reply)
}
