package voting

import "testing"

func FuzzParseLeaderboardPosition(f *testing.F) {
	for _, seed := range []string{"", "7-10396", "7-", "-7-1", "07-1", "9223372036854775808-1", "7-1\n", "7-1-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if epoch, offset, ok := ParseLeaderboardPosition(text); ok && LeaderboardPosition(epoch, offset) != text {
			t.Errorf("%q is read as %d-%d", text, epoch, offset)
		}
	})
}
