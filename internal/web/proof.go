package web

import (
	"context"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/codes"
)

var (
	errNoMail     = &problem{status: 503, code: "mail-unavailable"}
	errManyMails  = &problem{status: 429, code: "rate-limited", say: "mails", retryAfter: 60}
	errWrongCode  = &problem{status: 403, code: "wrong-code"}
	errCodeGone   = &problem{status: 410, code: "code-expired"}
	errEmail      = invalid("email", "email")
	errDisposable = invalid("email", "disposable")
	errLetters    = invalid("email", "letters")
)

// mailPause, to twice that, is between the answer and its mail.
const mailPause = 100 * time.Millisecond

// mailsPerMinute bounds what one contest sends: beyond it a mail provider takes
// the sender for a flood, and nobody's code arrives.
const mailsPerMinute = 3000

// provable says that an address can be proven on the contest now: until the result
// is published, as a proof may still release a ballot that is held.
func (s *Server) provable(stored *registry.Stored) error {
	switch {
	case stored.Forgotten():
		return errForgotten
	case s.cfg.Mail == nil:
		return errNoMail
	case stored.Phase(time.Now()) == contest.PhasePublished:
		return &problem{status: fiber.StatusConflict, code: string(voting.PhaseClosed), say: "after", closedAt: stored.Closes(), zone: stored.Contest.Location()}
	}
	return nil
}

// codeAsk is what comes with a question for a code.
type codeAsk struct {
	lang     string
	address  string       // to which the code goes
	presence string       // the code of the hall's wall, of who is there; or empty
	asks     *voting.Pass // of the device that asks, if it has one
	from     netip.Addr   // whence it comes
	solution string       // of a challenge, or empty
}

// askCode sends six digits to an address. What it answers, and how long that
// takes, is the same for every address, whoever has proven it before and however
// often it was asked for.
func (s *Server) askCode(stored *registry.Stored, a codeAsk) (codes.Asked, error) {
	if err := s.provable(stored); err != nil {
		return codes.Asked{}, err
	}
	d := stored.Contest
	email, err := s.readAddress(a.address)
	if err != nil {
		return codes.Asked{}, err
	}
	voter, err := s.cfg.Passes.EmailVoter(d.ID, email.Canonical())
	if err != nil {
		return codes.Asked{}, err
	}
	q := codes.Question{Contest: d.ID, Canonical: email.Canonical(), Address: voter}
	q.School, _ = voting.SchoolOf(d, email)
	if q.Sealed, err = s.sealAddress(d.ID, email, time.Now()); err != nil {
		return codes.Asked{}, err
	}
	if a.asks != nil && a.asks.Level == contest.LevelDevice {
		q.Device = &a.asks.Voter
	}
	if q.Present, err = s.presence(stored, a.presence, voter); err != nil {
		return codes.Asked{}, err
	}
	asked, err := within(s.base, func(ctx context.Context) (codes.Asked, error) {
		if inHall := q.Present || a.asks != nil && a.asks.Present; !inHall {
			if err := s.affordMail(ctx, stored, codeMails, a.from, a.solution, voter); err != nil {
				return codes.Asked{}, err
			}
		}
		free, err := s.cfg.Counters.Allow(ctx, gate.Rate{Contest: d.ID, Kind: "mails", Name: "all", Limit: mailsPerMinute, Span: time.Minute}, rand.Text())
		if err != nil {
			return codes.Asked{}, err
		}
		if !free {
			return codes.Asked{}, errManyMails
		}
		return s.cfg.Codes.Ask(ctx, q)
	})
	if err != nil {
		return codes.Asked{}, err
	}
	// Written also where there is no code to send: that takes as long.
	w := words{s.texts, a.lang}
	letter := mail.Code(a.lang, mail.CodeLetter{Contest: w.In(d.Title, d), Brand: d.Brand, Code: asked.Code, Minutes: int(codes.Life.Minutes())})
	letter.To, letter.Before = email, asked.Expires
	if asked.Code != "" {
		s.mailLater(letter)
	}
	return asked, nil
}

// readAddress is an address that may prove somebody.
func (s *Server) readAddress(text string) (voting.Email, error) {
	email, err := voting.ParseEmail(text)
	switch {
	case errors.Is(err, voting.ErrEmailLetters):
		return voting.Email{}, errLetters
	case err != nil:
		return voting.Email{}, errEmail
	case email.Disposable(s.cfg.Disposable):
		return voting.Email{}, errDisposable
	}
	return email, nil
}

// mailLater has a letter sent once the answer at hand is out: the work of sending it
// would slow that down, and so tell those with a mail from those without.
func (s *Server) mailLater(letter mail.Message) {
	s.letters.Add(1)
	time.AfterFunc(mailPause+mrand.N(mailPause), func() {
		defer s.letters.Done()
		s.cfg.Mail.Put(letter)
	})
}

// proven is what a right code gives.
type proven struct {
	token  string
	pass   voting.Pass
	sealed string // the address, for a form that would ask for it again
}

// confirmCode takes a code. The pass it gives is of the voter whose address it is:
// the device that asked, or who proved the address before on another one. What the
// device's own pass was marked with stays. A try of the same name is the same try: see
// [codes.Codes.Confirm].
func (s *Server) confirmCode(stored *registry.Stored, pending, code, try string, asked *voting.Pass) (proven, error) {
	if err := s.provable(stored); err != nil {
		return proven{}, err
	}
	if err := s.cfg.Interlock.Err(); err != nil {
		return proven{}, err
	}
	ctx, cancel := s.organizerContext() // a join may touch many ballots; it is not stopped half-way
	defer cancel()
	answer, err := within(ctx, func(ctx context.Context) (codes.Answer, error) {
		return s.cfg.Codes.Confirm(ctx, stored.Contest.ID, pending, code, try)
	})
	var wrong codes.WrongCode
	switch {
	case errors.As(err, &wrong) && wrong.Left > 0:
		p := *errWrongCode
		p.left, p.data = &wrong.Left, map[string]any{"Left": wrong.Left}
		return proven{}, &p
	case errors.Is(err, codes.ErrWrong), errors.Is(err, codes.ErrGone):
		return proven{}, errCodeGone
	case err != nil:
		return proven{}, err
	}
	voter, err := s.cfg.Boxes.Join(ctx, stored, answer.Address, answer.Device)
	if err != nil {
		return proven{}, err
	}
	now := time.Now()
	p := proven{sealed: answer.Sealed}
	if p.token, p.pass, err = s.cfg.Passes.IssueEmail(stored.Contest, voter, answer.School, now); err != nil {
		return proven{}, err
	}
	proofs := []antifraud.Step{antifraud.StepEmail}
	if answer.Present || asked != nil && asked.Present {
		proofs = append(proofs, antifraud.StepPresence)
		if p.token, p.pass, err = s.cfg.Passes.IssuePresent(stored.Contest, p.pass, now); err != nil {
			return proven{}, err
		}
	}
	return p, s.release(ctx, stored, voter, proofs...)
}

// release counts the voter's held ballots that one of the proofs is enough for. Called again it
// releases the rest.
func (s *Server) release(ctx context.Context, stored *registry.Stored, voter voting.Voter, proofs ...antifraud.Step) error {
	changes, err := s.releasable(ctx, stored, voter, proofs...)
	if err != nil || len(changes) == 0 {
		return err
	}
	defer s.cfg.Feeds.Changed(stored.Contest.ID)
	for _, change := range changes {
		if _, _, err := s.cfg.Boxes.Change(ctx, stored, change); err != nil {
			return err
		}
	}
	return nil
}

// releasable are the changes by which the voter's held ballots count that one of the proofs is
// enough for. An address releases none that was cast with a proven one, and the hall none that was
// cast with its mark: whoever held it weighed that already, and asking once more would cost a farm
// with inboxes nothing.
func (s *Server) releasable(ctx context.Context, stored *registry.Stored, voter voting.Voter, proofs ...antifraud.Step) ([]ballotbox.Change, error) {
	casts, err := s.cfg.Boxes.Ballots(ctx, stored, voter)
	if err != nil {
		return nil, err
	}
	casts = slices.DeleteFunc(casts, func(c voting.Cast) bool { return c.Standing != voting.Held })
	if len(casts) == 0 {
		return nil, nil
	}
	levels, err := s.cfg.Boxes.Levels(ctx, stored, casts)
	if err != nil {
		return nil, err
	}
	var changes []ballotbox.Change
	for n, cast := range casts {
		i := slices.IndexFunc(proofs, func(proof antifraud.Step) bool {
			return antifraud.Releases(cast.Reasons, proof) && !provenBefore(cast, levels[n], proof)
		})
		if i >= 0 {
			changes = append(changes, ballotbox.Change{
				Voter: cast.Voter, Ballot: cast.Ballot, Standing: voting.Counted, Actor: voting.ActorVoter, Reasons: []string{"proven-" + string(proofs[i])},
			})
		}
	}
	return changes, nil
}

// provenBefore tells whether a ballot was cast with a proof already, by a pass of that level.
func provenBefore(cast voting.Cast, level string, proof antifraud.Step) bool {
	return proof == antifraud.StepEmail && level == string(contest.LevelEmail) || proof == antifraud.StepPresence && cast.Present
}
