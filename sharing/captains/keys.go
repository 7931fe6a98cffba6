package captains

// This file alone spells the keys of captains' links.
//
//	joute:{contest/captains}  hash  school -> generation; a school that is not there has 0
//
// It does not expire: with it void links would open again. [Captains.Forget]
// deletes it, once no captain's link of the contest opens any more.
func generationsKey(contestID string) string { return "joute:{" + contestID + "/captains}" }
