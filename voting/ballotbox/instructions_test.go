package ballotbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// BenchmarkInstructions counts what Redis takes for a ballot in instructions, which other
// work on the machine does not change: on one Redis, and on three masters with a replica
// each, all of their instructions, where the contest has one box and where it has three.
// It needs every redis-server to run under valgrind: scripts/bench-instructions.
func BenchmarkInstructions(b *testing.B) {
	if os.Getenv("JOUTE_INSTRUCTIONS") == "" {
		b.Skip("for scripts/bench-instructions")
	}
	b.Run("one Redis, 64 callers", func(b *testing.B) {
		server := redistest.Start(b)
		countInstructions(b, server.URL(), []*redistest.Server{server}, newContest(b), 64)
	})
	c := redistest.StartCluster(b, 3, 1)
	for _, of := range []struct{ spread, callers int }{{1, 64}, {3, 64}, {3, 192}} {
		b.Run(fmt.Sprintf("cluster, %d boxes, %d callers", of.spread, of.callers), func(b *testing.B) {
			countInstructions(b, c.URL(), c.Nodes, spreadContest(b, c, of.spread), of.callers)
		})
	}
}

func countInstructions(b *testing.B, url string, nodes []*redistest.Server, s *registry.Stored, callers int) {
	boxes := New(openPatient(b, url, time.Minute))
	if err := boxes.Configure(b.Context(), s); err != nil {
		b.Fatal(err)
	}
	dwell, confirm, visible := int64(5400), int64(900), true
	seen := antifraud.Evidence{
		Net: "abcdefghijkl", Block: "mnopqrstuvwx", Device: "yzABCDEFGHIJ", Agent: "KLMNOPQRSTUV",
		Referrer: antifraud.ReferrerSite, DwellMS: &dwell, ConfirmMS: &confirm, Visible: &visible, Signals: []string{"partner"},
	}
	cast := func() {
		ballot := voting.Ballot{ID: uuid.New(), Entry: "n-1", Standing: voting.Counted, Level: "partner", Evidence: seen}
		rand.Read(ballot.Voter[:])
		o, err := boxes.Cast(context.Background(), s, ballot)
		for err == nil && o.Pending {
			o, err = boxes.Cast(context.Background(), s, ballot)
		}
		if err != nil || o.Refused != "" {
			b.Errorf("%+v, %v", o, err)
		}
	}
	cast() // what is done once
	before := instructions(b, nodes)
	b.SetParallelism(callers / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			cast()
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(instructions(b, nodes)-before)/float64(b.N), "instructions/cast")
}

var threadTotal = regexp.MustCompile(`Th \d+ +([0-9,]+)`)

// instructions are those of all threads of the nodes so far.
func instructions(b *testing.B, nodes []*redistest.Server) (all int64) {
	for _, node := range nodes {
		pid := node.Client().InfoMap(b.Context(), "server").Item("Server", "process_id")
		out, err := exec.CommandContext(b.Context(), "callgrind_control", "-e", pid).CombinedOutput()
		threads := threadTotal.FindAllStringSubmatch(string(out), -1)
		if err != nil || threads == nil {
			b.Fatalf("%v\n%s", err, out)
		}
		for _, thread := range threads {
			n, err := strconv.ParseInt(strings.ReplaceAll(thread[1], ",", ""), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			all += n
		}
	}
	return all
}
