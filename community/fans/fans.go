// Package fans keeps a contest's community in Redis: who asked to join and has
// not confirmed it, who is in, with the proof of what they agreed to, and the
// ledger of joins and leavings.
//
// An address is kept sealed, from the request until it expires or its fan
// leaves, and nowhere else. The scripts are in lua/, each with its contract in
// its header; all of them are idempotent.
package fans

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
)

//go:embed lua/*.lua
var sources embed.FS

const (
	// mailsToAddress is how many mails an hour one address may get, whoever asks
	// in its name: a stranger's mailbox is not filled through us.
	mailsToAddress = 3

	// mailsOfContest is how many mails an hour one contest may cause: five a
	// second, above any honest wave and below what gets a sender blocked.
	mailsOfContest = 18_000
)

// Keys are the secrets that fans stand on.
type Keys interface {
	// Contest is the contest's own key: with it die its pseudonyms.
	Contest(id string) ([]byte, error)
	Seal(plain []byte, purpose string) ([]byte, error)
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Options of the zero value are those of production.
type Options struct {
	MailsOfContest int // an hour; 0 is mailsOfContest
}

// Fans are the communities of all contests of a store. They are safe for
// concurrent use.
type Fans struct {
	store *store.Store
	keys  Keys
	opts  Options

	ask, confirm, leave, look *store.Script

	readings singleflight.Group
	mu       sync.Mutex
	counts   map[string]counted // by contest id; guarded by mu
}

// New loads the scripts. Nothing is sent to the store yet.
func New(st *store.Store, keys Keys, opts Options) *Fans { return load(st, keys, opts, source) }

// load makes the scripts from their sources; fans.lua begins each.
func load(st *store.Store, keys Keys, opts Options, source func(name string) string) *Fans {
	if opts.MailsOfContest == 0 {
		opts.MailsOfContest = mailsOfContest
	}
	script := func(name string, readOnly bool) *store.Script {
		return st.Script("fans "+name, source("fans")+source(name), readOnly)
	}
	return &Fans{
		store: st, keys: keys, opts: opts, counts: map[string]counted{},
		ask: script("ask", false), confirm: script("confirm", false), leave: script("leave", false), look: script("look", true),
	}
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return string(text)
}

// Fan is who an address, in its canonical form, is in a contest's community.
func (f *Fans) Fan(s *registry.Stored, canonical string) (community.Fan, error) {
	key, err := f.keys.Contest(s.Contest.ID)
	if err != nil {
		return community.Fan{}, fmt.Errorf("fan: %w", err)
	}
	return community.NewFan(key, canonical)
}

// Request is what somebody agreed to, before it is confirmed.
type Request struct {
	Fan           community.Fan
	Ask           community.AskID
	Address       string // to write to
	School        string
	Wording       community.Wording
	Page          string // the page with the offer: a path without a query and without an entry
	Channel       community.Channel
	Lang          string
	Under15Parent bool // a parent's address, for a child under 15 beside them
}

// Asked is what became of a request.
type Asked string

// What becomes of a request. Only the first two are worth a mail, and nobody
// but the mailbox's owner may learn which of the first four it was.
const (
	Pending Asked = "asked"  // it waits for its confirmation
	Member  Asked = "member" // the address is in already
	Again   Asked = "again"  // this very request was made within the minute
	Enough  Asked = "enough" // the address has had its mails of this hour
	Full    Asked = "full"   // the contest has caused its mails of this hour
)

// Ask keeps a request until it is confirmed or 48 hours are over. The address
// is kept sealed, and only where the answer is Pending. After an error it may be
// kept or not: ask again. Of a contest that was forgotten nothing is kept.
func (f *Fans) Ask(ctx context.Context, s *registry.Stored, r Request) (Asked, error) {
	if s.Forgotten() {
		return "", registry.ErrForgotten
	}
	id := s.Contest.ID
	address, err := f.keys.Seal([]byte(r.Address), addressPurpose(id, r.Fan))
	if err != nil {
		return "", fmt.Errorf("ask: %w", err)
	}
	values, err := requestText(r, address)
	if err != nil {
		return "", fmt.Errorf("ask: %w", err)
	}
	keys := keysOf(id)
	code, _, err := run(ctx, f.ask,
		[]string{keys.members, keys.wordings, keys.budget, keys.recent, keys.pending(r.Fan), keys.asks(r.Fan)},
		r.Fan.String(), r.Ask.String(), rand.Text(), r.Wording.Version, r.Wording.Text, values, f.opts.MailsOfContest, mailsToAddress)
	if err != nil {
		return "", err
	}
	switch asked := Asked(code); asked {
	case Pending, Member, Again, Enough, Full:
		return asked, nil
	}
	return "", fmt.Errorf("ask: unknown reply %q", code)
}

// ErrExpired is returned for a request that does not wait any more: it is too
// old, its fan has left since, or the contest was forgotten.
var ErrExpired = errors.New("the request has expired")

// Confirm makes a member of who asked, and reports whether that was news. It
// returns [ErrExpired] where nothing waits.
func (f *Fans) Confirm(ctx context.Context, s *registry.Stored, fan community.Fan, ask community.AskID) (m Confirmed, joined bool, err error) {
	if s.Forgotten() {
		return Confirmed{}, false, registry.ErrForgotten
	}
	keys := keysOf(s.Contest.ID)
	code, value, err := run(ctx, f.confirm, []string{keys.members, keys.ledger, keys.pending(fan)}, fan.String(), ask.String())
	if err != nil {
		return Confirmed{}, false, err
	}
	switch code {
	case "joined", "already", "member":
		m, err = f.open(s, fan, value)
		return m, code == "joined", err
	case "expired":
		return Confirmed{}, false, ErrExpired
	}
	return Confirmed{}, false, fmt.Errorf("confirm: unknown reply %q", code)
}

// Leave lets a fan go, and reports whether they were a member. When it returns
// without an error the store has no address of theirs, sealed or not; their
// records stay.
func (f *Fans) Leave(ctx context.Context, s *registry.Stored, fan community.Fan) (left bool, err error) {
	keys := keysOf(s.Contest.ID)
	code, _, err := run(ctx, f.leave, []string{keys.members, keys.ledger, keys.pending(fan)}, fan.String())
	switch {
	case err != nil:
		return false, err
	case code == "left", code == "gone":
		return code == "left", nil
	}
	return false, fmt.Errorf("leave: unknown reply %q", code)
}

// Standing is where a fan stands.
type Standing string

// The standings of fans.
const (
	Nobody  Standing = "none"    // neither member nor asked
	Waiting Standing = "asked"   // the request waits
	In      Standing = "member"  // a member
	InBy    Standing = "already" // a member, by the request that was named
)

// Look says where a fan stands, and by which request; with no ask, by the
// newest one. The proof is nil for Nobody.
func (f *Fans) Look(ctx context.Context, s *registry.Stored, fan community.Fan, ask community.AskID) (Standing, *Proof, error) {
	keys, named := keysOf(s.Contest.ID), ""
	if ask != (community.AskID{}) {
		named = ask.String()
	}
	code, value, err := run(ctx, f.look, []string{keys.members, keys.pending(fan)}, fan.String(), named)
	if err != nil {
		return "", nil, err
	}
	switch standing := Standing(code); standing {
	case Nobody:
		return Nobody, nil, nil
	case Waiting, In, InBy:
		m, err := parseMember(value)
		return standing, &m.proof, err
	}
	return "", nil, fmt.Errorf("look: unknown reply %q", code)
}

// run runs a script, whose reply is a code and perhaps a value.
func run(ctx context.Context, script *store.Script, keys []string, args ...any) (code, value string, err error) {
	reply, err := script.Run(ctx, keys, args...).StringSlice()
	if err != nil {
		return "", "", err // names the script
	}
	reply = append(reply, "", "")
	return reply[0], strings.Clone(reply[1]), nil
}
