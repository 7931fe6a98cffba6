package ballotbox

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// This file alone spells the keys of ballot boxes. All keys of a box share the
// hash tag {contest/box}, so that one script may touch them all, on a cluster
// too; contest ids are checked and have no brace or slash.
//
//	joute:{contest/n}:meta         hash    state, rules and place of the box; whether it was forgotten
//	joute:{contest/n}:tally        hash    counts by entry and standing
//	joute:{contest/n}:ledger       stream  the records that are not on disk yet, an entry a sheet, id millisecond-offset of its last
//	joute:{contest/n}:frozen       hash    the tally of the freezing instant
//	joute:{contest/n}:voters:BBBB  hash    voter -> turns used, or who it is; voter+ -> who joined it;
//	                                       ballot+voter -> what became of the ballot, packed: form.go
//	joute:{contest/n}:joining      hash    voter -> who it is, until that is worked in
//	joute:{contest/n}:held         zset    ballot+voter of the held ballots, by the instant of the cast
//	joute:{contest/n}:evidence     stream  what was seen of their casts; expires 30 days after the close
//	joute:{contest/n}:appeals      hash    ballot+voter -> what its voter wrote, sealed; ballot+voter+! -> it was answered;
//	                                       expires with the evidence
//	joute:{contest/n}:findings     hash    ballot+voter -> what the detectors last decided of it, and why; expires with the evidence
//	joute:{contest/0}:sweeps       hash    number -> one sweep of the detectors; `now` -> where they are; expires with the evidence
//	joute:{contest/n}:solved:ID    string  the ballot a challenge was solved for; expires when the challenge can be solved no more
//	joute:{contest/0}:past         hash    minute -> tally, for trends
//	joute:{contest/0}:act:NAME     string  what an organizer has just decided; expires after an hour
//
// [Boxes.Forget] deletes evidence, appeals, findings and sweeps at once. None but they, acts and solved challenges expires: with a voter's key would go the
// memory that the voter has voted.

// changedChannel is where servers tell each other which contests to read anew:
// ids, apart by spaces. It keeps nothing.
const changedChannel = "joute:changed"

// buckets is over how many hashes the voters of a box are spread, each with their ballots:
// what a cast reads and writes of a voter is then one command each. Redis keeps a hash
// of up to 128 fields as one compact list: at a million voters of a ballot each a bucket
// holds 61, and a voter costs the bytes written and little more.
const buckets = 1 << 15

// boxKeys are the keys of one box.
type boxKeys struct {
	meta, tally, ledger, frozen string
	evidence, past, joining     string
	held, appeals               string
	findings, sweeps            string
	prefix                      string
}

func keysOf(contestID string, box int) boxKeys {
	prefix := "joute:{" + contestID + "/" + strconv.Itoa(box) + "}:"
	return boxKeys{
		prefix: prefix, meta: prefix + "meta", tally: prefix + "tally", ledger: prefix + "ledger",
		frozen: prefix + "frozen", evidence: prefix + "evidence", past: prefix + "past", joining: prefix + "joining",
		held: prefix + "held", appeals: prefix + "appeals",
		findings: prefix + "findings", sweeps: prefix + "sweeps",
	}
}

// expiring are those of what was seen and said, in the order every script that ends
// their time has them.
func (k boxKeys) expiring() []string { return []string{k.evidence, k.appeals, k.findings, k.sweeps} }

// common are the keys every script begins with.
func (k boxKeys) common(more ...string) []string {
	return append([]string{k.meta, k.tally, k.ledger, k.frozen}, more...)
}

// Recorded tells the keys of boxes that [Boxes.Restore] makes from records, and those
// that have records and evidence until they are archived.
func Recorded(key string) bool { return recordedKey.MatchString(key) }

var recordedKey = regexp.MustCompile(`^joute:\{[^/]+/[0-9]+\}:(meta|tally|ledger|frozen|joining|held|evidence|voters:.*)$`)

// act is the key of one act. It is in the first box, whichever ballots it is about.
func (k boxKeys) act(name string) string { return k.prefix + "act:" + name }

// solved is the key of one challenge, in the box of the voter it was made for.
func (k boxKeys) solved(challenge [16]byte) string {
	return fmt.Sprintf("%ssolved:%x", k.prefix, challenge)
}

// ballotField is a ballot's name in the hashes of voters and appeals, and among
// those held.
func ballotField(id uuid.UUID, v voting.Voter) string { return string(id[:]) + string(v[:]) }

// answered is the field among appeals that says that a ballot's was answered.
func answered(ballot string) string { return ballot + "!" }

// boxOf is the box a voter belongs to. A voter is a keyed hash already: its bits
// are spread evenly, and nobody outside can choose them.
func boxOf(v voting.Voter, boxes int) int {
	return int(binary.BigEndian.Uint64(v[:8]) % uint64(boxes))
}

// voters is the hash that has a voter and its ballots.
func (k boxKeys) voters(v voting.Voter) string { return string(k.appendVoters(nil, v)) }

// appendVoters writes it behind b.
func (k boxKeys) appendVoters(b []byte, v voting.Voter) []byte {
	bucket := binary.BigEndian.Uint16(v[8:10]) % buckets
	return hex.AppendEncode(append(append(b, k.prefix...), "voters:"...), []byte{byte(bucket >> 8), byte(bucket)})
}
