package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

const partnerSecret = "a-secret-for-tests-only-0123456789abcdef"

// stores are where the same log must give the same counts.
var stores = []struct {
	name  string
	real  bool
	boxes int
}{{"redis", true, 1}, {"redis, 8 boxes", true, 8}, {"cluster, 8 boxes", true, 8}, {"embedded", false, 1}}

// eachStore starts a service over every store and runs f, with the text that
// gives the document its boxes.
func eachStore(t *testing.T, start func(t *testing.T, args ...string) *running, f func(t *testing.T, s *running, boxes string)) {
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			if store.real {
				url := ""
				if strings.HasPrefix(store.name, "cluster") {
					url = redistest.StartCluster(t, 3, 1).URL()
				} else {
					url = redistest.Start(t).URL()
				}
				args = []string{"--redis", url, "--data", t.TempDir()}
			}
			f(t, start(t, args...), fmt.Sprintf("boxes: %d\n", store.boxes))
		})
	}
}

// TestBench_RealPoll replays a real poll, where it is at hand (it is no part of the repository): 10,396 ballots
// of 7,837 voters who have one each. The service is a process of its own: under
// the race detector 20,000 casts on the embedded store would take a minute, and
// the small log races the same code.
func TestBench_RealPoll(t *testing.T) {
	const samples = "../../../shared/samples/openprespoll"
	document, err := os.ReadFile(samples + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the samples are not here: TestBench_MadeUpLog holds the same rules to a small log")
	}
	if err != nil {
		t.Fatal(err)
	}
	process := func(t *testing.T, args ...string) *running { return &running{t: t, url: launch(t, args...).url} }
	eachStore(t, process, func(t *testing.T, s *running, boxes string) {
		file := write(t, "c.yaml", string(document)+boxes)
		if got, want := s.joute("apply", file), "openprespoll: created, version 1\n"; got != want {
			t.Errorf("apply printed %q", got)
		}
		bench := []string{"--contest", "openprespoll", "--ballots", samples + ".ndjson.gz", "--partner-secret", partnerSecret}
		first := s.bench(bench...)
		if first.Ballots != 10_396 || first.Counted != 7_837 || first.Refused["already-voted"] != 2_559 || len(first.Errors) > 0 {
			t.Errorf("first run: %+v", first)
		}
		if again := s.bench(bench...); again.Counted != 0 || again.Refused["already-voted"] != 10_396 || len(again.Errors) > 0 {
			t.Errorf("second run: %+v", again)
		}
		recount := s.joute("recount", "openprespoll")
		if !strings.HasSuffix(recount, "\nmatch\n") {
			t.Errorf("recount:\n%s", recount)
		}
		board := s.board("openprespoll")
		for i, want := range []struct {
			id    string
			votes int64
		}{{"entry-04", 2_697}, {"entry-02", 2_036}, {"entry-00", 1_440}} {
			if row := board.Entries[i]; row.ID != want.id || *row.Votes != want.votes || *row.Rank != i+1 {
				t.Errorf("place %d is %s with %d", i+1, row.ID, *row.Votes)
			}
		}
	})
}

// madeUpLog is a log whose counts are known by how it is made: voter i votes
// for entry i mod 3, every fourth votes again for another, in a shuffled order
// that keeps each voter's own.
func madeUpLog(voters int) (log []byte, votes map[string]int64, refused int) {
	type line struct {
		Voter string `json:"voter"`
		Entry string `json:"entry"`
		Extra int    `json:"extra"` // members that bench does not know
	}
	var lines, second []line
	votes = map[string]int64{}
	for i := range voters {
		entry := fmt.Sprintf("e-%d", i%3)
		votes[entry]++
		lines = append(lines, line{Voter: fmt.Sprint("v", i), Entry: entry})
		if i%4 == 0 {
			second = append(second, line{Voter: fmt.Sprint("v", i), Entry: fmt.Sprintf("e-%d", (i+1)%3)})
			refused++
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for _, l := range append(lines, second...) {
		_ = encoder.Encode(l)
	}
	return out.Bytes(), votes, refused
}

func TestBench_MadeUpLog(t *testing.T) {
	const voters = 400
	log, votes, refused := madeUpLog(voters)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write(log)
	_ = zip.Close()
	eachStore(t, serve, func(t *testing.T, s *running, boxes string) {
		s.joute("apply", write(t, "c.yaml", smallDocument("made-up", "identity: partner\npartner: {secret: "+partnerSecret+"}\n"+boxes)))
		for run, file := range []string{write(t, "log.ndjson", string(log)), write(t, "log.ndjson.gz", zipped.String())} {
			got := s.bench("--contest", "made-up", "--ballots", file, "--partner-secret", partnerSecret)
			counted, already := voters, refused
			if run > 0 {
				counted, already = 0, voters+refused
			}
			if got.Ballots != voters+refused || got.Counted != counted || got.Refused["already-voted"] != already || got.Duplicates != 0 || len(got.Errors) > 0 {
				t.Errorf("run %d: %+v", run+1, got)
			}
			if got.Contest != "made-up" || got.Rate <= 0 || got.Latency.P50 <= 0 || got.Latency.P50 > got.Latency.Max {
				t.Errorf("run %d: %+v", run+1, got)
			}
		}
		for _, row := range s.board("made-up").Entries {
			if *row.Votes != votes[row.ID] {
				t.Errorf("%s has %d votes, expected %d", row.ID, *row.Votes, votes[row.ID])
			}
		}
		if out := s.joute("recount", "made-up"); !strings.HasSuffix(out, "\nmatch\n") {
			t.Errorf("recount:\n%s", out)
		}
		checkExport(t, s.joute("export", "made-up"), votes)
	})
}

// checkExport folds an export by the rule of the contract alone: the last
// standing of each ballot counts.
func checkExport(t *testing.T, export string, votes map[string]int64) {
	t.Helper()
	last := map[string]voting.Record{}
	positions := map[string]bool{}
	for line := range strings.Lines(export) {
		var r voting.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("export: %v: %s", err, line)
		}
		if positions[r.Position.String()] {
			t.Errorf("position %s comes twice", r.Position)
		}
		positions[r.Position.String()] = true
		if r.NamesBallot() {
			last[r.Ballot.String()] = r
		}
	}
	counted := map[string]int64{}
	for _, r := range last {
		if r.Standing == voting.Counted {
			counted[r.Entry]++
		}
	}
	if fmt.Sprint(counted) != fmt.Sprint(votes) {
		t.Errorf("the export says %v, cast were %v", counted, votes)
	}
}

func TestBench_MadeUpVotersWithDevicePasses(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("devices", "")))
	got := s.bench("--contest", "devices", "--voters", "150", "--connections", "16")
	if got.Ballots != 150 || got.Counted != 150 || len(got.Refused)+len(got.Errors) > 0 {
		t.Errorf("%+v", got)
	}
	// The same voters again within a second, whose later ballots are refused; at a fixed
	// rate, so at most so many: fewer where the machine is busy.
	got = s.bench("--contest", "devices", "--voters", "20", "--duration", "1s", "--rate", "200")
	if got.Counted != 20 || got.Refused["already-voted"] != got.Ballots-20 || got.Ballots < 30 || got.Ballots > 200 {
		t.Errorf("%+v", got)
	}
}

func TestBench_LogFaultsNameTheLine(t *testing.T) {
	t.Parallel()
	m := Main{Stdin: strings.NewReader("")}
	for text, says := range map[string]string{
		"": "no ballot",
		"{\"voter\":\"v\",\"entry\":\"e\"}\n\nnope": ":3: ",
		`{"voter":"v"}`:    ":1: expected voter and entry",
		"\x1f\x8bnot gzip": "gzip",
	} {
		if _, err := m.readBallotLog(write(t, "log", text), 4); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBench_VotersKeepTheirOrder holds for any number of connections: all
// ballots of a voter are in one queue, in the order of the log.
func TestBench_VotersKeepTheirOrder(t *testing.T) {
	log, _, _ := madeUpLog(100)
	m := Main{Stdin: bytes.NewReader(log)}
	queues, err := m.readBallotLog("-", 7)
	if err != nil {
		t.Fatal(err)
	}
	owner, seen := map[string]int{}, 0
	for w, q := range queues {
		before := -1
		for k := 0; ; k++ {
			v, ok := q.vote(k)
			if !ok {
				break
			}
			seen++
			if other, known := owner[v.voter]; known && other != w {
				t.Errorf("%s is in queues %d and %d", v.voter, other, w)
			}
			if owner[v.voter] = w; v.place <= before {
				t.Errorf("queue %d has place %d after %d", w, v.place, before)
			}
			before = v.place
		}
	}
	if seen != bytes.Count(log, []byte("\n")) || len(queues) < 2 {
		t.Errorf("%d ballots in %d queues", seen, len(queues))
	}
}

func TestQuantiles_AreTheNearestRank(t *testing.T) {
	var latencies []time.Duration
	for i := range 1000 {
		latencies = append(latencies, time.Duration(1000-i)*time.Millisecond)
	}
	if got, want := newQuantiles(latencies), (quantiles{500, 900, 990, 999, 1000}); got != want {
		t.Errorf("%+v, expected %+v", got, want)
	}
	if got, want := newQuantiles([]time.Duration{3 * time.Millisecond}), (quantiles{3, 3, 3, 3, 3}); got != want {
		t.Errorf("of one: %+v", got)
	}
	if got := newQuantiles(nil); got != (quantiles{}) {
		t.Errorf("of none: %+v", got)
	}
}
