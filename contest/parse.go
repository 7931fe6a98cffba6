package contest

import (
	"fmt"
	"net/netip"
	"time"
)

// maxFaults is where a report ends: nobody reads further, and a wrong generator
// would make one fault for each of 10,000 entries.
const maxFaults = 1000

// Parse reads a contest document, YAML or JSON, and fills in the defaults. The
// error is a Faults: one fault for text that is neither, else everything wrong
// with the document at once, in the order of its lines.
//
// A document may leave partner.secret out even when its identity is partner:
// the contest then keeps the secret it has. See CheckSecret.
func Parse(data []byte) (*Contest, error) { return parse(data, &reader{}) }

// ParseStored is Parse for a document that was taken once, by the rules of its day: one that
// a later rule would refuse is still the contest in which people vote.
func ParseStored(data []byte) (*Contest, error) { return parse(data, &reader{stored: true}) }

func parse(data []byte, r *reader) (*Contest, error) {
	root, fault := parseTree(data)
	if fault != nil {
		return nil, Faults{*fault}
	}
	c := readContest(value{root, r, ""})
	if n := len(r.faults); n > 0 {
		r.faults.sort()
		if n > maxFaults {
			r.faults = append(r.faults[:maxFaults], Fault{Message: fmt.Sprintf("and %d more faults", n-maxFaults)})
		}
		return nil, r.faults
	}
	return c, nil
}

func readContest(v value) *Contest {
	o := v.object()
	c := &Contest{
		ID:       required(o, "id", idWords, id),
		Title:    required(o, "title", "a text", text(maxTitle)),
		Brand:    optional(o, "brand", "", line(maxName)),
		Accent:   optional(o, "accent", "", colour),
		Locale:   optional(o, "locale", "fr", locale),
		Timezone: "Europe/Paris",
		Format:   optional(o, "format", FormatTeams, choice(FormatTeams)),
	}
	zone, ok := o.get("timezone")
	location, err := time.LoadLocation(c.Timezone)
	if ok {
		c.Timezone = zone.text
		location, err = time.LoadLocation(zone.text)
		if zone.kind != kindString || zone.text == "" || zone.text == "Local" || err != nil {
			zone.expected("a time zone such as Europe/Paris")
		}
	} else if err != nil {
		// Only a binary without time zones: it must not guess where midnight is.
		v.fault("expected the time zone %s to be known here: %v", c.Timezone, err)
	}
	c.Phases = required(o, "phases", "an object with voting", readPhases)
	c.Rules = optional(o, "rules", Rules{Ballots: Ballots{1, PerContest}, PerEntry: 1}, readRules)
	c.Identity = optional(o, "identity", LevelDevice, choice(levels...))
	c.Partner = optional(o, "partner", Partner{}, readPartner)
	c.Scoring = optional(o, "scoring", Scoring{SchoolScoring{By: ByTotal, Per: defaultPer}, TiesShared}, readScoring)
	c.Results = optional(o, "results", Results{Visibility: VisibleLive}, func(v value) Results { return readResults(v, c.Phases.Voting) })
	c.Embed = optional(o, "embed", Embed{}, readEmbed)
	c.Community = optional(o, "community", nil, readCommunity)
	screening, screened := o.get("antifraud")
	c.Boxes = optional(o, "boxes", 1, integer(1, 64))
	c.Links = optional(o, "links", Links{}, readLinks)
	c.Schools = required(o, "schools", "1 to 512 schools", func(v value) []School { return readSchools(v, c.Scoring) })
	c.index(location)
	c.Entries = optional(o, "entries", nil, func(v value) []Entry { return readEntries(v, c.schools) })
	c.index(location)
	c.Antifraud = defaultAntifraud
	if screened {
		c.Antifraud = readAntifraud(screening, c.schools)
	}
	o.end()
	return c
}

func readSchools(v value, scoring Scoring) []School {
	seen := make(map[string]bool)
	return list(v, 1, 512, "schools", func(v value) School {
		o := v.object()
		s := School{
			ID:           required(o, "id", idWords, id),
			Name:         required(o, "name", "a text", text(maxName)),
			City:         optional(o, "city", "", line(maxCity)),
			Students:     optional(o, "students", 0, integer(1, 10_000_000)),
			EmailDomains: optional(o, "email_domains", nil, distinct(0, 50, "domains", emailDomain)),
			Colour:       optional(o, "colour", "", colour),
		}
		unique(o, s.ID, seen)
		if _, given := o.get("students"); !given && scoring.Schools.By == ByPerStudent && o.kind == kindObject {
			value{v.node, v.r, v.member("students")}.fault("expected how many students the school has, because scoring is per_student, found nothing")
		}
		o.end()
		return s
	})
}

func readEntries(v value, schools map[string]int) []Entry {
	seen := make(map[string]bool)
	return list(v, 0, 10_000, "entries", func(v value) Entry {
		o := v.object()
		e := Entry{
			ID:      required(o, "id", idWords, id),
			School:  required(o, "school", "the id of a school", schoolOf(schools)),
			Title:   required(o, "title", "a text", text(maxTitle)),
			Authors: optional(o, "authors", nil, func(v value) []string { return list(v, 0, maxAuthors, "authors", line(maxAuthor)) }),
			Video:   optional(o, "video", nil, video),
			Hidden:  optional(o, "hidden", false, boolean),
		}
		unique(o, e.ID, seen)
		o.end()
		return e
	})
}

func readAntifraud(v value, schools map[string]int) Antifraud {
	o := v.object()
	a := Antifraud{
		Policy:       optional(o, "policy", defaultAntifraud.Policy, readPolicy),
		Hold:         optional(o, "hold", defaultAntifraud.Hold, readHold),
		PresenceUses: optional(o, "presence_uses", defaultAntifraud.PresenceUses, integer(1, 1_000_000)),
	}
	a.Canaries = optional(o, "canaries", nil, distinct(0, maxCanaries, "voters", canary))
	a.Campuses = optional(o, "campuses", nil, func(v value) []Campus {
		return list(v, 0, 512, "campuses", func(v value) Campus {
			o := v.object()
			campus := Campus{
				School: required(o, "school", "the id of a school", schoolOf(schools)),
				CIDRs:  required(o, "cidrs", "a list of networks", distinct[netip.Prefix](1, 200, "networks", network)),
			}
			o.end()
			return campus
		})
	})
	o.end()
	return a
}

// MaxHold is how long a ballot may be held. What speaks against it is kept for 30 days after the
// close: a hold of the last minute, by a detector that looks a day late, ends before.
const MaxHold = 28 * 24 * time.Hour

func readHold(v value) time.Duration {
	if v.r.stored {
		return duration(30 * 24 * time.Hour)(v) // the bound of before
	}
	return duration(MaxHold)(v)
}

// schoolOf reads the id of a school the document has.
func schoolOf(schools map[string]int) func(value) string {
	return func(v value) string {
		// When no school could be read, each entry would only repeat that fault.
		if _, ok := schools[v.text]; v.kind != kindString || !ok && len(schools) > 0 {
			v.expected("the id of a school of this contest")
			return ""
		}
		return v.text
	}
}

// unique faults an id that an earlier sibling has.
func unique(o *object, id string, seen map[string]bool) {
	if v, ok := o.get("id"); ok && id != "" && seen[id] {
		v.expected("an id of its own")
	}
	seen[id] = true
}

// distinct reads a list whose items, once normalised, are all different.
func distinct[T comparable](least, most int, what string, read func(value) T) func(value) []T {
	return func(v value) []T {
		seen := make(map[T]bool)
		return list(v, least, most, what, func(v value) T {
			var zero T
			one := read(v)
			if seen[one] && one != zero {
				v.expected("each only once")
			}
			seen[one] = true
			return one
		})
	}
}
