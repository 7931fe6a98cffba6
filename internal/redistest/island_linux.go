package redistest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Mainland is this process's address in a partition. Island and IslandAdmin are those
// of the other side, IslandAdmin by a link of the test's own that is never cut.
const Mainland, Island, IslandAdmin = "10.77.0.1", "10.77.0.2", "10.77.1.2"

const inNamespace = "JOUTE_TEST_MAINLAND" // set: this process is in the namespace, to run one test

// Partition is two network namespaces, the mainland, where the test is, and an island. One
// link joins them, and can go silent: packets are lost, nobody is told. By a second one
// the test asks who is on the island.
//
// Nothing of it is in the machine's own network: the test runs itself again in a
// namespace, and everything ends with its processes.
type Partition struct {
	t     testing.TB
	Enter []string // the words before a command that is to run on the island
}

// Partitioned runs a test on the mainland. It is skipped without the right to make
// network namespaces: root's.
func Partitioned(t *testing.T, test func(p *Partition)) {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		test(newPartition(t))
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

func newPartition(t testing.TB) *Partition {
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
	p := &Partition{t, []string{"nsenter", "-t", pid, "-n", "--"}}
	p.here("ip link set lo up")
	p.there("ip link set lo up")
	for name, net := range map[string]string{"data": "10.77.0.", "admin": "10.77.1."} {
		p.here("ip link add %s type veth peer name %s netns %s", name, name, pid)
		p.here("ip addr add %s1/24 dev %s", net, name)
		p.there("ip addr add %s2/24 dev %s", net, name)
		p.here("ip link set %s up", name)
		p.there("ip link set %s up", name)
	}
	return p
}

// here runs a command of the test's own words.
func (p *Partition) here(command string, args ...any) {
	p.t.Helper()
	words := strings.Fields(fmt.Sprintf(command, args...))
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// there runs a command on the island.
func (p *Partition) there(command string, args ...any) {
	p.t.Helper()
	p.here(strings.Join(p.Enter, " ")+" "+command, args...)
}

// StartCluster starts a cluster of three masters, one replica each, of which one
// master is on the island and everything else on the mainland.
func (p *Partition) StartCluster() (c *Cluster, alone *Server) {
	p.t.Helper()
	c = startCluster(p.t, nil, 3, 1, func(node int) place {
		if node == 0 {
			return place{Host: Island, Admin: IslandAdmin, Enter: p.Enter}
		}
		return place{Host: Mainland}
	}, nil)
	return c, c.Nodes[0]
}

// Return waits until a node of the island is the master of a key again, and the
// cluster whole.
func (p *Partition) Return(c *Cluster, alone *Server, key string) {
	p.t.Helper()
	var asked time.Time
	c.Wait("the island to have its master again", func() bool {
		if c.MasterAs(c.Nodes[1], key) == alone {
			return true
		}
		if time.Since(asked) > 6*time.Second { // one takes 5 s at most, or comes to nothing
			asked = time.Now()
			alone.Client().ClusterFailover(p.t.Context())
		}
		return false
	})
	c.WaitHealthy()
}

// Cut sends what goes to the other side to a machine that is not there.
func (p *Partition) Cut() {
	p.here("ip neigh replace %s lladdr 02:00:00:00:00:99 nud permanent dev data", Island)
	p.there("ip neigh replace %s lladdr 02:00:00:00:00:99 nud permanent dev data", Mainland)
}

// Heal undoes Cut.
func (p *Partition) Heal() {
	p.here("ip neigh del %s dev data", Island)
	p.there("ip neigh del %s dev data", Mainland)
}
