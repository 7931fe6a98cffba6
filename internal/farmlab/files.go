package farmlab

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/ndjson"
)

// The files of a workload's folder.
const (
	ContestFile = "contest.yaml"
	BallotsFile = "ballots.ndjson.gz"
	labelsFile  = "labels.csv"
)

// Write makes the folder dir where it is not there and puts the workload into it,
// each file whole.
func (w *Workload) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the workload: %w", err)
	}
	for name, write := range map[string]func(*bufio.Writer) error{
		ContestFile: func(out *bufio.Writer) error { _, err := out.Write(w.Contest); return err },
		BallotsFile: w.pack,
		labelsFile:  w.writeLabels,
	} {
		if err := ndjson.WriteWhole(filepath.Join(dir, name), write); err != nil {
			return fmt.Errorf("write the workload: %w", err)
		}
	}
	return nil
}

func (w *Workload) pack(out *bufio.Writer) error {
	packed, _ := gzip.NewWriterLevel(out, gzip.BestSpeed) // the level is a good one: no error is possible
	lines := json.NewEncoder(packed)
	for i := range w.Ballots {
		if err := lines.Encode(&w.Ballots[i]); err != nil {
			return err
		}
	}
	return packed.Close()
}

// writeLabels writes a row a voter, in the order of their first ballots.
func (w *Workload) writeLabels(out *bufio.Writer) error {
	rows := csv.NewWriter(out)
	rows.Write([]string{"voter", "farm", "group"})
	told := map[string]bool{}
	for i := range w.Ballots {
		voter := w.Ballots[i].Voter
		if told[voter] {
			continue
		}
		told[voter] = true
		label, farm := w.Labels[voter], "0"
		if label.Farm {
			farm = "1"
		}
		rows.Write([]string{voter, farm, label.Group})
	}
	rows.Flush()
	return rows.Error()
}

// Read reads a workload's folder. The log may be packed or not. An error names
// the file, and its line where there is one.
func Read(dir string) (*Workload, error) {
	w := &Workload{}
	var err error
	if w.Contest, err = os.ReadFile(filepath.Join(dir, ContestFile)); err != nil {
		return nil, fmt.Errorf("read the workload: %w", err)
	}
	labels, err := os.Open(filepath.Join(dir, labelsFile))
	if err != nil {
		return nil, fmt.Errorf("read the workload: %w", err)
	}
	defer labels.Close()
	if w.Labels, err = readLabels(labels); err != nil {
		return nil, fmt.Errorf("%s: %w", labels.Name(), err)
	}
	log := filepath.Join(dir, BallotsFile)
	if _, err := os.Stat(log); errors.Is(err, os.ErrNotExist) {
		log = log[:len(log)-len(".gz")]
	}
	if w.Ballots, err = readBallots(log); err != nil {
		return nil, err
	}
	for _, b := range w.Ballots {
		if _, ok := w.Labels[b.Voter]; !ok {
			return nil, fmt.Errorf("%s: ballot %s is of a voter without a label", dir, b.ID)
		}
	}
	return w, nil
}

// readBallots reads a ballot log. What a line has that is not known here is passed
// over.
func readBallots(log string) ([]detect.Ballot, error) {
	var ballots []detect.Ballot
	err := eachBallot(log, func(b detect.Ballot) { ballots = append(ballots, b) })
	return ballots, err
}

// eachBallot reads a ballot log a line at a time. Texts that are equal share their
// memory: a million ballots have a few thousand entries, agents and links.
func eachBallot(log string, take func(detect.Ballot)) error {
	known := texts{}
	return ndjson.Read(log, func(_ int, raw []byte) error {
		b, err := parseBallot(raw)
		if err != nil {
			return err
		}
		e := &b.Evidence
		for _, text := range []*string{
			&b.Voter, &b.Entry, &b.School, &b.Level, &e.Net, &e.Block, &e.Device, &e.Agent, &e.Via, &e.EmbedOrigin,
			(*string)(&e.NetKind), (*string)(&e.Referrer),
		} {
			known.share(text)
		}
		take(b)
		return nil
	})
}

// texts are those that were met.
type texts map[string]string

func (t texts) share(text *string) {
	if first, ok := t[*text]; ok {
		*text = first
	} else if *text != "" {
		t[*text] = *text
	}
}

func parseBallot(raw []byte) (detect.Ballot, error) {
	var b detect.Ballot
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("expected a ballot: %w", err)
	}
	if b.ID == "" || b.Voter == "" || b.Entry == "" || b.At.IsZero() {
		return b, errors.New("expected a ballot with ballot, at, voter and entry")
	}
	return b, nil
}

func readLabels(in io.Reader) (map[string]Label, error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = 3
	rows.ReuseRecord = true
	labels := map[string]Label{}
	for n := 0; ; n++ {
		row, err := rows.Read()
		switch {
		case err == io.EOF && n == 0:
			return nil, errors.New("expected a first line voter,farm,group")
		case err == io.EOF:
			return labels, nil
		case err != nil:
			return nil, err // names the line
		}
		line, _ := rows.FieldPos(0)
		if n == 0 {
			if row[0] != "voter" || row[1] != "farm" || row[2] != "group" {
				return nil, fmt.Errorf("line %d: expected voter,farm,group", line)
			}
			continue
		}
		farm, err := strconv.ParseBool(row[1])
		if err != nil || row[0] == "" {
			return nil, fmt.Errorf("line %d: expected a voter, 0 or 1, and a group", line)
		}
		labels[row[0]] = Label{Farm: farm, Group: row[2]}
	}
}

// ReadFindings reads what `joute detect` writes, or another detector in its form:
// ballot, score and standing on each line.
func ReadFindings(path string) ([]detect.Finding, error) {
	var findings []detect.Finding
	err := ndjson.Read(path, func(_ int, raw []byte) error {
		f, err := parseFinding(raw)
		findings = append(findings, f)
		return err
	})
	return findings, err
}

func parseFinding(raw []byte) (detect.Finding, error) {
	var f detect.Finding
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("expected a verdict: %w", err)
	}
	switch {
	case f.Ballot == "":
		return f, errors.New("expected a ballot")
	case !(f.Score >= 0 && f.Score <= 1):
		return f, fmt.Errorf("score: expected a probability, 0 to 1, not %g", f.Score)
	}
	switch f.Standing {
	case detect.Counted, detect.Held, detect.Void:
		return f, nil
	}
	return f, fmt.Errorf("standing: expected counted, held or void, not %q", f.Standing)
}
