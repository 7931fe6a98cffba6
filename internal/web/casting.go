package web

import (
	"sync"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// casting is a ballot under way, with all that is found out about it. It is not on the
// stack: each of thousands of connections keeps one as deep as it once was, and with this
// 8 KiB are enough (TestConnections_HoldLittleWhileTheyAreQuiet).
type casting struct {
	stored   *registry.Stored
	body     castBody // of a ballot that came by the API
	id       uuid.UUID
	entry    string
	school   string // of the entry, once it was looked up
	pass     voting.Pass
	attempt  antifraud.Attempt
	solution string // of a challenge that the ballot was asked for before, or empty

	screened screened
	ballot   voting.Ballot
	outcome  voting.Outcome
}

var castings = sync.Pool{New: func() any { return new(casting) }}

func newCasting(stored *registry.Stored) *casting {
	k := castings.Get().(*casting)
	k.stored = stored
	return k
}

// done forgets the ballot, for another one.
func (k *casting) done() {
	*k = casting{}
	castings.Put(k)
}
