package sweep

import (
	"errors"
	"fmt"
	"slices"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// Line is a record of the ledger, a cast with what was seen of it.
type Line struct {
	voting.Record
	Level    string
	Evidence antifraud.Evidence
}

// Outcome is how a ballot stands in the end, and why.
type Outcome struct {
	School   string
	Standing voting.Standing
	Reasons  []string
}

// Same tells whether two outcomes are one.
func (o Outcome) Same(p Outcome) bool {
	return o.Standing == p.Standing && slices.Equal(o.Reasons, p.Reasons)
}

var (
	// ErrNoSweeps is returned where nothing was kept of what the detectors did.
	ErrNoSweeps = errors.New("no sweeps are kept: the detectors have not run yet, or what was seen has expired or was forgotten")
	// ErrModel is returned for sweeps of formulas that this program does not have.
	ErrModel = errors.New("the sweeps were made with other formulas than this program has")
)

// Outcomes are how the ballots of a ledger stand.
func Outcomes(ledger []Line) map[Ballot]Outcome {
	stand := map[Ballot]Outcome{}
	for _, r := range ledger {
		if r.NamesBallot() {
			stand[Ballot{r.Voter, r.Ballot}] = Outcome{r.School, r.Standing, r.Reasons}
		}
	}
	return stand
}

// tape is a ledger that is read up to cuts, box by box.
type tape struct {
	boxes [][]Line
	at    []int
}

func newTape(ledger []Line) *tape {
	t := &tape{}
	for _, r := range ledger {
		for len(t.boxes) <= r.Position.Box {
			t.boxes, t.at = append(t.boxes, nil), append(t.at, 0)
		}
		t.boxes[r.Position.Box] = append(t.boxes[r.Position.Box], r)
	}
	return t
}

func (t *tape) rewind() { clear(t.at) }

// upTo gives what is not read yet of the records of a cut.
func (t *tape) upTo(cut []int64, read func(Line)) error {
	for box, offset := range cut {
		if box >= len(t.boxes) {
			if offset > 0 {
				return fmt.Errorf("the ledger ends before what a sweep had read: box %d is missing", box)
			}
			continue
		}
		lines := t.boxes[box]
		for t.at[box] < len(lines) && lines[t.at[box]].Position.Offset <= offset {
			read(lines[t.at[box]])
			t.at[box]++
		}
		if n := t.at[box]; offset > 0 && (n == 0 || lines[n-1].Position.Offset < offset) {
			return fmt.Errorf("the ledger ends before what a sweep had read: record %d of box %d is missing", offset, box)
		}
	}
	return nil
}

// ruled is what a sweep decided, and the cut it had read.
type ruled struct {
	standing voting.Standing
	reasons  []string
	cut      []int64
}

// before tells whether a record was not read yet when it was decided.
func (d ruled) before(p voting.Position) bool {
	return p.Box >= len(d.cut) || p.Offset > d.cut[p.Box]
}

// Replay does the sweeps again, each at its cut, on a ledger with all that was seen,
// in the ledger's order. It returns where the ballots stand by what the detectors
// decide now and everybody else decided then: the ledger's own [Outcomes], when
// nothing was changed since.
func Replay(ledger []Line, sweeps []Sweep, finder func() Finder) (map[Ballot]Outcome, error) {
	if len(sweeps) == 0 || sweeps[0].Fresh == nil {
		return nil, ErrNoSweeps
	}
	last := map[Ballot]ruled{}
	tape := newTape(ledger)
	written := writtenBy(ledger)
	var judge *Judge
	for i, s := range sweeps {
		if s.Fresh != nil {
			if s.Fresh.Model != detect.Model {
				return nil, fmt.Errorf("%w: %s, not %s", ErrModel, s.Fresh.Model, detect.Model)
			}
			judge = NewJudge(*s.Fresh, finder())
			tape.rewind()
		}
		if err := tape.upTo(s.Cut, func(r Line) { judge.Read(r.Record, r.Level, r.Evidence) }); err != nil {
			return nil, fmt.Errorf("sweep %d: %w", s.Number, err)
		}
		ruling, err := judge.Sweep(s.At(), s.Whole)
		if err != nil {
			return nil, fmt.Errorf("sweep %d: %w", s.Number, err)
		}
		if judge.settings.Observe {
			continue
		}
		// Where the next sweep begins anew, this one's server may have been killed before it
		// had written all. What it had not, was decided by that one.
		cutOff := i+1 < len(sweeps) && sweeps[i+1].Fresh != nil
		for _, d := range ruling.Decisions {
			one := ruled{d.Standing, d.Reasons, s.Cut}
			if !cutOff || written.has(d.Ballot, one) {
				last[d.Ballot] = one
			}
		}
	}
	return outcomes(ledger, last), nil
}

// written are the detectors' records of a ledger, by ballot.
type written map[Ballot][]voting.Record

func writtenBy(ledger []Line) written {
	w := written{}
	for _, r := range ledger {
		if r.NamesBallot() && r.Actor == voting.ActorDetector {
			ballot := Ballot{r.Voter, r.Ballot}
			w[ballot] = append(w[ballot], r.Record)
		}
	}
	return w
}

// has tells whether a decision about a ballot is in the ledger, behind the cut that it was made at.
func (w written) has(ballot Ballot, d ruled) bool {
	return slices.ContainsFunc(w[ballot], func(r voting.Record) bool {
		return d.before(r.Position) && r.Standing == d.standing && slices.Equal(r.Reasons, d.reasons)
	})
}

// outcomes are those of a ledger with other decisions of the detectors.
func outcomes(ledger []Line, last map[Ballot]ruled) map[Ballot]Outcome {
	stand := map[Ballot]Outcome{}
	for _, r := range ledger {
		if !r.NamesBallot() || r.Actor == voting.ActorDetector {
			continue
		}
		ballot := Ballot{r.Voter, r.Ballot}
		stand[ballot] = Outcome{r.School, r.Standing, r.Reasons}
		// Whoever decided behind the cut was faster, or came later: right either way.
		if d, there := last[ballot]; there && !d.before(r.Position) {
			stand[ballot] = Outcome{r.School, d.standing, d.reasons}
		}
	}
	return stand
}

// Screen is what screening makes of a cast by what was seen of it; what it would
// have rejected is void. An error is of evidence that cannot be read.
type Screen func(seen antifraud.Evidence) (voting.Standing, []string, error)

// Suppose tells where the ballots would stand had the contest had other settings and
// another screening from the beginning: sweeps at the cuts that were kept, and what
// voters and organizers did as they did it. Canaries are held and rejected by no
// screening. Who was refused then is in no ledger.
func Suppose(ledger []Line, sweeps []Sweep, settings Settings, screen Screen, finder func() Finder) (map[Ballot]Outcome, error) {
	if len(sweeps) == 0 {
		return nil, ErrNoSweeps
	}
	supposed := slices.Clone(ledger)
	for i := range supposed {
		if r := &supposed[i]; r.Kind == voting.KindCast {
			var err error
			if r.Standing, r.Reasons, err = screen(r.Evidence); err != nil {
				return nil, fmt.Errorf("ballot %s: %w", r.Ballot, err)
			}
			if slices.Contains(settings.Canaries, r.Voter.String()) {
				r.Standing, r.Reasons = voting.Counted, nil
			}
			r.Actor = voting.ActorVoter
			if r.Standing != voting.Counted {
				r.Actor = voting.ActorScreen
			}
		}
	}
	judge, last, tape := NewJudge(settings, finder()), map[Ballot]ruled{}, newTape(supposed)
	for _, s := range sweeps {
		if err := tape.upTo(s.Cut, func(r Line) {
			if r.Actor == voting.ActorDetector {
				r.Record = voting.Record{Position: r.Position, Kind: r.Kind} // read, and not what it says
			}
			judge.Read(r.Record, r.Level, r.Evidence)
		}); err != nil {
			return nil, fmt.Errorf("sweep %d: %w", s.Number, err)
		}
		ruling, err := judge.Sweep(s.At(), s.Whole)
		if err != nil {
			return nil, fmt.Errorf("sweep %d: %w", s.Number, err)
		}
		if settings.Observe {
			continue
		}
		for _, d := range ruling.Decisions {
			last[d.Ballot] = ruled{d.Standing, d.Reasons, s.Cut}
			judge.stands(d.Ballot, stand{standing: d.Standing, reasons: d.Reasons, by: voting.ActorDetector, since: s.AtMS})
		}
	}
	return outcomes(supposed, last), nil
}
