package reach

import (
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
)

// This file alone spells the keys of codes and links. Those of a contest share
// the hash tag {contest/share}; a contest's id has no brace or slash.
//
//	joute:{contest/share}:codes   hash    code -> owner|made|school|entry
//	joute:{contest/share}:given   hash    link -> 1, once it was given out
//	joute:{contest/share}:visits  hash    link, or @page -> openings, and the name of the last one;
//	                                      '' -> the last place in recent
//	joute:{contest/share}:recent  zset    link, or @page -> place of its last change: ms by the store's clock, and growing
//	joute:share:CODE              string  contest, entry and school that the code leads to
//
// All of them expire 30 days after the close; where voting is ended early, 30 days
// after the close that was announced, unless a link is opened meanwhile: that
// moves it. [Reach.Forget] deletes them at once. Owners are pseudonyms, as in the
// ledger.

// lifetime is how long all of it outlives the close: as long as evidence.
const lifetime = 30 * 24 * time.Hour

func expires(s *registry.Stored) time.Time { return s.Closes().Add(lifetime) }

// keys are those of one contest.
type keys struct{ codes, given, visits, recent string }

func keysOf(contestID string) keys {
	prefix := "joute:{" + contestID + "/share}:"
	return keys{prefix + "codes", prefix + "given", prefix + "visits", prefix + "recent"}
}

// all are the keys in the order every script has them.
func (k keys) all() []string { return []string{k.codes, k.given, k.visits, k.recent} }

// leads has no tag: who opens a link names no contest.
func leads(code sharing.Code) string { return "joute:share:" + code.String() }
