// Package codes finds out whether somebody reads an e-mail address: six digits are
// sent there, and must come back from where they were asked for.
//
// A code is good for one answer within Life, and for Tries tries. Whoever guesses
// is right with probability 5 in a million for a code, and at most MailsPerHour
// codes exist for one address in any hour: what is asked for beyond that looks the
// same and has no code at all, so that nobody's mailbox is flooded and nobody
// learns whether it was.
package codes

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"time"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

const (
	// Life is how long a code is good.
	Life = 10 * time.Minute
	// Tries is how many codes may be tried for one that was sent.
	Tries = 5
	// MailsPerHour is how many codes one address gets in any hour, over all contests.
	MailsPerHour = 3
)

var (
	// ErrWrong is returned for a code that is not the one sent; see [WrongCode].
	ErrWrong = errors.New("not the code that was sent")
	// ErrGone is returned where no code is waited for any more: too late, tried too
	// often, used, or never asked for.
	ErrGone = errors.New("no code is waited for")
)

// WrongCode is [ErrWrong] with the tries that are left.
type WrongCode struct{ Left int }

func (e WrongCode) Error() string { return ErrWrong.Error() }

// Is makes a WrongCode an [ErrWrong].
func (e WrongCode) Is(target error) bool { return target == ErrWrong }

//go:embed lua/ask.lua
var askSource string

//go:embed lua/confirm.lua
var confirmSource string

// Codes asks for proofs of e-mail addresses and checks them. It holds no state of
// its own and is safe for concurrent use.
type Codes struct {
	store        *store.Store
	key          []byte
	counters     *gate.Counters
	ask, confirm *store.Script
}

// New takes a key of 32 bytes, the same on every server of the store.
func New(st *store.Store, counters *gate.Counters, key []byte) *Codes {
	return &Codes{store: st, key: key, counters: counters, ask: st.Script("code ask", askSource, false).Forgettable(), confirm: st.Script("code confirm", confirmSource, false).Forgettable()}
}

// Question is whose address is to be proven, and for whom.
type Question struct {
	Contest   string
	Canonical string        // the address; only a keyed hash of it is kept
	Address   voting.Voter  // its voter in the contest
	Device    *voting.Voter // the voter of the device that asks, when it has one
	School    string        // whose member the address makes its reader, or empty
	Sealed    string        // the address for later, sealed by the caller, or empty
	Present   bool          // who asks is in the hall
}

// Asked is a question that waits for its code.
type Asked struct {
	Pending string // names it, a secret of who asked
	Code    string // to be sent to the address; empty: nothing is to be sent
	Expires time.Time
}

// Ask makes a code. Whether there is one is between the caller and the address:
// who asked must not be able to tell.
func (c *Codes) Ask(ctx context.Context, q Question) (Asked, error) {
	asked := Asked{Pending: rand.Text(), Expires: time.Now().Add(Life)}
	allowed, err := c.counters.Allow(ctx, gate.Rate{Kind: "code", Name: c.mac("mailbox", q.Canonical), Limit: MailsPerHour, Span: time.Hour}, asked.Pending)
	if err != nil {
		return Asked{}, fmt.Errorf("ask for a code: %w", err)
	}
	kept := "none" // no try hashes to it
	if allowed {
		if asked.Code, err = digits(); err != nil {
			return Asked{}, fmt.Errorf("ask for a code: %w", err)
		}
		kept = c.mac(asked.Pending, asked.Code)
	}
	args := []any{Life.Milliseconds(), "code", kept, "address", q.Address[:], "school", q.School, "sealed", q.Sealed, "present", strconv.FormatBool(q.Present)}
	if q.Device != nil {
		args = append(args, "device", q.Device[:])
	}
	if err := c.ask.Run(ctx, []string{pendingKey(q.Contest, asked.Pending)}, args...).Err(); err != nil {
		return Asked{}, fmt.Errorf("ask for a code: %w", err)
	}
	return asked, nil
}

// Answer is what a right code proves.
type Answer struct {
	Address voting.Voter
	Device  *voting.Voter
	School  string
	Sealed  string
	Present bool
}

// Forget deletes every code of a contest that is waited for.
func (c *Codes) Forget(ctx context.Context, contestID string) error {
	if err := c.store.DeleteAll(ctx, pendingPrefix(contestID)); err != nil {
		return fmt.Errorf("forget codes: %w", err)
	}
	return nil
}

// pendingShape is what [rand.Text] gives.
var pendingShape = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// Confirm tries a code. A [WrongCode] says how many tries are left; [ErrGone]
// that a new code must be asked for. The right code is taken: it is good for this
// try alone. After another error it may have been taken.
//
// try is the caller's name for the try, a secret of who tries: within [Life] the
// same code under the same name is the same try, with the same answer. Without a
// name nobody asks again.
func (c *Codes) Confirm(ctx context.Context, contestID, pending, code, try string) (Answer, error) {
	if !pendingShape.MatchString(pending) {
		return Answer{}, ErrGone
	}
	name := rand.Text()
	if try != "" {
		name = c.mac("try", try+"\x00"+code)
	}
	reply, err := c.confirm.Run(ctx, []string{pendingKey(contestID, pending)}, c.mac(pending, code), Tries, name).Slice()
	if err != nil {
		return Answer{}, fmt.Errorf("try a code: %w", err)
	}
	switch code, _ := first(reply).(string); code {
	case "gone":
		return Answer{}, ErrGone
	case "wrong":
		left, _ := reply[len(reply)-1].(int64)
		return Answer{}, WrongCode{int(left)}
	case "right":
		return answer(reply[1:])
	}
	return Answer{}, errors.New("try a code: unknown reply")
}

func first(reply []any) any {
	if len(reply) == 0 {
		return nil
	}
	return reply[0]
}

// answer reads the fields that ask.lua was given.
func answer(fields []any) (Answer, error) {
	var a Answer
	got := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		got[name], _ = fields[i+1].(string)
	}
	if len(got["address"]) != len(a.Address) {
		return Answer{}, errors.New("try a code: what was kept names no voter")
	}
	copy(a.Address[:], got["address"])
	if device := got["device"]; len(device) == len(a.Address) {
		v := voting.Voter([]byte(device))
		a.Device = &v
	}
	a.School, a.Sealed, a.Present = got["school"], got["sealed"], got["present"] == "true"
	return a, nil
}

// mac is a keyed hash of text for one purpose, as text.
func (c *Codes) mac(purpose, text string) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// digits are six digits, each code as likely as any other.
func digits() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}
