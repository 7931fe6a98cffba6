package community_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting"
)

func TestFan_IsNoVoterAndNoFanOfAnotherContest(t *testing.T) {
	ring, err := keyring.Open("")
	if err != nil {
		t.Fatal(err)
	}
	fan := func(contestID, canonical string) community.Fan {
		key, err := ring.Contest(contestID)
		if err != nil {
			t.Fatal(err)
		}
		fan, err := community.NewFan(key, canonical)
		if err != nil {
			t.Fatal(err)
		}
		return fan
	}
	one := fan("one", "ada@example.org")
	if fan("one", "ada@example.org") != one {
		t.Error("the same address is two fans")
	}
	voter, err := voting.NewPasses(ring).EmailVoter("one", "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(voter[:], one[:]) || fan("two", "ada@example.org") == one || fan("one", "bob@example.org") == one {
		t.Error("a fan can be tied to somebody else")
	}
}

func TestFan_TextIsOneAndReadBack(t *testing.T) {
	fan := community.Fan{1, 2, 255}
	var back community.Fan
	if err := back.UnmarshalText([]byte(fan.String())); err != nil || back != fan {
		t.Fatalf("%v %v", back, err)
	}
	text := fan.String()
	for _, wrong := range []string{"", text[1:], text + "0", strings.ToUpper(text[:25]) + "z", text[:25] + "v", text + "\n", text[:10] + "\n" + text[11:]} {
		if err := back.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q was read", wrong)
		}
	}
}

func TestWording_IsOneVersionForOneTextInOneLanguage(t *testing.T) {
	one := community.NewWording("fr", "Je rejoins")
	if again := community.NewWording("fr", "Je rejoins"); again != one || !strings.HasPrefix(one.Version, "fr-") || len(one.Version) != 19 {
		t.Errorf("%+v, then %+v", one, again)
	}
	for _, other := range []community.Wording{community.NewWording("en", "Je rejoins"), community.NewWording("fr", "Je rejoins !")} {
		if other.Version == one.Version {
			t.Errorf("%+v has the version of %+v", other, one)
		}
	}
}

func TestRecord_SaysNoAddress(t *testing.T) {
	line, err := json.Marshal(community.Record{
		Position: "1771000000123-0", At: time.UnixMilli(1771000000123), Kind: community.Join, School: "lumiere", Wording: "fr-1", Page: "/c/one", Channel: community.ChannelSite,
	})
	want := `{"position":"1771000000123-0","kind":"join","at":"2026-02-13T16:26:40.123Z","fan":"00000000000000000000000000","school":"lumiere","wording":"fr-1","page":"/c/one","channel":"site"}`
	if err != nil || string(line) != want {
		t.Errorf("%s %v", line, err)
	}
}

func newTokens(t testing.TB, key byte) *community.Tokens {
	t.Helper()
	tokens, err := community.NewTokens(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

var token = community.Token{Purpose: community.ToConfirm, Contest: strings.Repeat("c", 64), Fan: community.Fan{1}, Ask: community.AskID{2}}

func TestTokens_AreForTheirPurposeAlone(t *testing.T) {
	tokens := newTokens(t, 7)
	text := tokens.Seal(token)
	if back, err := newTokens(t, 7).Open(text, community.ToConfirm); err != nil || back != token || len(text) > 175 {
		t.Fatalf("%+v %v, %d characters", back, err, len(text))
	}
	if _, err := tokens.Open(text, community.ToLeave); !errors.Is(err, community.ErrToken) {
		t.Errorf("a link to confirm leaves: %v", err)
	}
	if _, err := newTokens(t, 8).Open(text, community.ToConfirm); !errors.Is(err, community.ErrToken) {
		t.Errorf("another key: %v", err)
	}
	for i := range text {
		other := []byte(text)
		other[i] = map[bool]byte{true: 'B', false: 'A'}[other[i] == 'A']
		if _, err := tokens.Open(string(other), community.ToConfirm); !errors.Is(err, community.ErrToken) {
			t.Errorf("character %d changed: %v", i, err)
		}
	}
	for _, junk := range []string{"", "A", text + "A", text[1:], text + "\n", strings.Repeat("A", 10_000), "é"} {
		if _, err := tokens.Open(junk, community.ToConfirm); !errors.Is(err, community.ErrToken) {
			t.Errorf("%.20q: %v", junk, err)
		}
	}
}

// No text opens but one that was sealed, for what it was sealed for; changed
// anywhere, none does. None panics.
func FuzzFanToken(f *testing.F) {
	tokens := newTokens(f, 7)
	seeded := community.Token{Purpose: community.ToLeave, Contest: "one", Fan: community.Fan{1}}
	text := tokens.Seal(seeded)
	f.Add(text, uint16(0), byte(1))
	f.Add(text[:len(text)-1], uint16(20), byte(128))
	f.Add(newTokens(f, 8).Seal(token), uint16(90), byte(3))
	f.Add("", uint16(1), byte(0))
	f.Fuzz(func(t *testing.T, text string, at uint16, change byte) {
		for _, purpose := range []community.Purpose{community.ToConfirm, community.ToLeave} {
			if got, err := tokens.Open(text, purpose); err == nil && (got != seeded || purpose != community.ToLeave) {
				t.Errorf("%q opened as %+v", text, got)
			}
		}
		made := community.Token{Purpose: community.ToConfirm, Contest: text[:min(len(text), 64)], Ask: community.AskID{change}}
		sealed := []byte(tokens.Seal(made))
		if got, err := tokens.Open(string(sealed), community.ToConfirm); err != nil || got != made {
			t.Fatalf("%+v came back as %+v, %v", made, got, err)
		}
		if change == 0 {
			return
		}
		sealed[int(at)%len(sealed)] ^= change
		if got, err := tokens.Open(string(sealed), community.ToConfirm); err == nil {
			t.Errorf("changed, it opened as %+v", got)
		}
	})
}
