package registry

// All contests share one hash tag, so that a contest and its line in the index
// change in one step, on a cluster too. Contests are few and change seldom; the
// votes, which are many, have tags of their own.
//
// None of these keys ever expires, and forgetting a contest keeps them: they say
// nothing of voters.
const indexKey = "joute:{contests}" // hash: contest id -> stamp

// contestKey is a hash:
//
//	document      canonical JSON without partner.secret
//	secret        partner.secret, sealed; absent when there is none
//	version       1, 2, 3, …: grows with the document
//	revision      grows with every change of this hash, marks too
//	epoch         unix seconds of its creation, or of the last time it was restored
//	epochs        JSON, see Epoch; absent until it was restored once
//	put           name of the put that made this version
//	configured_at ms, once all its ballot boxes were set up
//	closed_at     ms, once closed by hand
//	published_at  ms, once published
//	forgotten_at  ms, once its personal data is to be deleted
//
// Its stamp is "epoch-revision": equal stamps mean equal hashes, even if the
// store was emptied in between.
func contestKey(id string) string { return indexKey + ":" + id }

// secretPurpose binds a sealed secret to its contest: moved to another, it does not open.
func secretPurpose(id string) string { return "contest " + id + " partner.secret" }
