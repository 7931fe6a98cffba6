package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// check is Store.Check for every node of the cluster. Each line begins with the
// node it is about.
func (c *cluster) check(ctx context.Context) (faults, notes []string, err error) {
	if err := c.refresh(ctx); err != nil {
		return nil, nil, fmt.Errorf("store: check: %w", Classify(err))
	}
	asked, masters, covered := c.topology()
	if covered != slots {
		faults = append(faults, fmt.Sprintf("%d of %d slots have a master, must be all: start the missing nodes, or give their slots to others", covered, slots))
	}
	found := make([]struct {
		faults, unseen, notes []string
		err                   error
	}, len(asked))
	var looking sync.WaitGroup
	for i, addr := range asked {
		looking.Go(func() {
			f := &found[i]
			f.faults, f.unseen, f.notes, f.err = c.at(addr).check(ctx, masters[addr])
		})
	}
	looking.Wait()
	var unseen []string
	noted := map[string][]string{} // nodes are set up alike: a line for all of them
	for i, addr := range asked {
		if found[i].err != nil {
			found[i].faults = []string{"does not answer, must: start it, or take it out of the cluster"}
		}
		for _, fault := range found[i].faults {
			faults = append(faults, addr+": "+fault)
		}
		for _, name := range found[i].unseen {
			unseen = append(unseen, addr+": "+name)
		}
		for _, note := range found[i].notes {
			noted[note] = append(noted[note], addr)
		}
	}
	for _, note := range slices.Sorted(maps.Keys(noted)) {
		notes = append(notes, strings.Join(noted[note], ", ")+": "+note)
	}
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("store: check: %w", Classify(ctx.Err()))
	}
	if len(unseen) > 0 {
		err = fmt.Errorf("%w: %s could not be verified", ErrSettingsHidden, strings.Join(unseen, ", "))
	}
	return faults, notes, err
}

// topology is which nodes there are, sorted, which of them are masters, and of how many slots.
func (c *cluster) topology() (all []string, masters map[string]bool, covered int) {
	c.mu.Lock()
	view := c.view.slots
	c.mu.Unlock()
	masters = map[string]bool{}
	for _, r := range view {
		covered += r.End - r.Start + 1
		for i, n := range r.Nodes {
			if !slices.Contains(all, n.Addr) {
				all = append(all, n.Addr)
				masters[n.Addr] = i == 0
			}
		}
	}
	slices.Sort(all)
	return all, masters, covered
}

// check judges one node by its part.
func (n *node) check(ctx context.Context, master bool) (faults, unseen, notes []string, err error) {
	seen, err := look(ctx, n.admin)
	if err != nil {
		return nil, nil, nil, err
	}
	if state, err := n.admin.ClusterInfo(ctx).Result(); err == nil {
		seen.read(state)
	} else if !hidden(err) {
		return nil, nil, nil, err
	}
	// That each is what the map says is seen by what its part must show.
	role := seen["role"]
	if role != "" {
		seen["role"] = "master"
	}
	faults, unseen = seen.judge()
	must := func(setting, value, how string) {
		switch seen, shown := seen[setting]; {
		case !shown:
			unseen = append(unseen, setting)
		case seen != value:
			faults = append(faults, fmt.Sprintf("%s is %s, must be %s: %s", setting, seen, value, how))
		}
	}
	must("cluster_state", "ok", "CLUSTER NODES says which nodes are missed")
	switch {
	case role == "":
	case !master:
		must("master_link_status", "up", "a replica that does not follow its master confirms nothing: look at its log")
	case seen.replicas() == 0:
		faults = append(faults, "no replica follows this master, must be at least one (nothing is confirmed without, and its loss would lose ballots): start one, or CLUSTER REPLICATE")
	}
	return faults, unseen, seen.notes(), nil
}

// replicas is how many follow this master.
func (seen settings) replicas() (n int) {
	for name, value := range seen {
		number, isReplica := strings.CutPrefix(name, "slave")
		if _, err := strconv.Atoi(number); err == nil && isReplica && strings.Contains(value, "state=online") {
			n++
		}
	}
	return n
}

func parseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errors.New("the cluster does not say how often it has failed over")
	}
	return n, nil
}
