package farmlab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func small(seed uint64) *Workload {
	return Make(Mix{Entries: 9, Schools: 5, Days: 6, Ballots: 4, Voters: 400, Crowds: cohorts("family"), Farms: cohorts("burst"), Members: Members{Profiles: 0.5}}, seed)
}

func TestWrite_ReadsBackTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	w := small(1)
	if err := w.Write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, w) {
		t.Error("what is read is not what was written")
	}
}

func TestRead_SaysWhere(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{"labels.csv", "voter,farm\n", "labels.csv: record on line 1"},
		{"labels.csv", "a,b,c\n", "line 1: expected voter,farm,group"},
		{"labels.csv", "voter,farm,group\nv,maybe,burst\n", "line 2: expected a voter, 0 or 1"},
		{"labels.csv", "", "expected a first line"},
		{"labels.csv", "voter,farm,group\n", "of a voter without a label"},
		{"ballots.ndjson.gz", "{\"ballot\":\"b\",\"at\":\"2026-01-01T00:00:00Z\",\"voter\":\"v\",\"entry\":\"e\"}\n{}\n", "ballots.ndjson.gz:2: expected a ballot with"},
		{"ballots.ndjson.gz", "[]\n", "ballots.ndjson.gz:1: expected a ballot"},
	} {
		dir := t.TempDir()
		if err := small(1).Write(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.file, c.content, err, c.want)
		}
	}
}

func TestReadFindings_SaysWhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verdicts.ndjson")
	for content, want := range map[string]string{
		`{"ballot":"a","score":0.5,"standing":"held","reasons":["lockstep"],"more":1}`: "",
		`{"ballot":"a","score":1.5,"standing":"held"}`:                                 "verdicts.ndjson:1: score: expected",
		`{"ballot":"a","score":0.5,"standing":"withdrawn"}`:                            "verdicts.ndjson:1: standing: expected",
		`{"score":0.5,"standing":"held"}`:                                              "verdicts.ndjson:1: expected a ballot",
		`{`:                                                                            "verdicts.ndjson:1: expected a verdict",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := ReadFindings(file)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", content, err, want)
		}
		if want == "" && (len(found) != 1 || found[0].Score != 0.5) {
			t.Errorf("%s: %v", content, found)
		}
	}
}

// What is taken can be written again and says the same.
func FuzzParseBallot(f *testing.F) {
	for _, b := range small(1).Ballots[:5] {
		line, _ := json.Marshal(b)
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		b, err := parseBallot(line)
		if err != nil {
			return
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Skip(err) // an instant in a year beyond 9999
		}
		c, err := parseBallot(again)
		if err != nil || !reflect.DeepEqual(b, c) {
			t.Errorf("%s became %s: %v", line, again, err)
		}
	})
}

func FuzzParseFinding(f *testing.F) {
	f.Add([]byte(`{"ballot":"a","score":0.5,"standing":"held"}`))
	f.Add([]byte(`{"ballot":"a","score":1e400,"standing":"void"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if finding, err := parseFinding(line); err == nil && !(finding.Score >= 0 && finding.Score <= 1) {
			t.Errorf("%s: score %g", line, finding.Score)
		}
	})
}

func FuzzReadLabels(f *testing.F) {
	f.Add("voter,farm,group\nv,1,burst\n")
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := readLabels(strings.NewReader(text))
		if err != nil && labels != nil {
			t.Error("labels beside an error")
		}
		if _, ok := labels[""]; ok {
			t.Error("a label of nobody")
		}
	})
}
