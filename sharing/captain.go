package sharing

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/joute/joute/internal/keyed"
	"github.com/joute/joute/voting"
)

// Captain is who rouses a school: whoever has the link of that school's page.
type Captain struct {
	Contest, School string
	// Generation grows when the links of a school are made anew: those of another
	// generation open nothing.
	Generation uint64
}

// ErrCaptain is returned for text that is no captain's token: forged, cut short,
// or of other servers.
var ErrCaptain = errors.New("not a captain's token")

// captainToken bounds what is read: two ids of 64 characters, a number, and what
// seals them.
const captainToken = 256

// Captains seal tokens. What a token says can be read by nobody else, and the
// same captain has the same token on every server, so a link asked for twice is
// one link.
type Captains struct{ sealer *voting.Sealer }

// NewCaptains takes 32 bytes used for nothing else.
func NewCaptains(key []byte) (*Captains, error) {
	sealer, err := voting.NewSealer(key, "captain")
	return &Captains{sealer}, err
}

// Seal is the token of a captain.
func (c *Captains) Seal(who Captain) string {
	plain := binary.AppendUvarint(nil, who.Generation)
	plain = append(append(append(plain, who.Contest...), 0), who.School...)
	return c.sealer.Seal(plain)
}

// Open reads a token back; whether its generation is the present one is not for
// it to say.
func (c *Captains) Open(token string) (Captain, error) {
	plain, ok := c.sealer.Open(token, captainToken)
	if !ok {
		return Captain{}, ErrCaptain
	}
	generation, n := binary.Uvarint(plain)
	contest, school, ok := strings.Cut(string(plain[max(n, 0):]), "\x00")
	who := Captain{contest, school, generation}
	if n <= 0 || !ok || c.Seal(who) != token { // a number has several spellings
		return Captain{}, ErrCaptain
	}
	return who, nil
}

// OwnerOf is who owns the code a captain shares: a school, or one entry of it.
// It is nobody who votes, so no ballot is the owner's own. The key is the
// contest's, as that of voters.
func OwnerOf(key *keyed.Hash, school, entry string) voting.Voter {
	sum := key.Sum("captain ", school, " ", entry) // ids have no spaces
	return voting.Voter(sum[:16])
}
