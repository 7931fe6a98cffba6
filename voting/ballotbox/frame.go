package ballotbox

import (
	"sync"

	"github.com/joute/joute/internal/store"
)

// frame is what all casts of a box have in common as long as the box is there: made
// for each cast it would take a tenth of a server's time for the cast.
type frame struct {
	keys   boxKeys
	shared store.Words // the keys that cast.lua begins with
}

// frames are those of the boxes that were cast into: some hundred bytes each.
type frames struct {
	mu *sync.RWMutex
	by map[boxName]*frame // guarded by mu
}

type boxName struct {
	contest string
	box     int
}

func newFrames() frames { return frames{&sync.RWMutex{}, map[boxName]*frame{}} }

func (f frames) of(contest string, box int) *frame {
	name := boxName{contest, box}
	f.mu.RLock()
	known := f.by[name]
	f.mu.RUnlock()
	if known != nil {
		return known
	}
	made := &frame{keys: keysOf(contest, box)}
	for _, key := range made.keys.common(made.keys.evidence, made.keys.held) {
		made.shared.Text(key)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by[name] = made
	return made
}
