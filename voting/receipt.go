package voting

import (
	"encoding/binary"
	"errors"

	"github.com/google/uuid"
)

// Receipt is what an accepted ballot's receipt says to the servers that made
// it. To everybody else it is opaque: who holds a receipt can ask where the
// ballot stands, and cannot read from it which ledger line, and so which entry,
// it is.
type Receipt struct {
	Contest  string
	Voter    Voter
	Ballot   uuid.UUID
	Position Position
}

// ErrReceipt is returned for text that is not a receipt of these servers.
var ErrReceipt = errors.New("not a receipt")

// Receipts seals and opens receipts. The same receipt always gives the same
// text, on every server with the same key, so a repeated ballot is answered
// byte for byte as the first time without storing the text.
type Receipts struct{ sealer *Sealer }

// NewReceipts takes a 32-byte key.
func NewReceipts(key []byte) (*Receipts, error) {
	sealer, err := NewSealer(key, "receipt")
	return &Receipts{sealer}, err
}

// Seal writes r as an opaque URL-safe string of at most 250 characters.
func (s *Receipts) Seal(r Receipt) string {
	plain := make([]byte, 0, 160)
	plain = append(plain, 1) // layout version
	plain = append(plain, r.Voter[:]...)
	plain = append(plain, r.Ballot[:]...)
	plain = binary.AppendUvarint(plain, uint64(r.Position.Epoch))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Box))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Millis))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Offset))
	plain = append(plain, r.Contest...)
	return s.sealer.Seal(plain)
}

// Open reads a receipt back, or returns [ErrReceipt].
func (s *Receipts) Open(text string) (Receipt, error) {
	plain, ok := s.sealer.Open(text, 512)
	if !ok || len(plain) < 33 || plain[0] != 1 {
		return Receipt{}, ErrReceipt
	}
	var r Receipt
	copy(r.Voter[:], plain[1:17])
	copy(r.Ballot[:], plain[17:33])
	rest := plain[33:]
	var numbers [4]uint64
	for i := range numbers {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			return Receipt{}, ErrReceipt
		}
		numbers[i], rest = n, rest[size:]
	}
	r.Position = Position{
		Epoch: int64(numbers[0]), Box: int(numbers[1]), Millis: int64(numbers[2]), Offset: int64(numbers[3]),
	}
	r.Contest = string(rest)
	return r, nil
}
