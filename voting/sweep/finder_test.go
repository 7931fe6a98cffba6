package sweep

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// scripted finds what ballots say of themselves: an agent of "void", "held" or "both"
// (held on two families), from the time on that as many ballots as its via says are in.
// Like the detectors it tells changes alone, and all of them when asked whole.
type scripted struct {
	ballots []detect.Ballot
	told    map[string]detect.Standing
}

func newScripted() Finder { return &scripted{told: map[string]detect.Standing{}} }

func (s *scripted) Add(ballots ...detect.Ballot) { s.ballots = append(s.ballots, ballots...) }
func (s *scripted) Run() detect.Report           { return s.report(false) }
func (s *scripted) Whole() detect.Report         { return s.report(true) }

func (s *scripted) report(whole bool) (r detect.Report) {
	for _, b := range s.ballots {
		f := detect.Finding{Ballot: b.ID, Voter: b.Voter, Entry: b.Entry, At: b.At, Standing: detect.Counted}
		from, _ := strconv.Atoi(b.Evidence.Via)
		if len(s.ballots) >= from {
			switch b.Evidence.Agent {
			case "void":
				f.Standing, f.Score, f.Families = detect.Void, .97, []antifraud.Family{antifraud.FamilyDevice, antifraud.FamilyNetwork}
				r.Clusters = []detect.Cluster{{ID: "c1", Signature: &antifraud.Signature{ID: "c1", Entries: []string{b.Entry}}}}
			case "held":
				f.Standing, f.Score, f.Families = detect.Held, .6, []antifraud.Family{antifraud.FamilyDevice}
			case "both":
				f.Standing, f.Score, f.Families = detect.Held, .8, []antifraud.Family{antifraud.FamilyDevice, antifraud.FamilyNetwork}
			}
		}
		if f.Standing != detect.Counted {
			f.Reasons, f.Cluster, f.Parts = []string{antifraud.ReasonLockstep}, "c1", []detect.Part{{Signal: "device", Family: antifraud.FamilyDevice, LogOdds: 2.5}}
		}
		before, known := s.told[b.Voter+b.ID]
		if whole || !known || before != f.Standing {
			r.Findings = append(r.Findings, f)
		}
		s.told[b.Voter+b.ID] = f.Standing
	}
	return r
}

// forgiving clears what was held once there are more ballots than it has patience.
type forgiving struct{ scripted }

func (f *forgiving) Run() detect.Report {
	if len(f.ballots) > 2 {
		for i := range f.ballots {
			f.ballots[i].Evidence.Agent = ""
		}
	}
	return f.scripted.Run()
}

// noon is when the ballots of pure tests are cast.
var noon = time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC)

// book writes a ledger of one box by hand.
type book struct {
	offset int64
	lines  []Line
}

func ballotNamed(name string) Ballot {
	sum := sha256.Sum256([]byte(name))
	return Ballot{voting.Voter(sum[:16]), uuid.NewSHA1(uuid.Nil, sum[:])}
}

func (b *book) cast(name, entry, agent string, after time.Duration) {
	b.write(name, entry, voting.KindCast, voting.Counted, voting.ActorVoter, after)
	b.lines[len(b.lines)-1].Evidence = antifraud.Evidence{Agent: agent}
	b.lines[len(b.lines)-1].Level = "device"
}

func (b *book) write(name, entry string, kind voting.Kind, to voting.Standing, by voting.Actor, after time.Duration, reasons ...string) {
	b.offset++
	at := ballotNamed(name)
	b.lines = append(b.lines, Line{Record: voting.Record{
		Position: voting.Position{Epoch: 7, Millis: noon.Add(after).UnixMilli(), Offset: b.offset}, Kind: kind, Voter: at.Voter, Ballot: at.ID,
		Entry: entry, School: "north", Standing: to, Actor: by, Reasons: reasons,
	}})
}

// obey writes decisions as the sweeper does.
func (b *book) obey(decisions []Decision, after time.Duration) {
	for _, d := range decisions {
		b.offset++
		kind := map[voting.Standing]voting.Kind{voting.Counted: voting.KindRelease, voting.Held: voting.KindHold, voting.Void: voting.KindVoid}[d.Standing]
		b.lines = append(b.lines, Line{Record: voting.Record{
			Position: voting.Position{Epoch: 7, Millis: noon.Add(after).UnixMilli(), Offset: b.offset}, Kind: kind, Voter: d.Voter, Ballot: d.ID,
			Entry: d.Entry, School: "north", Standing: d.Standing, Actor: voting.ActorDetector, Reasons: d.Reasons,
		}})
	}
}

func (b *book) read(j *Judge) {
	for _, r := range b.lines {
		j.Read(r.Record, r.Level, r.Evidence)
	}
}

// say is what was decided, a word a ballot.
func say(names []string, decisions []Decision) (words []string) {
	for _, d := range decisions {
		for _, name := range names {
			if ballotNamed(name) == d.Ballot {
				words = append(words, name+" "+string(d.Standing)+" "+d.Reasons[0])
			}
		}
	}
	slices.SortFunc(words, cmp.Compare[string])
	return words
}
