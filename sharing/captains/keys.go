package captains

// This file alone spells the keys of captains' links.
//
//	joute:{contest/captains}  hash  school -> generation; a school that is not there has 0
//
// It does not expire: with it void links would open again.
func generationsKey(contestID string) string { return "joute:{" + contestID + "/captains}" }
