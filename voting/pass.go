package voting

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/keyed"
)

// Pass says who votes: a checked token.
type Pass struct {
	Contest string
	Level   contest.Level
	Voter   Voter
	Expires time.Time
	Present bool               // seen in the hall
	School  string             // whose member the holder is proven to be, or empty
	Profile *antifraud.Profile // of the member, when a partner's pass tells
	Issued  time.Time          // when its holder first had it; zero: it does not say

	subject string // whom one of our own tokens names
}

// LogValue implements [slog.LogValuer]; a voter is nobody's name.
func (p Pass) LogValue() slog.Value {
	return slog.GroupValue(slog.String("level", string(p.Level)), slog.String("voter", p.Voter.String()))
}

// ErrPass is returned for a token that is missing, forged, expired or made for
// another contest. Which of these it was stays in the wrapped error, for the log.
var ErrPass = errors.New("invalid pass")

const (
	// passKind marks the passes Joute makes itself, apart from partners' JWTs.
	passKind = "joute-pass"

	// passLeeway is how far a partner's clock may be off.
	passLeeway = time.Minute

	// passAfterClose is how long a pass outlives the close, so that a voter can
	// still see what became of the ballot.
	passAfterClose = 30 * 24 * time.Hour

	// maxSubject bounds a partner's member id.
	maxSubject = 256
)

// Passes issues and checks passes.
type Passes struct {
	keys     Keys
	sign     []byte
	signed   *keyed.Hash // by sign
	derived  sync.Map    // contest id -> *derived
	partners sync.Map    // contest id -> *partner
}

// NewPasses signs with a key derived from keys.
func NewPasses(keys Keys) *Passes {
	sign := keys.Derive("pass")
	return &Passes{keys: keys, sign: sign, signed: keyed.New(sign)}
}

// passClaims are what a pass of ours says; see claims.
type passClaims struct {
	jwt.RegisteredClaims
	Level   contest.Level `json:"level,omitempty"`
	Present bool          `json:"present,omitempty"`
	School  string        `json:"school,omitempty"`

	// Made is when one of ours was issued. It is not iat, by which a server whose
	// clock is behind would refuse the pass.
	Made *jwt.NumericDate `json:"made,omitempty"`
}

// IssueDevice makes a pass for a device nobody has met before. The token is
// the only thing that ties the device to its voter.
func (p *Passes) IssueDevice(c *contest.Contest, now time.Time) (token string, pass Pass, err error) {
	device, err := uuid.NewRandom()
	if err != nil {
		return "", Pass{}, fmt.Errorf("issue pass: %w", err)
	}
	pass = Pass{Contest: c.ID, Level: contest.LevelDevice, Issued: now, subject: device.String()}
	if pass.Voter, err = p.voter(c.ID, contest.LevelDevice, pass.subject); err != nil {
		return "", Pass{}, err
	}
	return p.issue(c, pass, now)
}

// IssueEmail makes a pass for a voter who has proven an e-mail address. The
// token names the voter, not the address. With the address of a school's member
// comes the school.
func (p *Passes) IssueEmail(c *contest.Contest, voter Voter, school string, now time.Time) (token string, pass Pass, err error) {
	return p.issue(c, Pass{Contest: c.ID, Level: contest.LevelEmail, Voter: voter, School: school, Issued: now, subject: voter.String()}, now)
}

// IssuePresent makes the pass anew with the mark of having been in the hall: the
// same voter at the same level. A partner's pass cannot be made anew: [ErrPass].
func (p *Passes) IssuePresent(c *contest.Contest, pass Pass, now time.Time) (token string, marked Pass, err error) {
	if pass.subject == "" || pass.Contest != c.ID {
		return "", Pass{}, fmt.Errorf("%w: only a pass of our own takes a mark", ErrPass)
	}
	pass.Present = true
	return p.issue(c, pass, now)
}

// issue signs a pass. It outlives the close by passAfterClose.
func (p *Passes) issue(c *contest.Contest, pass Pass, now time.Time) (string, Pass, error) {
	pass.Expires = now
	if c.Phases.Voting.Closes.After(now) {
		pass.Expires = c.Phases.Voting.Closes
	}
	pass.Expires = pass.Expires.Add(passAfterClose).Truncate(time.Second)
	var made *jwt.NumericDate
	if !pass.Issued.IsZero() {
		made = jwt.NewNumericDate(pass.Issued)
		pass.Issued = made.Time
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, passClaims{
		Made: made, Level: pass.Level, Present: pass.Present, School: pass.School,
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: pass.subject, Audience: jwt.ClaimStrings{c.ID}, ExpiresAt: jwt.NewNumericDate(pass.Expires),
		},
	})
	t.Header["typ"] = passKind
	token, err := t.SignedString(p.sign)
	if err != nil {
		return "", Pass{}, fmt.Errorf("issue pass: %w", err)
	}
	return token, pass, nil
}

// Check reads a token for contest c at the instant now: one of ours, or a
// partner's JWT signed with the contest's secret. The algorithm is pinned to
// HS256, `aud` must name the contest, `exp` must be there. The token is not kept, nor any
// part of it.
func (p *Passes) Check(c *contest.Contest, token string, now time.Time) (Pass, error) {
	claims, kind, err := openToken(token, func(kind string) (*keyed.Hash, error) {
		if kind == passKind {
			return p.signed, nil
		}
		if c.Partner.Secret == "" {
			return nil, errors.New("the contest has no partner")
		}
		return p.partner(c), nil
	})
	if err == nil {
		err = claims.valid(c.ID, now)
	}
	if err != nil {
		return Pass{}, fmt.Errorf("%w: %w", ErrPass, err)
	}
	own := kind == passKind
	level := claims.Level
	if !own {
		// A partner vouches for its members and for nothing else: what its token
		// says of a level is not read.
		level = contest.LevelPartner
	}
	if claims.Subject == "" || len(claims.Subject) > maxSubject {
		return Pass{}, fmt.Errorf("%w: sub must be 1 to %d bytes", ErrPass, maxSubject)
	}
	pass := Pass{Contest: c.ID, Level: level, Expires: claims.Expires.time()}
	switch {
	case !own:
		pass.Profile = claims.Profile
		if claims.IssuedAt != nil {
			pass.Issued = claims.IssuedAt.time()
		}
	case level == contest.LevelEmail:
		if err := pass.Voter.UnmarshalText([]byte(claims.Subject)); err != nil {
			return Pass{}, fmt.Errorf("%w: %w", ErrPass, err)
		}
	}
	if own {
		pass.Present, pass.School, pass.subject = claims.Present, claims.School, claims.Subject
		if claims.Made != nil {
			pass.Issued = claims.Made.time()
		}
	}
	if pass.Voter == (Voter{}) {
		if pass.Voter, err = p.voter(c.ID, level, claims.Subject); err != nil {
			return Pass{}, err
		}
	} else if _, err := p.keys.Contest(c.ID); err != nil { // a pass is worth what its contest's key is
		return Pass{}, fmt.Errorf("voter key: %w", err)
	}
	return pass, nil
}

// EmailVoter is the voter of an e-mail address in its canonical form, for who
// proves it first and with no device that voted.
func (p *Passes) EmailVoter(contestID, canonical string) (Voter, error) {
	return p.voter(contestID, contest.LevelEmail, canonical)
}

// voter is the pseudonym of who a pass names: a keyed hash over how they are
// known and as whom.
func (p *Passes) voter(contestID string, level contest.Level, subject string) (Voter, error) {
	d, err := p.contest(contestID)
	if err != nil {
		return Voter{}, err
	}
	sum := d.voter.Sum(string(level), "\x00", subject)
	return Voter(sum[:16]), nil
}
