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
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
)

// A partition in network namespaces: one master and half the writers are on an
// island, the other five nodes and the other writers on the mainland. One link
// joins them, and goes silent: packets are lost, nobody is told. A second link is
// the test's own, by which it asks the island's Redis.
//
// Nothing of it is in the machine's own network: the test runs itself again in a
// namespace, and everything ends with its processes.
const (
	inNamespace = "JOUTE_TEST_MAINLAND" // set: this process is in the namespace, to do this
	onIsland    = "JOUTE_TEST_ISLAND"   // set: this process is the island's writers

	mainland, island, islandAdmin = "10.77.0.1", "10.77.0.2", "10.77.1.2"
)

func TestFault_ClusterPartition(t *testing.T) { partitioned(t, "") }

// Control: without WAIT the same test loses ballots.
func TestFault_ClusterPartitionFindsTheLossWithoutWAIT(t *testing.T) { partitioned(t, "unconfirmed") }

func partitioned(t *testing.T, how string) {
	if os.Getenv(inNamespace) != "" {
		partition(t, how == "unconfirmed")
		return
	}
	if err := exec.Command("unshare", "--net", "true").Run(); err != nil {
		t.Skip("no right to make a network namespace: run as root to see a partition")
	}
	again := exec.Command("unshare", "--net", "--", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "10m")
	again.Env = append(os.Environ(), inNamespace+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := again.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatal(err)
	}
}

// sh runs a command of the test's own words.
func sh(t *testing.T, command string, args ...any) {
	t.Helper()
	words := strings.Fields(fmt.Sprintf(command, args...))
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// link is what joins the island to the mainland.
type link struct {
	t     *testing.T
	enter []string
}

func newLink(t *testing.T) *link {
	holder := exec.Command("unshare", "--net", "--", "sleep", "1000")
	holder.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { holder.Process.Kill(); holder.Wait() })
	pid := strconv.Itoa(holder.Process.Pid)
	ours, _ := os.Readlink("/proc/self/ns/net")
	for theirs := ours; theirs == ours; time.Sleep(time.Millisecond) {
		theirs, _ = os.Readlink("/proc/" + pid + "/ns/net")
	}
	l := &link{t, []string{"nsenter", "-t", pid, "-n", "--"}}
	sh(t, "ip link set lo up")
	l.there("ip link set lo up")
	for name, net := range map[string]string{"data": "10.77.0.", "admin": "10.77.1."} {
		sh(t, "ip link add %s type veth peer name %s netns %s", name, name, pid)
		sh(t, "ip addr add %s1/24 dev %s", net, name)
		l.there("ip addr add %s2/24 dev %s", net, name)
		sh(t, "ip link set %s up", name)
		l.there("ip link set %s up", name)
	}
	return l
}

// there runs a command on the island.
func (l *link) there(command string, args ...any) {
	l.t.Helper()
	sh(l.t, strings.Join(l.enter, " ")+" "+command, args...)
}

// cut sends what goes to the other side to a machine that is not there.
func (l *link) cut() {
	sh(l.t, "ip neigh replace %s lladdr 02:00:00:00:00:99 nud permanent dev data", island)
	l.there("ip neigh replace %s lladdr 02:00:00:00:00:99 nud permanent dev data", mainland)
}

func (l *link) heal() {
	sh(l.t, "ip neigh del %s dev data", island)
	l.there("ip neigh del %s dev data", mainland)
}

func partition(t *testing.T, unconfirmed bool) {
	l := newLink(t)
	c := redistest.StartClusterIn(t, 3, 1, func(node int) redistest.Place {
		if node == 0 {
			return redistest.Place{Host: island, Admin: islandAdmin, Enter: l.enter}
		}
		return redistest.Place{Host: mainland}
	})
	alone := c.Nodes[0]
	st := openCluster(t, c.URL(), unconfirmed)
	b, s := New(st), boxOn(t, c, alone)
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	voters := faulttest.Start(writers/2, casting(b, s))
	others := startIslanders(t, l, c.URL(), s, unconfirmed)
	meta := keysOf(s.Contest.ID, 0).meta
	onMainland := func() *redistest.Server { return c.MasterAs(c.Nodes[1], meta) }
	cycles := clusterCycles()
	if unconfirmed {
		cycles = 1 // a loss is seen at the first
	}
	var slowest time.Duration
	for range cycles {
		var asked time.Time
		c.Wait("the island to have its master again", func() bool {
			if onMainland() == alone {
				return true
			}
			if time.Since(asked) > 6*time.Second { // one takes 5 s at most, or comes to nothing
				asked = time.Now()
				alone.Client().ClusterFailover(t.Context())
			}
			return false
		})
		c.WaitHealthy()
		voters.More(t, 500)
		l.cut()
		cut := time.Now()
		c.Wait("a failover on the mainland", func() bool { return onMainland() != alone })
		mended := time.Now() // the new master has no replica: the one it had is on the island
		if unconfirmed {
			voters.Taking(t, mended)
		} else {
			time.Sleep(time.Second) // both sides have masters of the box, or just had
		}
		l.heal()
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
func startIslanders(t *testing.T, l *link, url string, s *registry.Stored, unconfirmed bool) func() faulttest.Told {
	given, err := json.Marshal(islanders{URL: url, Contest: s.Contest.ID, Unconfirmed: unconfirmed})
	if err != nil {
		t.Fatal(err)
	}
	args := append(l.enter[1:], os.Args[0], "-test.run", "^TestIslanders$", "-test.timeout", "10m")
	process := exec.Command(l.enter[0], args...)
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
