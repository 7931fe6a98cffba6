package gate

// This file alone spells the keys of the shared counters. Each key is a hash tag
// of its own: counters spread over a cluster, and no script touches two. Contest
// ids are checked and have no brace or slash.
//
//	joute:{contest/uses/kind/name}  set  who used one short-lived thing; lives as long as Uses.Life says
//
// Members are pseudonyms of the contest: no address, no name.

func usesKey(u Uses) string { return "joute:{" + u.Contest + "/uses/" + u.Kind + "/" + u.Name + "}" }
