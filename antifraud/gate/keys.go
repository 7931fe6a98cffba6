package gate

// This file alone spells the keys of the shared counters. Each key is a hash tag
// of its own: counters spread over a cluster, and no script touches two. Contest
// ids are checked and have no brace or slash.
//
//	joute:{contest/uses/kind/name}  set  who used one short-lived thing; lives as long as Uses.Life says
//	                                      [Counters.Forget] deletes those of a contest
//	joute:{contest/rate/kind/name}  zset  acts of the last span; lives for a span after the last, or until Forget;
//	                                      of all contests together: the contest is empty
//
// Members are pseudonyms of the contest, ballots, or hashes of keyed hashes: no address, no name.

func rateKey(r Rate) string { return ratePrefix(r.Contest) + r.Kind + "/" + r.Name + "}" }

func ratePrefix(contestID string) string { return "joute:{" + contestID + "/rate/" }

func usesKey(u Uses) string { return usesPrefix(u.Contest) + u.Kind + "/" + u.Name + "}" }

func usesPrefix(contestID string) string { return "joute:{" + contestID + "/uses/" }

func windowsKey(contestID string) string { return "joute:{" + contestID + "/windows}" }
