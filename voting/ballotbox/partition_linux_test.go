package ballotbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
)

// A partition: one master and half the writers are on an island, the other five nodes
// and the other writers on the mainland.
const onIsland = "JOUTE_TEST_ISLAND" // set: this process is the island's writers

func TestFault_ClusterPartition(t *testing.T) {
	t.Parallel()
	redistest.Partitioned(t, func(p *redistest.Partition) { partition(t, p, false) })
}

// Control: without WAIT the same test loses ballots.
func TestFault_ClusterPartitionFindsTheLossWithoutWAIT(t *testing.T) {
	t.Parallel()
	redistest.Partitioned(t, func(p *redistest.Partition) { partition(t, p, true) })
}

func partition(t *testing.T, p *redistest.Partition, unconfirmed bool) {
	c, alone := p.StartCluster()
	st := openCluster(t, c.URL(), unconfirmed)
	b, s := New(st), boxOn(t, c, alone)
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	voters := faulttest.Start(writers/2, casting(b, s))
	others := startIslanders(t, p, c.URL(), s, unconfirmed)
	meta := keysOf(s.Contest.ID, 0).meta
	cycles := clusterCycles()
	if unconfirmed {
		cycles = 1 // a loss is seen at the first
	}
	var slowest time.Duration
	for range cycles {
		p.Return(c, alone, meta)
		voters.More(t, 500)
		p.Cut()
		cut := time.Now()
		c.Wait("a failover on the mainland", func() bool { return c.MasterAs(c.Nodes[1], meta) != alone })
		mended := time.Now() // the new master has no replica: the one it had is on the island
		if unconfirmed {
			voters.Taking(t, mended)
		} else {
			time.Sleep(time.Second) // both sides have masters of the box, or just had
		}
		p.Heal()
		voters.Taking(t, time.Now())
		took := time.Since(cut)
		if slowest = max(slowest, took); took > again {
			t.Errorf("casting again took %s", took)
		}
		c.WaitHealthy()
	}
	told := voters.Stop()
	told.Merge(others())
	survey := surveyOf(t, b, s, told)
	switch {
	case unconfirmed && survey.Lost == 0:
		t.Fatalf("none of %d acknowledged ballots lost: the test cannot see a loss", len(told.Ballots))
	case !unconfirmed && (survey.Lost > 0 || survey.Twice > 0):
		t.Fatalf("%d of %d acknowledged ballots lost, %d twice", survey.Lost, len(told.Ballots), survey.Twice)
	case !unconfirmed && told.Pending == 0:
		t.Fatal("no answer was pending: the cut met no cast")
	}
	if !unconfirmed {
		told.Check(t)
	}
	t.Logf("%d partitions: %v; %d lost; casting again within %s of the cut", cycles, told, survey.Lost, slowest.Round(10*time.Millisecond))
}

// islanders is what their process is given.
type islanders struct {
	URL         string
	Contest     string
	Unconfirmed bool
}

// startIslanders starts the other half of the writers in a process on the island.
// It returns once they are acknowledged ballots; the function ends them and returns
// what they were told.
func startIslanders(t *testing.T, p *redistest.Partition, url string, s *registry.Stored, unconfirmed bool) func() faulttest.Told {
	given, err := json.Marshal(islanders{URL: url, Contest: s.Contest.ID, Unconfirmed: unconfirmed})
	if err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(p.Enter[1:]), os.Args[0], "-test.run", "^TestIslanders$", "-test.timeout", "10m")
	process := exec.Command(p.Enter[0], args...)
	process.Env = append(os.Environ(), onIsland+"="+string(given))
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var errs bytes.Buffer
	process.Stderr = &errs
	stop, err1 := process.StdinPipe()
	out, err2 := process.StdoutPipe()
	if err := errors.Join(err1, err2, process.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<30)
	for lines.Scan() && lines.Text() != casts {
	}
	return func() (told faulttest.Told) {
		stop.Close()
		for lines.Scan() {
			if bytes.HasPrefix(lines.Bytes(), []byte("{")) {
				if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := process.Wait(); err != nil || len(told.Ballots) == 0 {
			t.Fatalf("the island's writers were told of %d ballots: %v\n%s", len(told.Ballots), err, &errs)
		}
		return told
	}
}

// casts is what the island's process says once its ballots are acknowledged.
const casts = "casts"

// TestIslanders is no test: it is the process of startIslanders.
func TestIslanders(t *testing.T) {
	given := os.Getenv(onIsland)
	if given == "" {
		t.Skip("only as a part of TestFault_ClusterPartition")
	}
	var how islanders
	if err := json.Unmarshal([]byte(given), &how); err != nil {
		t.Fatal(err)
	}
	s := newContest(t)
	s.Contest.ID = how.Contest
	voters := faulttest.Start(writers/2, casting(New(openCluster(t, how.URL, how.Unconfirmed)), s))
	voters.More(t, 1)
	fmt.Printf("\n%s\n", casts)
	io.Copy(io.Discard, os.Stdin) // until it is closed
	line, err := json.Marshal(voters.Stop())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s\n", line)
}
