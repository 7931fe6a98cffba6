package ballotbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/voting"
)

func TestMain(m *testing.M) { redistest.Main(m) }

var onEveryStore, openStore, openPatient = storetest.OnEvery, storetest.Open, storetest.OpenPatient

// clock is the store's clock in the hands of a test: the scripts are the real
// ones, but for where box.lua asks for the time.
type clock struct {
	t     rapid.TB
	st    *store.Store
	boxes *Boxes
	at    time.Time
}

// made are the contests and the clock of each test: a box reads the clock beside
// its own keys, since on a cluster a script sees no others.
var made = struct {
	sync.Mutex
	contests map[rapid.TB][]*contest.Contest
	clocks   map[rapid.TB]*clock
}{contests: map[rapid.TB][]*contest.Contest{}, clocks: map[rapid.TB]*clock{}}

const askTime = "redis.call('TIME')"

func withClock(t rapid.TB, st *store.Store, edits ...string) *clock {
	t.Helper()
	replaced := source("box")
	if strings.Count(replaced, askTime) != 1 {
		t.Fatalf("box.lua must ask for the time once, by %s", askTime)
	}
	edits = append(edits, askTime, "redis.call('HMGET', 'test-clock:' .. META, 's', 'us')")
	c := &clock{t: t, st: st, boxes: load(st, func(name string) string {
		text := source(name)
		for i := 0; i < len(edits); i += 2 {
			text = strings.ReplaceAll(text, edits[i], edits[i+1])
		}
		return text
	})}
	made.Lock()
	defer made.Unlock()
	made.clocks[t] = c
	return c
}

// scriptsHave fails unless some script has the text: a control that edits what is not
// there breaks nothing.
func scriptsHave(t testing.TB, text string) {
	t.Helper()
	files, err := fs.Glob(sources, "lua/*.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if script, err := sources.ReadFile(file); err == nil && strings.Contains(string(script), text) {
			return
		}
	}
	t.Fatalf("no script has %q", text)
}

func (c *clock) set(at time.Time) {
	c.t.Helper()
	made.Lock()
	defer made.Unlock()
	c.at = at
	c.tell(made.contests[c.t]...)
}

// tell shows the clock to the boxes of contests.
func (c *clock) tell(contests ...*contest.Contest) {
	c.t.Helper()
	_, err := c.st.Client().Pipelined(context.Background(), func(p redis.Pipeliner) error {
		for _, one := range contests {
			for box := range one.Boxes {
				p.HSet(context.Background(), "test-clock:"+keysOf(one.ID, box).meta, "s", c.at.Unix(), "us", c.at.Nanosecond()/1000)
			}
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

var quietLog = slog.New(slog.DiscardHandler)

var contests atomic.Int64

// newContest is a contest of its own with two schools and three entries. lines
// are added to the document and win over the defaults.
func newContest(t rapid.TB, lines ...string) *registry.Stored {
	t.Helper()
	members := map[string]string{
		"phases": "{voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}}",
		"title":  "Test", "timezone": "Europe/Paris",
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		members[name] = value
	}
	var doc strings.Builder
	fmt.Fprintf(&doc, "id: t-%d-%d\n", os.Getpid(), contests.Add(1))
	for name, value := range members {
		fmt.Fprintf(&doc, "%s: %s\n", name, value)
	}
	doc.WriteString(`
schools:
  - {id: north, name: North, students: 1000}
  - {id: south, name: South, students: 2000}
entries:
  - {id: n-1, school: north, title: N1}
  - {id: n-2, school: north, title: N2}
  - {id: s-1, school: south, title: S1}
`)
	c, err := contest.Parse([]byte(doc.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, doc.String())
	}
	made.Lock()
	defer made.Unlock()
	made.contests[t] = append(made.contests[t], c)
	if clock := made.clocks[t]; clock != nil && !clock.at.IsZero() {
		clock.tell(c)
	}
	return &registry.Stored{Contest: c, Version: 1, Epoch: 7}
}

func voterNamed(name string) voting.Voter {
	sum := sha256.Sum256([]byte(name))
	return voting.Voter(sum[:16])
}

func ballotFor(voter, entry string) voting.Ballot {
	return voting.Ballot{
		ID: uuid.New(), Voter: voterNamed(voter), Entry: entry, Standing: voting.Counted, Level: "device",
	}
}

func mustCast(t rapid.TB, b *Boxes, s *registry.Stored, ballot voting.Ballot) voting.Outcome {
	t.Helper()
	o, err := b.Cast(context.Background(), s, ballot)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ledgerOf(t rapid.TB, b *Boxes, s *registry.Stored, after voting.Position) []voting.Record {
	t.Helper()
	var records []voting.Record
	err := b.Ledger(context.Background(), s, after, func(r voting.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func fold(records []voting.Record) *voting.Tally {
	f := voting.NewFold()
	for _, r := range records {
		f.Add(r)
	}
	return f.Tally()
}

// sameTally compares what a recount can know.
func sameTally(t rapid.TB, got, want *voting.Tally) {
	t.Helper()
	if d := diffTally(got, want); d != "" {
		t.Fatal(d)
	}
}

func diffTally(got, want *voting.Tally) string {
	line := func(x *voting.Tally) string {
		some := func(counts map[string]int64) map[string]int64 {
			left := maps.Clone(counts)
			maps.DeleteFunc(left, func(_ string, n int64) bool { return n == 0 })
			return left
		}
		return fmt.Sprintf("votes %v home %v held %d void %d withdrawn %d offset %d", some(x.Votes), some(x.Home), x.Held, x.Void, x.Withdrawn, x.Offset)
	}
	if line(got) != line(want) {
		return fmt.Sprintf("got  %s\nwant %s", line(got), line(want))
	}
	return ""
}
