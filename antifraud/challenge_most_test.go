package antifraud

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"
)

// A number above the most is refused, whatever its hash: nobody makes such a
// challenge, and nobody who finds a way to is believed.
func TestChallenge_ANumberAboveTheMostIsNone(t *testing.T) {
	c, now := NewChallenges([]byte("key")), time.Unix(1_800_000_000, 0)
	for number, good := range map[int]bool{10: true, 11: false} {
		salt := fmt.Sprintf("AAAAAAAAAAAAAAAA?expires=%d&max=10&", now.Unix()+60)
		hash := solved(salt, number)
		payload := fmt.Sprintf(`{"algorithm":"SHA-256","challenge":%q,"number":%d,"salt":%q,"signature":%q}`, hash, number, salt, c.sign("x", salt, hash))
		if _, err := c.Check(base64.StdEncoding.EncodeToString([]byte(payload)), "x", now); (err == nil) != good || err != nil && !errors.Is(err, ErrChallenge) {
			t.Errorf("%d: %v", number, err)
		}
	}
}
