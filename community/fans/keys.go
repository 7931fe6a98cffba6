package fans

import "github.com/joute/joute/community"

// This file alone spells the keys of a contest's fans. They share one hash tag,
// {contest/fans}, so that one script may touch them all, on a cluster too;
// contest ids are checked and have no brace or slash, and no ballot box is
// called fans.
//
//	joute:{contest/fans}:members      hash    fan -> member; /school -> how many it has
//	joute:{contest/fans}:ledger       stream  the records, id millisecond-sequence
//	joute:{contest/fans}:wordings     hash    version -> text agreed to
//	joute:{contest/fans}:budget       string  hour|mails caused; expires after 2 hours
//	joute:{contest/fans}:recent       zset    fan that asked -> ms until when it has keys of its own; expires with them
//	joute:{contest/fans}:pending:FAN  string  requests, one a line; expires 48 hours after the last
//	joute:{contest/fans}:asks:FAN     string  when,ask,call,code; of the last hour; expires with it
//
// A member is `position|ask|asked|school|wording|page|channel|lang|parent|address`:
// position is of the join's record, asked in ms, parent 1 or 0, address sealed
// and in base64. A request is `ask|asked|school|…` in the same order. A fan
// whose value is empty has left. What neither expires nor leaves stays until
// [Fans.Forget]: it is the proof of what was agreed to.
type contestKeys struct {
	members, ledger, wordings, budget, recent string
	prefix                                    string
}

func keysOf(contestID string) contestKeys {
	prefix := "joute:{" + contestID + "/fans}:"
	return contestKeys{
		prefix: prefix, members: prefix + "members", ledger: prefix + "ledger", wordings: prefix + "wordings",
		budget: prefix + "budget", recent: prefix + "recent",
	}
}

func (k contestKeys) pending(fan community.Fan) string { return k.prefix + "pending:" + fan.String() }
func (k contestKeys) asks(fan community.Fan) string    { return k.prefix + "asks:" + fan.String() }

// schoolField is where members keeps how many a school has. No fan begins so.
func schoolField(school string) string { return "/" + school }

// addressPurpose binds a sealed address to its fan: moved to another, it does not open.
func addressPurpose(contestID string, fan community.Fan) string {
	return "contest " + contestID + " fan " + fan.String()
}
