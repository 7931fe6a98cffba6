package contest

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Document is the contest as canonical JSON, for its organizer: defaults filled
// in, partner.secret left out, the same contest always the same bytes. Parse
// reads it back to the same contest but for the secret.
func (c *Contest) Document() []byte {
	w := c.wire()
	w.Partner = nil
	return w.encode()
}

// DocumentWithSecret is Document and partner.secret. It is for whoever must
// compare or carry a whole contest; it belongs in no answer, log or store.
func (c *Contest) DocumentWithSecret() []byte { return c.wire().encode() }

// Public is what anyone may read: no partner.secret, campuses, canaries, e-mail domains or
// hidden entries, and of a policy its name alone.
func (c *Contest) Public() []byte {
	w := c.wire()
	w.Partner = nil
	w.Antifraud.Policy, w.Antifraud.Campuses, w.Antifraud.Canaries = c.Antifraud.Policy.Name, nil, nil
	for i := range w.Schools {
		w.Schools[i].EmailDomains = nil
	}
	shown := w.Entries[:0]
	for _, e := range w.Entries {
		if !e.Hidden {
			shown = append(shown, e)
		}
	}
	w.Entries = shown
	return w.encode()
}

// MarshalJSON is Document, so that no way of printing a contest shows its secret.
func (c *Contest) MarshalJSON() ([]byte, error) { return c.Document(), nil }

// MarshalJSON is the string, or the object of languages in order.
func (t Text) MarshalJSON() ([]byte, error) {
	if t.byLang == nil {
		return json.Marshal(t.plain)
	}
	return json.Marshal(t.byLang, json.Deterministic(true))
}

func (w *wireContest) encode() []byte {
	out, err := json.Marshal(w, json.Deterministic(true), jsontext.EscapeForHTML(false))
	if err != nil {
		// Strings are valid UTF-8 because Parse refuses others; nothing else can fail.
		panic("contest: a parsed contest must encode: " + err.Error())
	}
	return out
}

// The wire types spell the members; their order is the contract's.
type (
	wireContest struct {
		ID        string         `json:"id"`
		Title     Text           `json:"title"`
		Brand     string         `json:"brand,omitzero"`
		Accent    string         `json:"accent,omitzero"`
		Locale    string         `json:"locale"`
		Timezone  string         `json:"timezone"`
		Format    string         `json:"format"`
		Phases    wirePhases     `json:"phases"`
		Rules     wireRules      `json:"rules"`
		Identity  Level          `json:"identity"`
		Partner   *wirePartner   `json:"partner,omitzero"`
		Scoring   wireScoring    `json:"scoring"`
		Results   wireResults    `json:"results"`
		Embed     wireEmbed      `json:"embed,omitzero"`
		Community *wireCommunity `json:"community,omitzero"`
		Antifraud wireAntifraud  `json:"antifraud"`
		Boxes     int            `json:"boxes"`
		Links     wireLinks      `json:"links,omitzero"`
		Schools   []wireSchool   `json:"schools"`
		Entries   []wireEntry    `json:"entries"`
	}
	wirePhases struct {
		Entries *wireWindow `json:"entries,omitzero"`
		Voting  wireWindow  `json:"voting"`
	}
	wireWindow struct {
		Opens  string `json:"opens"`
		Closes string `json:"closes"`
	}
	wireRules struct {
		Ballots struct {
			Max int    `json:"max"`
			Per Period `json:"per"`
		} `json:"ballots"`
		PerEntry int    `json:"per_entry"`
		Undo     string `json:"undo"`
	}
	wirePartner struct {
		Secret string `json:"secret"`
	}
	wireScoring struct {
		Schools struct {
			By          ScoreBy `json:"by"`
			Per         int     `json:"per"`
			BestEntries int     `json:"best_entries,omitzero"`
		} `json:"schools"`
		Ties Ties `json:"ties"`
	}
	wireResults struct {
		Visibility Visibility `json:"visibility"`
		Freeze     string     `json:"freeze"`
	}
	wireEmbed struct {
		Origins []string `json:"origins,omitempty"`
		Only    bool     `json:"only,omitzero"`
	}
	wireCommunity struct {
		Name     string  `json:"name"`
		OptIn    Text    `json:"opt_in"`
		Under15  Under15 `json:"under_15"`
		ShowFans bool    `json:"show_fans"`
	}
	wireAntifraud struct {
		Policy       any          `json:"policy"` // a name, or a document
		Hold         string       `json:"hold"`
		Campuses     []wireCampus `json:"campuses,omitempty"`
		PresenceUses int          `json:"presence_uses"`
		Canaries     []string     `json:"canaries,omitempty"`
	}
	wireCampus struct {
		School string   `json:"school"`
		CIDRs  []string `json:"cidrs"`
	}
	wireLinks struct {
		Rules   string `json:"rules,omitzero"`
		Privacy string `json:"privacy,omitzero"`
		Contact string `json:"contact,omitzero"`
	}
	wireSchool struct {
		ID           string   `json:"id"`
		Name         Text     `json:"name"`
		City         string   `json:"city,omitzero"`
		Students     int      `json:"students,omitzero"`
		EmailDomains []string `json:"email_domains,omitempty"`
		Colour       string   `json:"colour,omitzero"`
	}
	wireEntry struct {
		ID      string   `json:"id"`
		School  string   `json:"school"`
		Title   Text     `json:"title"`
		Authors []string `json:"authors,omitempty"`
		Video   string   `json:"video,omitzero"`
		Hidden  bool     `json:"hidden,omitzero"`
	}
)

func (c *Contest) wire() *wireContest {
	w := &wireContest{
		ID: c.ID, Title: c.Title, Brand: c.Brand, Accent: c.Accent, Locale: c.Locale, Timezone: c.Timezone, Format: c.Format,
		Identity: c.Identity, Boxes: c.Boxes, Links: wireLinks(c.Links),
		Phases:  wirePhases{Voting: c.Phases.Voting.wire()},
		Results: wireResults{c.Results.Visibility, formatDuration(c.Results.Freeze)},
		Embed:   wireEmbed{c.Embed.Origins, c.Embed.Only},
		Schools: make([]wireSchool, len(c.Schools)), Entries: make([]wireEntry, len(c.Entries)),
	}
	if c.Phases.Entries != nil {
		entries := c.Phases.Entries.wire()
		w.Phases.Entries = &entries
	}
	w.Rules.Ballots.Max, w.Rules.Ballots.Per = c.Rules.Ballots.Max, c.Rules.Ballots.Per
	w.Rules.PerEntry, w.Rules.Undo = c.Rules.PerEntry, formatDuration(c.Rules.Undo)
	w.Scoring.Schools.By, w.Scoring.Schools.Per = c.Scoring.Schools.By, c.Scoring.Schools.Per
	w.Scoring.Schools.BestEntries, w.Scoring.Ties = c.Scoring.Schools.BestEntries, c.Scoring.Ties
	if c.Partner.Secret != "" {
		w.Partner = &wirePartner{c.Partner.Secret}
	}
	if c.Community != nil {
		community := wireCommunity(*c.Community)
		w.Community = &community
	}
	w.Antifraud = wireAntifraud{Policy: c.Antifraud.Policy.wire(), Hold: formatDuration(c.Antifraud.Hold), PresenceUses: c.Antifraud.PresenceUses, Canaries: c.Antifraud.Canaries}
	for _, campus := range c.Antifraud.Campuses {
		one := wireCampus{School: campus.School}
		for _, p := range campus.CIDRs {
			one.CIDRs = append(one.CIDRs, p.String())
		}
		w.Antifraud.Campuses = append(w.Antifraud.Campuses, one)
	}
	for i, s := range c.Schools {
		w.Schools[i] = wireSchool(s)
	}
	for i, e := range c.Entries {
		w.Entries[i] = wireEntry{ID: e.ID, School: e.School, Title: e.Title, Authors: e.Authors, Hidden: e.Hidden}
		if e.Video != nil {
			w.Entries[i].Video = e.Video.URL()
		}
	}
	return w
}

func (w Window) wire() wireWindow { return wireWindow{rfc3339(w.Opens), rfc3339(w.Closes)} }

// rfc3339 writes instants in UTC: the zone's rules may change, the bytes must not.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// formatDuration is Go's form without the parts that are zero: 10m, not 10m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
