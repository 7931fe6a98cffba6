package detect

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/contest"
)

// unseen is the code of what was not seen.
const unseen = int32(-1)

// record is what is kept of a ballot: 96 bytes without a pointer, as all of a contest
// are, and the collector need not go through them.
type record struct {
	id      ballotID
	at      int64   // ms since 1970
	dwell   float32 // ln of milliseconds; NaN: not seen
	confirm float32 // the same
	account float32 // log-odds; NaN: no profile
	proof   float32
	before  int32 // the voter's ballot before it among the records, or unseen
	voter   int32
	entry   int32
	device  int32
	agent   int32
	net     int32
	block   int32
	via     int32
	way     int32 // referrer
	kind    int32 // of network
	asn     int32

	followers, following int32 // of the profile; unseen where either is
}

// log is a contest's record as detectors read it.
type log struct {
	records []record
	last    []int32 // by voter: the last of their ballots

	odd []string // ids that are no UUIDs

	voters, entries, devices, agents, nets, blocks, vias, ways, kinds, asns names
}

// A time outside of these is nobody's: it is taken for the nearer.
const minTimeMS, maxTimeMS = 1, 3_600_000

// lnTime is ln of a time that was seen, NaN of none.
func lnTime(ms *int64) float32 {
	if ms == nil {
		return float32(math.NaN())
	}
	return float32(math.Log(float64(min(max(*ms, minTimeMS), maxTimeMS))))
}

// people is a number of accounts, as far as a record has room for it.
func people(n int64) int32 { return int32(min(max(n, 0), math.MaxInt32)) }

func (l *log) add(b *Ballot) {
	e := &b.Evidence
	r := record{
		id: l.idOf(b.ID), at: b.At.UnixMilli(), dwell: lnTime(e.DwellMS), confirm: lnTime(e.ConfirmMS), account: float32(math.NaN()), proof: float32(proofOdds(b)), before: unseen,
		voter: l.voters.code(b.Voter), entry: l.entries.code(b.Entry),
		device: l.devices.code(e.Device), agent: l.agents.code(e.Agent), net: l.nets.code(e.Net), block: l.blocks.code(e.Block),
		via: l.vias.code(e.Via), way: l.ways.code(string(e.Referrer)), kind: unseen, asn: unseen, followers: unseen, following: unseen,
	}
	if e.NetKind != antifraud.NetUnknown {
		r.kind = l.kinds.code(string(e.NetKind))
	}
	if e.ASN != 0 {
		var number [len("4294967295")]byte
		r.asn = l.asns.code(string(strconv.AppendUint(number[:0], uint64(e.ASN), 10)))
	}
	if e.Profile != nil {
		r.account = float32(account.Score(e.Profile).LogOdds)
		if a, b := e.Profile.Followers, e.Profile.Following; a != nil && b != nil {
			r.followers, r.following = people(*a), people(*b)
		}
	}
	if int(r.voter) == len(l.last) {
		l.last = append(l.last, unseen)
	}
	r.before, l.last[r.voter] = l.last[r.voter], int32(len(l.records))
	l.records = append(l.records, r)
}

// mailOdds are what an address says that was proven by mail: an inbox costs about what
// seven device passes do.
const mailOdds = -2

// proofOdds are log-odds against a farm: an address of the school says more
// than one of anywhere, and nobody sends a farm into the hall.
func proofOdds(b *Ballot) float64 {
	odds := 0.0
	if b.Level == string(contest.LevelEmail) {
		odds += mailOdds
	}
	if b.Evidence.SchoolDomain {
		odds -= 3
	}
	if b.Evidence.Present {
		odds -= 4
	}
	return odds
}

// inOrder puts places of records in the order of time, and of ids within a
// millisecond: boxes of a contest are read one after another.
func (l *log) inOrder(places []int32) {
	slices.SortFunc(places, func(a, b int32) int {
		x, y := &l.records[a], &l.records[b]
		if c := cmp.Compare(x.at, y.at); c != 0 {
			return c // nearly always: what else there is, is far away in memory
		}
		return cmp.Or(l.compare(x.id, y.id), bytes.Compare(l.voters.bytes(x.voter), l.voters.bytes(y.voter)))
	})
}

func (r *record) time() time.Time { return time.UnixMilli(r.at).UTC() }
