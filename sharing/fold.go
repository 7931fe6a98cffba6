package sharing

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// Cast is an accepted ballot with what was seen of it.
type Cast struct {
	Ballot   uuid.UUID
	Voter    voting.Voter
	School   string // of the entry
	At       time.Time
	Standing voting.Standing // when it was accepted

	Via    string // what it came by: a link of ours, or anything
	Page   string // the origin of the page it was cast in, where that is another site's
	Opened bool   // its link was opened: see Marks
	Proven bool   // see Proven

	// Keyed hashes of where it came from; empty where not seen.
	Net, Device, Agent string
}

// Proven says that somebody vouches for the voter: an address or a partner, the
// hall, or the school's own mail domain.
func Proven(level string, seen antifraud.Evidence) bool {
	return level == string(contest.LevelEmail) || level == string(contest.LevelPartner) || seen.Present || seen.SchoolDomain
}

// Record is a code that was made: whose it is, and since when.
type Record struct {
	Code   Code
	Owner  voting.Voter
	School string // of the owner's latest ballot when it was made; empty: not known
	Made   time.Time
}

// Fold keeps what a report is made of. Of ballots that came by no link and from
// no other site's page it keeps only who cast them and for which school: some
// 40 bytes a voter. Feed it a ballot's cast before its standings, and everything
// as often as you like: what it knows already changes nothing. It is for one
// goroutine at a time.
type Fold struct {
	seed    maphash.Seed // hashes of this process: nobody can choose ids that meet
	voters  map[uint64]voter
	shown   map[uint64]struct{} // hashes of a voter and a machine it cast from
	crowds  map[uint64]int32    // machine -> how many voters cast from it
	joined  map[uint64]uint64   // voter -> who it is
	others  map[uint64][]uint64 // who it is -> those joined to it
	ballots map[uint64]uint32   // hash of voter and ballot -> place in brought
	brought []brought
	codes   map[Code]record
	links   map[Via]link
	reviews map[uint64]uint16 // ballots under review -> school; see Reviewed

	schools, pages names
	perSchool      []int64          // voters, by school
	framed         map[uint32]int64 // how often pages showed a vote of ours, by page
}

// voter is who cast a ballot: for which school the latest was, and whether any
// was proven.
type voter struct {
	school uint16 // of Fold.schools, from 1; 0: none
	proven bool
}

// brought is a ballot that came by a link or from another site's page.
type brought struct {
	voter    uint64
	machine  uint64 // hash of network, device and agent; 0: not all three were seen
	at       int64  // Unix milliseconds
	code     Code
	page     uint32 // of Fold.pages, from 1; 0: none
	channel  uint8  // of Channels, from 1; 0: no link
	standing standing
	opened   bool
}

type standing uint8

const (
	other standing = iota
	counted
	held
)

func standingOf(s voting.Standing) standing {
	switch s {
	case voting.Counted:
		return counted
	case voting.Held:
		return held
	}
	return other
}

type record struct {
	owner  uint64
	made   int64
	school uint16
}

type link struct {
	visits int64
	given  bool
}

// NewFold starts with nothing.
func NewFold() *Fold {
	return &Fold{
		seed: maphash.MakeSeed(), voters: map[uint64]voter{}, shown: map[uint64]struct{}{}, crowds: map[uint64]int32{}, joined: map[uint64]uint64{}, others: map[uint64][]uint64{}, ballots: map[uint64]uint32{},
		codes: map[Code]record{}, links: map[Via]link{}, reviews: map[uint64]uint16{}, perSchool: []int64{0}, framed: map[uint32]int64{},
	}
}

// Cast adds an accepted ballot. A voter's ballots must come in their order.
func (f *Fold) Cast(c Cast) {
	id := f.one(short(c.Voter))
	was := f.voters[id]
	now := voter{school: f.school(c.School), proven: was.proven || c.Proven}
	if now != was {
		f.perSchool[was.school]-- // place 0 is nobody's
		f.perSchool[now.school]++
		f.voters[id] = now
	}
	var machine uint64
	if c.Net != "" && c.Device != "" && c.Agent != "" {
		machine = f.hash(c.Net, c.Device, c.Agent)
		if pair := f.pair(id, machine); !f.has(pair) {
			f.shown[pair] = struct{}{}
			f.crowds[machine]++
		}
	}
	via, err := ParseVia(c.Via)
	if err != nil && c.Page == "" {
		return
	}
	key := f.ballot(c.Voter, c.Ballot)
	if _, known := f.ballots[key]; known {
		return
	}
	b := brought{voter: id, machine: machine, at: c.At.UnixMilli(), standing: standingOf(c.Standing), opened: c.Opened}
	if err == nil {
		b.code, b.channel = via.Code, uint8(via.Channel.index()+1)
	}
	if c.Page != "" {
		b.page = f.pages.place(c.Page)
	}
	f.ballots[key] = uint32(len(f.brought))
	f.brought = append(f.brought, b)
}

// Join says that a voter is another one, who has proven an address.
func (f *Fold) Join(who, into voting.Voter) {
	id, one := short(who), short(into)
	if _, known := f.joined[id]; !known {
		f.joined[id] = one
		f.others[one] = append(f.others[one], id)
	}
	was, voted := f.voters[id]
	if !voted {
		return
	}
	delete(f.voters, id)
	if _, voted := f.voters[one]; voted {
		f.perSchool[was.school]--
	} else {
		f.voters[one] = was
	}
}

// proven tells whether somebody vouches for a person: who was joined to has proven
// an address.
func (f *Fold) proven(one uint64) bool { return f.voters[one].proven || len(f.others[one]) > 0 }

// one is who a voter is.
func (f *Fold) one(id uint64) uint64 {
	if one, joined := f.joined[id]; joined {
		return one
	}
	return id
}

func (f *Fold) has(pair uint64) bool {
	_, shown := f.shown[pair]
	return shown
}

// castFrom tells whether a person cast from a machine, on whichever device.
func (f *Fold) castFrom(one, machine uint64) bool {
	for _, id := range append([]uint64{one}, f.others[one]...) {
		if f.has(f.pair(id, machine)) {
			return true
		}
	}
	return false
}

// Stands says where a ballot stands now.
func (f *Fold) Stands(who voting.Voter, ballot uuid.UUID, s voting.Standing) {
	if at, kept := f.ballots[f.ballot(who, ballot)]; kept {
		f.brought[at].standing = standingOf(s)
	}
}

// Made adds a code, or what is known of it now.
func (f *Fold) Made(r Record) {
	f.codes[r.Code] = record{owner: short(r.Owner), made: r.Made.UnixMilli(), school: f.school(r.School)}
}

// Opened says how often a link was opened so far, and whether it was given out.
func (f *Fold) Opened(via Via, visits int64, given bool) {
	f.links[via] = link{visits, given}
}

// Framed says how often another site's page showed a vote of ours so far.
func (f *Fold) Framed(page string, visits int64) { f.framed[f.pages.place(page)] = visits }

func (f *Fold) school(id string) uint16 {
	if id == "" {
		return 0
	}
	at := f.schools.place(id)
	for int(at) >= len(f.perSchool) {
		f.perSchool = append(f.perSchool, 0)
	}
	return uint16(at)
}

// short is a voter in 64 bits. A voter is a keyed hash already, so two of a
// million meet with probability below 10^-7.
func short(v voting.Voter) uint64 { return binary.BigEndian.Uint64(v[:]) }

func (f *Fold) ballot(v voting.Voter, id uuid.UUID) uint64 {
	var both [len(v) + len(id)]byte
	copy(both[:], v[:])
	copy(both[len(v):], id[:])
	return maphash.Bytes(f.seed, both[:])
}

func (f *Fold) pair(a, b uint64) uint64 {
	var both [16]byte
	binary.BigEndian.PutUint64(both[:8], a)
	binary.BigEndian.PutUint64(both[8:], b)
	return maphash.Bytes(f.seed, both[:])
}

// hash is over texts that hold no NUL, and never 0.
func (f *Fold) hash(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(f.seed)
	for _, text := range texts {
		h.WriteString(text)
		h.WriteByte(0)
	}
	return max(h.Sum64(), 1)
}

// names numbers texts from 1.
type names struct {
	places map[string]uint32
	texts  []string
}

func (n *names) place(text string) uint32 {
	if at, known := n.places[text]; known {
		return at
	}
	if n.places == nil {
		n.places = map[string]uint32{}
	}
	n.texts = append(n.texts, text)
	n.places[text] = uint32(len(n.texts))
	return uint32(len(n.texts))
}
