package contest

// CheckSecret faults a contest that takes partner passes but has no key to check
// them with. It is apart from Parse because a document may leave the secret out
// to keep the one it has: only whoever knows that one can tell.
func (c *Contest) CheckSecret() error {
	if c.Identity == LevelPartner && c.Partner.Secret == "" {
		return Faults{{Path: "partner.secret", Message: "expected a key of at least 32 bytes, because identity is partner, found nothing"}}
	}
	return nil
}

// WithSecret is the same contest with another partner.secret.
func (c *Contest) WithSecret(secret string) *Contest {
	with := *c
	with.Partner.Secret = secret
	return &with
}
