package web

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/jsonwrite"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// castAnswer is the answer to an accepted ballot, in the contract's order.
// Its tags are what json is held against.
type castAnswer struct {
	Ballot    uuid.UUID       `json:"ballot"`
	Contest   string          `json:"contest"`
	Entry     string          `json:"entry"`
	School    string          `json:"school"`
	Standing  voting.Standing `json:"standing"`
	At        string          `json:"at,omitempty"`       // none of these three while it is
	Position  string          `json:"position,omitempty"` // pending: it may yet get others
	Remaining int             `json:"remaining"`
	NextAt    *string         `json:"next_at"`
	Receipt   string          `json:"receipt,omitempty"`
	Reasons   []string        `json:"reasons,omitempty"`
	Duplicate bool            `json:"duplicate,omitempty"`
}

// appendJSON writes the answer behind b as encoding/json would, and a line's end.
func (a *castAnswer) appendJSON(b []byte) []byte {
	b = jsonwrite.UUID(append(b, `{"ballot":`...), a.Ballot)
	b = jsonwrite.Text(jsonwrite.Name(b, "contest"), a.Contest)
	b = jsonwrite.Text(jsonwrite.Name(b, "entry"), a.Entry)
	b = jsonwrite.Text(jsonwrite.Name(b, "school"), a.School)
	b = jsonwrite.Text(jsonwrite.Name(b, "standing"), a.Standing)
	b = jsonwrite.GivenText(b, "at", a.At)
	b = jsonwrite.GivenText(b, "position", a.Position)
	b = strconv.AppendInt(jsonwrite.Name(b, "remaining"), int64(a.Remaining), 10)
	if b = jsonwrite.Name(b, "next_at"); a.NextAt != nil {
		b = jsonwrite.Text(b, *a.NextAt)
	} else {
		b = append(b, "null"...)
	}
	b = jsonwrite.GivenText(b, "receipt", a.Receipt)
	b = jsonwrite.GivenTexts(b, "reasons", a.Reasons)
	b = jsonwrite.Flag(b, "duplicate", a.Duplicate)
	return append(b, "}\n"...)
}

// postBallot casts. A 2xx means that the ballot is counted, or held, and will
// stay so, but for a pending one; after that, and any other answer but a refusal, the
// same ballot may be sent again.
func (s *Server) postBallot(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	k := newCasting(stored)
	defer k.done()
	if err := s.readCast(c, k); err != nil {
		return err
	}
	if err := s.cast(k); err != nil {
		return err
	}
	return s.sendCast(c, k)
}

// readCast is what the request says of its ballot, and who sent it. It returns before the
// ballot is cast, and its variables with it.
//
//go:noinline
func (s *Server) readCast(c *fiber.Ctx, k *casting) error {
	body := &k.body
	if err := body.decode(c); err != nil {
		return err
	}
	var err error
	if k.id, err = body.check(); err != nil {
		return err
	}
	if k.pass, err = s.pass(c, k.stored); err != nil {
		return err
	}
	k.entry, k.solution = body.Entry, body.Challenge
	k.attempt = s.attempt(c, k.stored, k.entry, k.pass, body.Client)
	return nil
}

//go:noinline
func (s *Server) sendCast(c *fiber.Ctx, k *casting) error {
	if k.outcome.Refused != "" {
		return s.refusal(k.stored, k.pass.Voter, k.outcome)
	}
	status := fiber.StatusCreated
	switch {
	case k.outcome.Pending:
		status = fiber.StatusAccepted
		c.Set(fiber.HeaderRetryAfter, "1")
	case k.outcome.Duplicate:
		status = fiber.StatusOK
	case k.outcome.Cast.Standing == voting.Held:
		status = fiber.StatusAccepted
	}
	noStore.set(c)
	answer := s.castAnswer(k)
	var room [640]byte // copied into the response's own, which is used again
	c.Response().Header.SetContentType(typeJSON)
	c.Status(status).Response().SetBody(answer.appendJSON(room[:0]))
	return nil
}

// castOnPage is cast for pages and frames, where a ballot that is pending is like one
// whose fate is not known: they offer to send the same one again.
func (s *Server) castOnPage(c *fiber.Ctx, stored *registry.Stored, f *voteForm) (voting.Outcome, error) {
	k := newCasting(stored)
	defer k.done()
	k.id, k.entry, k.pass, k.solution = f.ballot, f.entry, f.pass, f.solution
	k.attempt = s.formAttempt(c, stored, f)
	err := s.cast(k)
	if err == nil && k.outcome.Pending {
		err = store.ErrUnconfirmed
	}
	return k.outcome, err
}

// cast is the one way to the ballot box, for the API and for pages. The entry
// has an id's shape; whether there is such an entry is found here.
//
// It has no context of its caller: a voter who hangs up does not stop a cast
// that is under way, and the store's own timeout bounds it.
func (s *Server) cast(k *casting) error {
	if err := s.cfg.Interlock.Err(); err != nil {
		s.metrics.tellBallot(labelUnavailable)
		return err
	}
	if err := s.screen(k); err != nil {
		return err
	}
	s.fill(k)
	start := time.Now()
	// What is refused here is not refused to a ballot that was accepted: that gets
	// its first answer, by the box.
	err := s.cfg.Boxes.CastInto(context.Background(), k.stored, &k.ballot, &k.outcome)
	s.metrics.cast.Observe(time.Since(start).Seconds())
	if err != nil {
		s.metrics.tellBallot(labelUnavailable)
		return err
	}
	s.metrics.tellBallot(k.outcome.Label())
	if !k.outcome.Duplicate {
		s.countAttempt(k)
	}
	if k.outcome.Refused == "" && !k.outcome.Duplicate {
		s.saw(k)
		s.cfg.Feeds.Changed(k.stored.Contest.ID)
	}
	return nil
}

// fill makes the ballot of what was found out.
//
//go:noinline
func (s *Server) fill(k *casting) {
	b := &k.ballot
	b.ID, b.Voter, b.Entry, b.Present, b.Level = k.id, k.pass.Voter, k.entry, k.pass.Present, string(k.pass.Level)
	b.Standing, b.Reasons, b.Policy, b.Evidence = k.screened.standing, k.screened.reasons, k.screened.policy, k.screened.evidence
	entry, there := k.stored.Contest.Entry(k.entry)
	k.school = entry.School
	switch { // what can be refused without the store, to a ballot that it has not seen: a repeat gets its first answer
	case !k.pass.Level.AtLeast(k.stored.Contest.Identity):
		b.Refuse = voting.IdentityLevel
	case !there || entry.Hidden:
		b.Refuse = voting.NoSuchEntry
	}
	if b.Refuse == "" {
		b.Refuse = k.screened.refused
	}
	if k.screened.priced && b.Refuse == "" {
		b.Solved, b.Refuse = s.solved(k.stored.Contest.ID, k.pass.Voter, k.solution)
	}
}

func (s *Server) castAnswer(k *casting) castAnswer {
	stored, o := k.stored, &k.outcome
	a := castAnswer{
		Ballot: o.Cast.Ballot, Contest: stored.Contest.ID, Entry: o.Cast.Entry, School: k.school,
		Standing: o.Cast.Standing, Remaining: o.Remaining, Duplicate: o.Duplicate,
	}
	if o.Pending {
		a.Standing = voting.Pending
	} else {
		a.At, a.Position, a.Receipt = voting.FormatTime(o.Cast.At()), o.Cast.Position.String(), s.receipt(stored, o.Cast)
	}
	if a.Standing != voting.Counted && a.Standing != voting.Pending {
		a.Reasons = o.Cast.Reasons
	}
	if !o.NextAt.IsZero() {
		next := voting.FormatTime(o.NextAt)
		a.NextAt = &next
	}
	return a
}

// receipt is the same text for the same ballot, on every server of the data folder.
func (s *Server) receipt(stored *registry.Stored, cast voting.Cast) string {
	return s.cfg.Receipts.Seal(voting.Receipt{
		Contest: stored.Contest.ID, Voter: cast.Voter, Ballot: cast.Ballot, Position: cast.Position,
	})
}

// rejectedFor are the sentences for what a ballot is rejected for.
var rejectedFor = map[string]string{voting.ReasonChallengeUsed: "used", antifraud.ReasonKnownFarm: "farm"}

// refusal is a voter's cast that changed nothing, as a problem. Pages show it too.
func (s *Server) refusal(stored *registry.Stored, voter voting.Voter, o voting.Outcome) *problem {
	p := &problem{status: fiber.StatusConflict, code: string(o.Refused), zone: stored.Contest.Location()}
	switch o.Refused {
	case voting.AlreadyVoted:
		p.nextAt, p.left = &o.NextAt, &o.Remaining
		if !o.NextAt.IsZero() {
			p.say = "next"
		}
	case voting.PhaseClosed:
		p.opensAt, p.closedAt = o.OpensAt, o.ClosedAt
		p.say = "after"
		if !o.OpensAt.IsZero() {
			p.say = "before"
		}
	case voting.IdentityLevel:
		p.status, p.data = fiber.StatusForbidden, map[string]any{"Level": string(stored.Contest.Identity)}
	case voting.NoSuchEntry:
		p.status = fiber.StatusNotFound
	case voting.ChallengeRequest:
		p.status, p.challenge = fiber.StatusForbidden, s.newChallenge(stored.Contest.ID, castBind(stored.Contest.ID, voter))
	case voting.Rejected:
		p.status, p.reasons = fiber.StatusForbidden, o.Reasons
		if len(o.Reasons) == 1 { // otherwise the sentence for any reason
			p.say = rejectedFor[o.Reasons[0]]
		}
	}
	return p
}
