package voting_test

import (
	"errors"
	"testing"
	"time"

	"github.com/joute/joute/voting"
)

var (
	presence = voting.NewPresence([]byte("a key of the servers"))
	doors    = time.Date(2027, 5, 1, 18, 0, 0, 0, time.UTC) // a window begins here
)

// taken tells whether a code is taken by a server whose clock says now.
func taken(t *testing.T, p *voting.Presence, contest, token string, now time.Time) bool {
	t.Helper()
	code, err := p.ReadCode(contest, token)
	if err == nil {
		err = code.CheckFresh(now)
	}
	if err != nil && !errors.Is(err, voting.ErrPresence) {
		t.Fatalf("%v is no ErrPresence", err)
	}
	return err == nil
}

func TestPresence_CodeIsOfItsWindowAndOfEveryServer(t *testing.T) {
	other := voting.NewPresence([]byte("a key of the servers"))
	seen := map[string]bool{}
	for s := range 120 {
		now := doors.Add(time.Duration(s) * time.Second)
		code := presence.Code("hall", now)
		if now.Before(code.Begins()) || !now.Before(code.Ends()) || code.Ends().Sub(code.Begins()) != voting.PresenceWindow {
			t.Fatalf("after %d s: shown from %v to %v", s, code.Begins(), code.Ends())
		}
		if other.Code("hall", now) != code {
			t.Fatalf("after %d s: two servers show two codes", s)
		}
		if len(code.Token) != 32 {
			t.Fatalf("%q has %d characters", code.Token, len(code.Token))
		}
		seen[code.Token] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d codes in two minutes, want 4", len(seen))
	}
}

// Whenever in its window a code is seen: clocks may be 20 s apart, and a minute
// later it is worth nothing.
func TestPresence_SkewIsToleratedAndReplayIsNot(t *testing.T) {
	for s := range 30 {
		shown := doors.Add(time.Duration(s) * time.Second)
		token := presence.Code("hall", shown).Token
		for skew, want := range map[time.Duration]bool{
			0: true, 20*time.Second - time.Millisecond: true, -20 * time.Second: true,
			60 * time.Second: false, 61 * time.Second: false, -60 * time.Second: false, time.Hour: false, -time.Hour: false,
		} {
			if got := taken(t, presence, "hall", token, shown.Add(skew)); got != want {
				t.Errorf("shown %d s into its window, %v later: taken %v", s, skew, got)
			}
		}
	}
	middle := doors.Add(15 * time.Second)
	for _, skew := range []time.Duration{-45 * time.Second, 45 * time.Second} {
		if taken(t, presence, "hall", presence.Code("hall", middle).Token, middle.Add(skew)) {
			t.Errorf("taken %v later", skew)
		}
	}
}

func TestPresence_ForgedAndForeignAreRefused(t *testing.T) {
	token := presence.Code("hall", doors).Token
	if !taken(t, presence, "hall", token, doors) {
		t.Fatal("control: the code is not taken")
	}
	if taken(t, presence, "hal", token, doors) || taken(t, presence, "hall-2", token, doors) {
		t.Error("a code of another contest is taken")
	}
	if taken(t, voting.NewPresence([]byte("another key")), "hall", token, doors) {
		t.Error("a code of another key is taken")
	}
	for i := range len(token) {
		forged := []byte(token)
		forged[i] = map[bool]byte{true: '1', false: '0'}[forged[i] == '0']
		if taken(t, presence, "hall", string(forged), doors) {
			t.Errorf("taken with character %d changed", i)
		}
	}
	for _, junk := range []string{"", "x", token[1:], token + "0", token + "\n", token[:16] + "\n" + token[16:], "É" + token[1:]} {
		if taken(t, presence, "hall", junk, doors) {
			t.Errorf("%q is taken", junk)
		}
	}
	// Each kind is of use as itself only.
	voter := voting.Voter{1}
	code, err := presence.ReadCode("hall", token)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{presence.HallKey("hall", doors.Add(time.Hour)), presence.Slip("hall", code, voter, doors)} {
		if _, err := presence.ReadCode("hall", other); err == nil {
			t.Errorf("%q is read as a code", other)
		}
	}
	if presence.CheckHallKey("hall", token, doors) == nil || presence.CheckSlip("hall", code, voter, token, doors) == nil {
		t.Error("a code is taken as a hall key or a slip")
	}
}

func TestPresence_HallKeyOpensOneWallForItsTime(t *testing.T) {
	key := presence.HallKey("hall", doors.Add(72*time.Hour))
	for after, want := range map[time.Duration]bool{0: true, 72*time.Hour - time.Second: true, 72 * time.Hour: false, 1000 * time.Hour: false} {
		if got := presence.CheckHallKey("hall", key, doors.Add(after)) == nil; got != want {
			t.Errorf("after %v: opens %v", after, got)
		}
	}
	if presence.CheckHallKey("other", key, doors) == nil {
		t.Error("opens another contest's wall")
	}
}

// A slip that is passed on marks whom it was made for, and nobody else.
func TestPresence_SlipIsForOneVoterAndFiveMinutes(t *testing.T) {
	ada, bob := voting.Voter{1}, voting.Voter{2}
	code, next := presence.Code("hall", doors), presence.Code("hall", doors.Add(voting.PresenceWindow))
	made := doors.Add(10 * time.Second)
	slip := presence.Slip("hall", code, ada, made)
	for after, want := range map[time.Duration]bool{
		0: true, voting.SlipLife: true, -20 * time.Second: true,
		voting.SlipLife + 20*time.Second: false, -21 * time.Second: false, time.Hour: false,
	} {
		if got := presence.CheckSlip("hall", code, ada, slip, made.Add(after)) == nil; got != want {
			t.Errorf("after %v: taken %v", after, got)
		}
	}
	for name, err := range map[string]error{
		"another voter": presence.CheckSlip("hall", code, bob, slip, made),
		"another code":  presence.CheckSlip("hall", next, ada, slip, made),
		"elsewhere":     presence.CheckSlip("other", code, ada, slip, made),
		"nothing":       presence.CheckSlip("hall", code, ada, "", made),
	} {
		if !errors.Is(err, voting.ErrPresence) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Counting uses for PresenceLife outlives every slip of a code.
	last := code.Ends().Add(20 * time.Second).Add(-time.Nanosecond)
	if code.CheckFresh(last) != nil {
		t.Fatal("control: not the last instant")
	}
	end := code.Begins().Add(-20 * time.Second).Add(voting.PresenceLife)
	if presence.CheckSlip("hall", code, ada, presence.Slip("hall", code, ada, last), end) == nil {
		t.Error("a slip outlives PresenceLife")
	}
}

func FuzzPresence_ReadCode(f *testing.F) {
	f.Add("hall", presence.Code("hall", doors).Token)
	f.Add("hall", "")
	f.Add("", "00000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, contest, token string) {
		code, err := presence.ReadCode(contest, token)
		if err != nil {
			return
		}
		if made := presence.Code(contest, code.Begins()); made != code || code.Token != token {
			t.Fatalf("%q of %q is read as %+v, made is %+v", token, contest, code, made)
		}
	})
}
