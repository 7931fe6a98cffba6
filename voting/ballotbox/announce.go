package ballotbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/joute/joute/internal/store"
)

// Announce tells every server of the store that something changed in the boxes
// of these contests. It says no more: numbers are read, never sent. It is best
// effort, so whoever listens also looks from time to time.
func (b *Boxes) Announce(ctx context.Context, contestIDs ...string) error {
	if len(contestIDs) == 0 {
		return nil
	}
	if err := b.store.Client().Publish(ctx, changedChannel, strings.Join(contestIDs, " ")).Err(); err != nil {
		return fmt.Errorf("announce: %w", store.Classify(err))
	}
	return nil
}

// Changes calls changed with the id of each contest that is announced, by any
// server, until ctx ends. A connection that is lost is made again; what was
// announced meanwhile is not heard.
func (b *Boxes) Changes(ctx context.Context, changed func(contestID string)) {
	heard := b.store.Client().Subscribe(ctx, changedChannel)
	defer heard.Close()
	announced := heard.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-announced:
			if !ok {
				return // the store is closed
			}
			for _, id := range strings.Fields(message.Payload) {
				changed(id)
			}
		}
	}
}
