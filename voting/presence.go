package voting

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Presence makes the three tokens by which a pass comes to be marked as present:
//
//   - a hall key opens the wall that shows the code: the organizer gives it out;
//   - a code is what the wall shows, another one every [PresenceWindow];
//   - a slip is what a code is changed for when somebody opens it: it leaves them
//     time to read and press, and is good for one voter.
//
// All servers of a data folder make the same code at the same time. Nothing is
// stored: how often one code is used is counted elsewhere, by [HallCode.Window].
type Presence struct{ key []byte }

const (
	// PresenceWindow is how long the wall shows one code.
	PresenceWindow = 30 * time.Second

	// presenceSkew is how far the clocks of the server that shows a code and of
	// the one that takes it may be apart, and the time a scan takes: a code is
	// taken for that long before and after its window. Whoever repeats one a
	// minute after it was shown comes too late, whenever in its window that was.
	presenceSkew = 20 * time.Second

	// SlipLife is how long a slip may be handed in.
	SlipLife = 5 * time.Minute

	// PresenceLife is how long a code can be of any use, its last slip included,
	// on servers whose clocks are presenceSkew apart.
	PresenceLife = PresenceWindow + 2*presenceSkew + SlipLife + presenceSkew
)

// ErrPresence is returned for a hall key, code or slip that is forged, made for
// another contest or voter, or not of this time. Which of these it was stays in
// the wrapped error.
var ErrPresence = errors.New("invalid presence token")

// NewPresence signs with key.
func NewPresence(key []byte) *Presence { return &Presence{key} }

// HallKey opens the wall with the code until an instant, to the second.
func (p *Presence) HallKey(contestID string, until time.Time) string {
	return p.seal("hall", contestID, uint32(until.Unix()), nil)
}

// CheckHallKey tells whether key opens the contest's wall now.
func (p *Presence) CheckHallKey(contestID, key string, now time.Time) error {
	until, err := p.open("hall", contestID, key, nil)
	if err == nil && !now.Before(time.Unix(int64(until), 0)) {
		err = fmt.Errorf("%w: the hall key has expired", ErrPresence)
	}
	return err
}

// HallCode is what the wall of a contest shows for one window.
type HallCode struct {
	Token  string
	Window uint32 // its number: windows are counted from 1970
}

// Begins and Ends are when the wall shows the code.
func (c HallCode) Begins() time.Time {
	return time.Unix(int64(c.Window)*int64(PresenceWindow/time.Second), 0)
}
func (c HallCode) Ends() time.Time { return c.Begins().Add(PresenceWindow) }

// CheckFresh tells whether the code may still be, or already be, changed for a slip.
func (c HallCode) CheckFresh(now time.Time) error {
	if now.Before(c.Begins().Add(-presenceSkew)) || !now.Before(c.Ends().Add(presenceSkew)) {
		return fmt.Errorf("%w: the code is not of this minute", ErrPresence)
	}
	return nil
}

// Code is the one to show now.
func (p *Presence) Code(contestID string, now time.Time) HallCode {
	window := uint32(now.Unix() / int64(PresenceWindow/time.Second))
	return HallCode{p.seal("code", contestID, window, nil), window}
}

// ReadCode reads a code of the contest, of any time: see [HallCode.CheckFresh].
func (p *Presence) ReadCode(contestID, token string) (HallCode, error) {
	window, err := p.open("code", contestID, token, nil)
	return HallCode{token, window}, err
}

// Slip lets one voter hand in a code for [SlipLife].
func (p *Presence) Slip(contestID string, code HallCode, voter Voter, now time.Time) string {
	return p.seal("slip", contestID, uint32(now.Add(SlipLife).Unix()), slipFacts(code, voter))
}

// CheckSlip tells whether the slip was made for this code and this voter, and may
// still be handed in.
func (p *Presence) CheckSlip(contestID string, code HallCode, voter Voter, slip string, now time.Time) error {
	until, err := p.open("slip", contestID, slip, slipFacts(code, voter))
	if err != nil {
		return err
	}
	// A slip ends by the clock of the server that made it.
	if end := time.Unix(int64(until), 0); !now.Before(end.Add(presenceSkew)) || now.Before(end.Add(-SlipLife-presenceSkew)) {
		return fmt.Errorf("%w: the slip is not of these minutes", ErrPresence)
	}
	return nil
}

func slipFacts(code HallCode, voter Voter) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(nil), voter[:]...), code.Window)
}

// presenceMAC is how much of the MAC a token has: 128 bits. With the number that
// makes 20 bytes, which are 32 characters exactly: one token has one spelling,
// and a QR code of it stays coarse enough to be read from the last row.
const presenceMAC = 16

func (p *Presence) seal(kind, contestID string, number uint32, facts []byte) string {
	raw := binary.BigEndian.AppendUint32(make([]byte, 0, 4+presenceMAC), number)
	return voterText.EncodeToString(append(raw, p.mac(kind, contestID, number, facts)...))
}

func (p *Presence) open(kind, contestID, token string, facts []byte) (number uint32, err error) {
	raw, err := voterText.DecodeString(token)
	// Decoding skips line breaks: only what is written back is the token itself.
	if err != nil || len(raw) != 4+presenceMAC || voterText.EncodeToString(raw) != token {
		return 0, fmt.Errorf("%w: not a token", ErrPresence)
	}
	number = binary.BigEndian.Uint32(raw)
	if !hmac.Equal(raw[4:], p.mac(kind, contestID, number, facts)) {
		return 0, fmt.Errorf("%w: forged, or not made for this", ErrPresence)
	}
	return number, nil
}

// mac is over fields of fixed length but the contest's id, which has no NUL.
func (p *Presence) mac(kind, contestID string, number uint32, facts []byte) []byte {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(kind)) // all kinds have four letters
	mac.Write([]byte(contestID))
	mac.Write([]byte{0})
	mac.Write(binary.BigEndian.AppendUint32(nil, number))
	mac.Write(facts)
	return mac.Sum(nil)[:presenceMAC]
}
