package attack

import (
	"context"
	"hash/fnv"
)

// answering is the share of honest voters who see that their ballot is held and prove
// an address for it. Assumed: nobody has measured it.
const answering = 0.5

// answer proves addresses for the votes that are held, where the farm deals in inboxes
// at all: what is held tells it what would release it, and an inbox that was proven once
// is proven again. It tells how many were counted for it.
func (s *shop) answer(ctx context.Context, g Ground, votes []vote) (proved int, err error) {
	var asked []*vote
	var ids []string
	for i := range votes {
		if v := &votes[i]; v.act.Plan[Accounts] > 0 && !s.noInboxes {
			asked, ids = append(asked, v), append(ids, v.act.ID)
		}
	}
	held, err := heldOf(ctx, g, ids)
	if err != nil || len(held) == 0 {
		return 0, err
	}
	if err := g.Prove(ctx, held); err != nil {
		return 0, err
	}
	known, err := g.Ask(ctx, held)
	if err != nil {
		return 0, err
	}
	for _, v := range asked {
		if known[v.act.ID].Standing != Counted {
			continue
		}
		if v.act.Level == "device" && !v.proven {
			s.spent += s.costs.Inbox
		}
		v.proven = true
		if v.own {
			proved++
		}
	}
	return proved, nil
}

// heldOf are those of ids that are held.
func heldOf(ctx context.Context, g Ground, ids []string) (held []string, err error) {
	known, err := g.Ask(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if known[id].Standing == Held {
			held = append(held, id)
		}
	}
	return held, nil
}

// answer lets those of the crowd who are held prove themselves: each does, or never does.
func (a *audience) answer(ctx context.Context, g Ground) error {
	held, err := heldOf(ctx, g, a.ids)
	if err != nil {
		return err
	}
	var willing []string
	for _, id := range held {
		if _, before := a.held[id]; !before {
			// By the ballot's own id, and not by the market's dice: who is held is another
			// matter from what a farm does.
			sum := fnv.New32a()
			sum.Write([]byte(id))
			a.held[id] = float64(sum.Sum32()%1000) < 1000*answering
		}
		if a.held[id] {
			willing = append(willing, id)
		}
	}
	if len(willing) == 0 {
		return nil
	}
	if err := g.Prove(ctx, willing); err != nil {
		return err
	}
	left, err := heldOf(ctx, g, willing)
	a.proved += len(willing) - len(left)
	return err
}
