package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
)

type detectCmd struct {
	Contest string `required:"" placeholder:"FILE" help:"Document of the contest, YAML or JSON."`
	Ballots string `required:"" placeholder:"FILE" help:"The ballot log, NDJSON as joute export writes it of what was seen, plain or gzip; - is standard input."`
	Out     string `required:"" placeholder:"FILE" help:"Where the verdicts go, one a line, written whole or not at all; - is standard output."`
}

func (detectCmd) Help() string {
	return "Needs no server. Writes one line for each ballot, in the order of the log:\n" +
		`{"ballot":"b17","score":0.97,"standing":"void","reasons":["lockstep"],"cluster":"c4"}` + "\n" +
		"score is the probability that the voter is a farm's. A line that is no ballot is told as FILE:LINE: what was expected, exit\n" +
		"status 1, and nothing is written. Numbers that no ballot can have are taken as the nearest that one can, and told once a kind;\n" +
		"so are ids that come twice and schools that are not the entry's, which change nothing.\n" +
		"Canaries of the document are counted whatever is found, and how many would not have been is told."
}

// verdictLine is what is said of a ballot.
type verdictLine struct {
	Ballot   string          `json:"ballot"`
	Score    float64         `json:"score"`
	Standing detect.Standing `json:"standing"`
	Reasons  []string        `json:"reasons"`
	Cluster  string          `json:"cluster,omitempty"`
}

func (cmd detectCmd) Run(ctx context.Context, m *Main) error {
	documents, err := m.readDocuments([]string{cmd.Contest})
	if err != nil {
		return err
	}
	d := documents[0].contest
	detector := detect.New(detect.Options{})
	ballots, err := cmd.read(ctx, m, d, detector)
	if err != nil {
		return err
	}
	if ballots == 0 {
		return fmt.Errorf("%s: there is no ballot in it", told(cmd.Ballots))
	}
	findings := detector.Whole().Findings
	if len(findings) != ballots {
		return fmt.Errorf("the detectors say something of %d ballots, and %d were read", len(findings), ballots)
	}
	canaries := map[string]bool{}
	for _, voter := range d.Antifraud.Canaries {
		canaries[voter] = true
	}
	spared := 0
	err = m.writeWhole(cmd.Out, func(w *bufio.Writer) error {
		lines := json.NewEncoder(w)
		for _, f := range findings {
			v := verdictLine{f.Ballot, f.Score, f.Standing, orEmpty(f.Reasons), f.Cluster}
			if canaries[f.Voter] && v.Standing != detect.Counted {
				v.Standing, v.Reasons, v.Cluster = detect.Counted, []string{}, ""
				spared++
			}
			if err := lines.Encode(v); err != nil {
				return fmt.Errorf("verdict on %s: %w", f.Ballot, err)
			}
		}
		return ctx.Err()
	})
	if err == nil && spared > 0 {
		fmt.Fprintf(m.Stderr, "joute: %d ballots of canaries would not have been counted: the detectors are wrong about somebody known to be honest\n", spared)
	}
	return err
}

// read gives the log to the detector and tells how many ballots it has.
func (cmd detectCmd) read(ctx context.Context, m *Main, d *contest.Contest, detector *detect.Detector) (ballots int, err error) {
	schools := map[string]string{} // of the entries
	for _, e := range d.Entries {
		schools[e.ID] = e.School
	}
	log := ballotLog{
		name: told(cmd.Ballots),
		lines: func(each func(line int, raw []byte) error) error {
			return m.readLog(cmd.Ballots, each)
		},
		check: func(b *detect.Ballot) error {
			if _, known := schools[b.Entry]; !known {
				return fmt.Errorf("entry: expected an entry of contest %s, found %q", d.ID, b.Entry)
			}
			return nil
		},
		clamped: func(line int, member, found string, taken float64) {
			fmt.Fprintf(m.Stderr, "joute: %s:%d: %s: no ballot has %s: taken as %s, and others like it too\n", told(cmd.Ballots), line, member, shortened(found), strconv.FormatFloat(taken, 'f', -1, 64))
		},
	}
	twice, strayed := oddity{}, oddity{}
	seen, seed := map[uint64]bool{}, maphash.MakeSeed() // ids, by a hash: of a million two have one by chance once in 3e7 logs
	err = log.read(ctx, func(some []detect.Ballot, lines []int) {
		for i := range some {
			b := &some[i]
			if id := maphash.String(seed, b.ID); seen[id] {
				twice.note(lines[i], fmt.Sprintf("%q", b.ID))
			} else {
				seen[id] = true
			}
			if own := schools[b.Entry]; b.School != "" && b.School != own {
				strayed.note(lines[i], fmt.Sprintf("%q, and entry %s is of %s", b.School, b.Entry, own))
			}
		}
		detector.Add(some...)
		ballots += len(some)
	})
	if err == nil {
		twice.tell(m, told(cmd.Ballots), "ballot: there is one before with the same id", "each line is judged as a ballot of its own")
		strayed.tell(m, told(cmd.Ballots), "school: not the entry's", "detectors go by the entry alone")
	}
	return ballots, err
}

// oddity is what a log has that no contest writes, and that is judged all the same.
type oddity struct {
	line  int // of the first
	found string
	times int
}

func (o *oddity) note(line int, found string) {
	if o.times == 0 {
		o.line, o.found = line, found
	}
	o.times++
}

// tell says it once, however often it is there.
func (o *oddity) tell(m *Main, file, what, then string) {
	if o.times > 0 {
		fmt.Fprintf(m.Stderr, "joute: %s:%d: %s: %s (%d in all): %s\n", file, o.line, what, o.found, o.times, then)
	}
}

// shortened keeps a number of a thousand digits from filling the screen.
func shortened(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
