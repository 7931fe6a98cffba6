package sharing

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/joute/joute/internal/keyed"
)

func captains(t testing.TB, key string) *Captains {
	t.Helper()
	c, err := NewCaptains([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const longestID = "a23456789-a23456789-a23456789-a23456789-a23456789-a23456789-a234"

func TestCaptains_OneTokenACaptainOnEveryServer(t *testing.T) {
	one, other := captains(t, "a key"), captains(t, "a key")
	seen := map[string]Captain{}
	for _, who := range []Captain{
		{"cv", "lumiere", 0}, {"cv", "lumiere", 1}, {"cv", "vercors", 0}, {"cv2", "lumiere", 0}, {"cvl", "umiere", 0}, {longestID, longestID, 1 << 63},
	} {
		token := one.Seal(who)
		if again := other.Seal(who); again != token {
			t.Errorf("%v has two tokens", who)
		}
		if twin, known := seen[token]; known {
			t.Errorf("%v and %v have one token", who, twin)
		}
		seen[token] = who
		if got, err := other.Open(token); err != nil || got != who {
			t.Errorf("%v is read as %v, %v", who, got, err)
		}
		if raw, _ := base64.RawURLEncoding.DecodeString(token); strings.Contains(string(raw), "lumiere") || len(token) > captainToken {
			t.Errorf("%v: token %q", who, token)
		}
	}
}

func TestCaptains_AForgedTokenIsNone(t *testing.T) {
	c := captains(t, "a key")
	token := c.Seal(Captain{"cv", "lumiere", 0})
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	forged := []string{"", "x", token[:len(token)-1], token + "A", token + "=", token[:9] + "\n" + token[9:], strings.Repeat("A", 300), captains(t, "another").Seal(Captain{"cv", "lumiere", 0})}
	for i := range raw {
		raw[i] ^= 1
		forged = append(forged, base64.RawURLEncoding.EncodeToString(raw))
		raw[i] ^= 1
	}
	for _, text := range forged {
		if who, err := c.Open(text); !errors.Is(err, ErrCaptain) {
			t.Errorf("%q is read as %v", text, who)
		}
	}
}

func FuzzCaptainToken(f *testing.F) {
	c := captains(f, "a key")
	f.Add(c.Seal(Captain{"cv", "lumiere", 0}))
	f.Add(c.Seal(Captain{"", "", 1 << 63}))
	token := c.Seal(Captain{"cv", "lumiere", 0})
	f.Add(token[:9] + "\r\n" + token[9:])
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		who, err := c.Open(text)
		if err != nil {
			if !errors.Is(err, ErrCaptain) {
				t.Fatal(err)
			}
			return
		}
		if c.Seal(who) != text {
			t.Fatalf("%q is not the token of %v", text, who)
		}
	})
}

func TestOwnerOf_IsNobodyElse(t *testing.T) {
	seen := map[Code]bool{}
	for _, school := range []string{"lumiere", "vercors"} {
		for _, entry := range []string{"", "lumiere-1", "vercors-1"} {
			code := CodeOf(keyed.New([]byte("k")), OwnerOf(keyed.New([]byte("k")), school, entry))
			if seen[code] {
				t.Errorf("%s %s shares its code", school, entry)
			}
			seen[code] = true
		}
	}
}
