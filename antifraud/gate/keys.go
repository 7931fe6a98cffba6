package gate

// This file alone spells the keys of the shared counters. Each counter's key is a
// hash tag of its own: counters spread over a cluster, and no script touches two. The four of farms share one. Contest
// ids are checked and have no brace or slash.
//
//	joute:{contest/uses/kind/name}  set  who used one short-lived thing; lives as long as Uses.Life says
//	                                      [Counters.Forget] deletes those of a contest
//	joute:{contest/rate/kind/name}  zset  acts of the last span; lives for a span after the last, or until Forget;
//	                                      of all contests together: the contest is empty
//	joute:{contest/farms}:known     hash  id -> signature of a farm; until the last of them expires
//	joute:{contest/farms}:lifted    hash  id -> since when it is lifted; as long, and liftedLife after the last lifting
//	joute:{contest/farms}:met       hash  id -> attempts that bore it, id! -> those rejected; as long
//	joute:{contest/farms}:change    string the last change; as long
//	joute:{contest/pressure}        hash  minute/seen, minute/suspect -> attempts; for pressureSpan after the last
//	                                      [Farms.Forget] and [Pressure.Forget] delete those of a contest
//
// Members are pseudonyms of the contest, or ballots; signatures and sightings are of keyed hashes: no address, no name.

func rateKey(r Rate) string { return ratePrefix(r.Contest) + r.Kind + "/" + r.Name + "}" }

func ratePrefix(contestID string) string { return "joute:{" + contestID + "/rate/" }

func usesKey(u Uses) string { return usesPrefix(u.Contest) + u.Kind + "/" + u.Name + "}" }

func usesPrefix(contestID string) string { return "joute:{" + contestID + "/uses/" }

// farmKeys are the keys of a contest's farms.
func farmKeys(contestID string) (known, lifted, met, change string) {
	prefix := "joute:{" + contestID + "/farms}:"
	return prefix + "known", prefix + "lifted", prefix + "met", prefix + "change"
}

func pressureKey(contestID string) string { return "joute:{" + contestID + "/pressure}" }

func windowsKey(contestID string) string { return "joute:{" + contestID + "/windows}" }
