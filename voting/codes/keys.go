package codes

// This file alone spells the keys of pending codes.
//
//	joute:{code/contest/pending}  hash  what was asked for; expires with the code, or goes with [Codes.Forget]
//
// Its fields: code (a keyed hash), address and device (voters), school, sealed (the
// address, encrypted), present, tries, last, used. How many codes an address got is counted
// by package gate under a keyed hash.

func pendingKey(contestID, pending string) string {
	return pendingPrefix(contestID) + pending + "}"
}

func pendingPrefix(contestID string) string { return "joute:{code/" + contestID + "/" }
