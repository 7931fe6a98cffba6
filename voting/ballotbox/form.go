package ballotbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// This file alone spells, in Go, what a box's meta and the hashes of voters
// have in their values; lua/box.lua says what the bytes mean, and spells the same in Lua.

// standsAt is a box's place: what every record changes.
type standsAt struct {
	state      string
	at, offset int64 // of the newest record
	frozen     bool  // the tally of the freezing instant is kept
	sheets     int64 // ever
}

func (p standsAt) String() string {
	frozen := 0
	if p.frozen {
		frozen = 1
	}
	return fmt.Sprintf("%s|%d|%d|%d|%d", p.state, p.at, p.offset, frozen, p.sheets)
}

// parseStandsAt reads the place of a box; a box that is not there has none.
func parseStandsAt(value any) (p standsAt, err error) {
	text, there := value.(string)
	if !there {
		return p, nil
	}
	parts := strings.Split(text, "|")
	if len(parts) != 5 {
		return p, fmt.Errorf("corrupt ballot box: %q is no place", text)
	}
	var err1, err2, err3 error
	p.at, err1 = parseCount(parts[1])
	p.offset, err2 = parseCount(parts[2])
	p.sheets, err3 = parseCount(parts[4])
	p.state, p.frozen = parts[0], parts[3] == "1"
	return p, errors.Join(err1, err2, err3)
}

// trimmed is what was taken out of a box's stream, as every trim changes it.
type trimmed struct{ records, sheets int64 }

func (t trimmed) String() string { return fmt.Sprintf("%d|%d", t.records, t.sheets) }

// parseTrimmed reads it; nothing was where there is none.
func parseTrimmed(value any) (t trimmed, err error) {
	text, there := value.(string)
	if !there {
		return t, nil
	}
	records, sheets, _ := strings.Cut(text, "|")
	var err1, err2 error
	t.records, err1 = parseCount(records)
	t.sheets, err2 = parseCount(sheets)
	return t, errors.Join(err1, err2)
}

// rulesText is what a box keeps of a [configuration].
func rulesText(configuration []any) string {
	parts := make([]string, len(configuration))
	for i, part := range configuration {
		parts[i] = fmt.Sprint(part)
	}
	return strings.Join(parts, "|")
}

// parseRules reads when evidence expires, in ms, and how ties are settled, from what a
// box keeps of its rules; both are nothing where there is no box.
func parseRules(value any) (expires int64, ties contest.Ties, err error) {
	text, there := value.(string)
	if !there {
		return 0, "", nil
	}
	parts := strings.Split(text, "|")
	if len(parts) != ruleExpires+1 {
		return 0, "", fmt.Errorf("corrupt ballot box: %q is no set of rules", text)
	}
	expires, err = parseCount(parts[ruleExpires])
	return expires, contest.Ties(parts[ruleTies]), err
}

// ballotLetters are the standings of a ballot as they are kept: small letters, and
// capitals where its pass had been in the hall.
var ballotLetters = map[voting.Standing]byte{voting.Counted: 'c', voting.Held: 'h', voting.Void: 'v', voting.Withdrawn: 'w'}

const (
	capital = 'a' ^ 'A' // the bit that a small letter has and a capital has not

	ballotAt     = 1 // first of 6 bytes
	ballotOffset = 7 // first of 5 bytes
	ballotEntry  = 12

	ruledMark = "!" // before the reasons: an organizer has decided
)

// ballotText is what is kept of a ballot.
func ballotText(cast *voting.Cast) string {
	letter := ballotLetters[cast.Standing]
	if cast.Present {
		letter &^= capital
	}
	value := []byte{letter}
	for shift := 40; shift >= 0; shift -= 8 {
		value = append(value, byte(cast.Position.Millis>>shift))
	}
	for shift := 32; shift >= 0; shift -= 8 {
		value = append(value, byte(cast.Position.Offset>>shift))
	}
	value = append(value, cast.Entry...)
	why := strings.Join(cast.Reasons, " ")
	if cast.Ruled {
		why = ruledMark + why
	}
	if why != "" {
		value = append(append(value, '|'), why...)
	}
	return string(value)
}

// parseBallot reads what ballotText and box.lua write; ballot id and voter are in
// the field's name.
func parseBallot(value string, s *registry.Stored, box int) (voting.Cast, error) {
	if len(value) <= ballotEntry {
		return voting.Cast{}, errors.New("corrupt ballot box: expected a ballot")
	}
	cast := voting.Cast{Position: voting.Position{Box: box}}
	for standing, letter := range ballotLetters {
		if value[0]|capital == letter {
			cast.Standing, cast.Present = standing, value[0] != letter
		}
	}
	if cast.Standing == "" {
		return voting.Cast{}, fmt.Errorf("corrupt ballot box: %w", voting.ErrUnknownStanding)
	}
	for _, b := range []byte(value[ballotAt:ballotOffset]) {
		cast.Position.Millis = cast.Position.Millis<<8 | int64(b)
	}
	for _, b := range []byte(value[ballotOffset:ballotEntry]) {
		cast.Position.Offset = cast.Position.Offset<<8 | int64(b)
	}
	cast.Position.Epoch = s.EpochAt(box, cast.Position.Offset)
	var why string
	if cast.Entry, why, _ = strings.Cut(value[ballotEntry:], "|"); cast.Entry == "" {
		return voting.Cast{}, errors.New("corrupt ballot box: expected a ballot for an entry")
	}
	why, cast.Ruled = strings.CutPrefix(why, ruledMark)
	cast.Reasons = reasons(why)
	return cast, nil
}

// turnsText is what is kept of a voter who has used these turns.
func turnsText(c *contest.Contest, t usedTurns) string {
	return fmt.Sprintf("%d|%d|%s", t.start, t.used, entriesText(c, t.entries))
}

// joinedText is what is kept of a voter who is another one.
func joinedText(into voting.Voter) string { return "=" + string(into[:]) }

// entriesText is the turns by entry: nothing where the rules do not limit them.
func entriesText(c *contest.Contest, perEntry map[string]int) string {
	var entries []string
	if c.Rules.PerEntry < c.Rules.Ballots.Max {
		for _, entry := range slices.Sorted(maps.Keys(perEntry)) {
			entries = append(entries, fmt.Sprintf("%s=%d", entry, perEntry[entry]))
		}
	}
	return strings.Join(entries, ",")
}

// kept is what a box keeps of a voter.
type kept struct {
	voter  voting.Voter
	value  string         // empty: it has never voted, nor has who belongs to it
	into   *voting.Voter  // who it is, when it is another one
	others []voting.Voter // who belongs to it
}

// parseVoter reads what is kept of a voter, and behind its `+`; both are empty
// where nothing is.
func parseVoter(v voting.Voter, value, others string) (kept, error) {
	k := kept{voter: v, value: value}
	const size = len(voting.Voter{})
	switch {
	case value == "":
	case value[0] == '=' && len(value) == 1+size:
		other := voting.Voter([]byte(value[1:]))
		k.into = &other
	case strings.Count(value, "|") != 2:
		return kept{}, errors.New("corrupt ballot box: expected the turns of a voter")
	}
	if len(others)%size != 0 {
		return kept{}, errors.New("corrupt ballot box: expected the voters that belong to one")
	}
	for ; others != ""; others = others[size:] {
		if other := voting.Voter([]byte(others[:size])); other != v {
			k.others = append(k.others, other)
		}
	}
	return k, nil
}
