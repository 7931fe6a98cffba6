package web

import (
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

const (
	// fanFormLife is how long an offer may be taken after it was made: people read
	// on, and come back to it. After it the form is shown once more.
	fanFormLife = 30 * time.Minute

	fanFormPurpose    = "fan form"
	fanAddressPurpose = "fan address"
)

// fanFacts are what an offer's form says of itself, sealed: what is kept as the
// proof of an opt-in is ours to say, not the form's sender's.
type fanFacts struct {
	Contest string            `json:"c"`
	School  string            `json:"s"`
	Path    string            `json:"p"` // of the page with the offer, to go back to
	Page    string            `json:"k"` // which page that is, for the proof; see pageKind
	Channel community.Channel `json:"ch"`
	Lang    string            `json:"l"`
	Wording string            `json:"w"` // version of the text that was shown
	Ask     string            `json:"a"` // names the request: the form sent twice is one
	Made    int64             `json:"t"` // unix seconds
}

// fanForm is the form of an offer, to show and to check.
type fanForm struct {
	words
	Action, No string // where it leads; the page without the offer
	Token      string // fanFacts, sealed
	Community  string
	OptIn      string // the text to agree to
	Privacy    string

	Notice      string // above the form: why it comes again
	Sealed      string // an address proven just now; see sealAddress
	Email       string // as it was typed
	Ticked      bool
	Age         string // over or under, as it was chosen
	Parental    bool   // the second step, of who is under 15
	ParentAgree bool
	Faults      fanFaults
	Challenge   *challengeView // nil: none is needed

	facts    fanFacts
	address  voting.Email
	proven   bool // address is the one of Sealed: its owner has shown it here
	solution string
	policy   contest.Under15
}

// fanFaults are the sentences beside the fields.
type fanFaults struct{ OptIn, Email, Age, Parent string }

// Any says that something is to be put right.
func (f fanFaults) Any() bool { return f != fanFaults{} }

// newFanForm is an empty form.
func (s *Server) newFanForm(d *contest.Contest, facts fanFacts, no string) (*fanForm, error) {
	w := words{s.texts, facts.Lang}
	f := &fanForm{
		words: w, Action: "/c/" + d.ID + "/fan?lang=" + facts.Lang, No: no, Community: d.Community.Name, OptIn: w.In(d.Community.OptIn, d),
		Privacy: d.Links.Privacy, facts: facts, policy: d.Community.Under15,
	}
	return f, s.renewFanForm(f)
}

// renewFanForm makes the form good for another while, for the text as it is now.
func (s *Server) renewFanForm(f *fanForm) (err error) {
	f.facts.Made, f.facts.Wording = time.Now().Unix(), community.NewWording(f.Lang, f.OptIn).Version
	f.Token, err = s.seal(fanFormPurpose, f.facts)
	return err
}

// readFanForm reads a form that was sent. After [errFormExpired] it is whole, but
// what it shows is too old, or not the text of now.
func (s *Server) readFanForm(c *fiber.Ctx, stored *registry.Stored) (*fanForm, error) {
	if err := checkType(c, "application/x-www-form-urlencoded"); err != nil {
		return nil, err
	}
	d, sent := stored.Contest, c.Request().PostArgs()
	var facts fanFacts
	if err := s.unseal(fanFormPurpose, string(sent.Peek("form")), &facts); err != nil {
		return nil, err
	}
	if _, known := d.School(facts.School); facts.Contest != d.ID || !known {
		return nil, errFormForged
	}
	shown := facts.Wording
	f, err := s.newFanForm(d, facts, facts.Path+"?lang="+facts.Lang)
	if err != nil {
		return nil, err
	}
	f.Ticked = sent.Has("opt_in")
	f.Age = string(sent.Peek("age"))
	f.Parental = sent.Has("step") && f.Age == "under" && f.policy == contest.Under15Parent
	f.ParentAgree = sent.Has("parent")
	f.Email = strings.ToValidUTF8(string(sent.Peek("email")), "")
	f.Sealed, f.solution = string(sent.Peek("sealed")), string(sent.Peek("challenge"))
	made := checkAge(time.Unix(facts.Made, 0), time.Now(), fanFormLife)
	if made == nil && shown != f.facts.Wording {
		f.Ticked = false // that was for another text
		made = errFormExpired
	}
	return f, made
}

// check holds what was filled in against what is needed, and keeps a sentence for
// each field that lacks something.
func (s *Server) check(f *fanForm) bool {
	if !f.Ticked {
		f.Faults.OptIn = f.Say("fan.fault.opt_in")
	}
	if f.Age != "over" && f.Age != "under" {
		f.Faults.Age = f.Say("fan.fault.age")
	}
	if f.Parental && !f.ParentAgree {
		f.Faults.Parent = f.Say("fan.fault.parent")
	}
	proven, known := s.openAddress(f.Sealed, f.facts.Contest, time.Now())
	if !known || f.Parental { // the one who has proven it is the child
		f.Sealed = ""
	}
	var err error
	if f.address, err = voting.ParseEmail(f.Email); err != nil && f.Sealed != "" && f.Email == "" {
		f.address, f.proven, err = proven, true, nil
	}
	switch {
	case errors.Is(err, voting.ErrEmailLetters):
		f.Faults.Email = f.Say("fan.fault.letters")
	case err != nil:
		f.Faults.Email = f.Say("fan.fault.email")
	}
	return !f.Faults.Any()
}

// wording is what was agreed to, word for word.
func (f *fanForm) wording() community.Wording {
	if f.Parental {
		return community.NewWording(f.Lang, f.OptIn+"\n"+f.Say("fan.parent.agree"))
	}
	return community.NewWording(f.Lang, f.OptIn)
}

// sealedAddress is an address that a visitor has just proven.
type sealedAddress struct {
	Contest string `json:"c"`
	Email   string `json:"e"`
	Made    int64  `json:"t"`
}

// sealAddress lets a form carry an address that its visitor has proven, for half
// an hour: nobody is asked twice for it (WCAG 3.3.7), and the page does not show it.
func (s *Server) sealAddress(contestID string, email voting.Email, at time.Time) (string, error) {
	return s.seal(fanAddressPurpose, sealedAddress{contestID, email.Deliver(), at.Unix()})
}

func (s *Server) openAddress(text, contestID string, now time.Time) (voting.Email, bool) {
	var a sealedAddress
	if s.unseal(fanAddressPurpose, text, &a) != nil || a.Contest != contestID || checkAge(time.Unix(a.Made, 0), now, fanFormLife) != nil {
		return voting.Email{}, false
	}
	email, err := voting.ParseEmail(a.Email)
	return email, err == nil
}
