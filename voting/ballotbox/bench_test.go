package ballotbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// BenchmarkCast is a fresh ballot of a fresh voter, 64 at a time, on a real Redis
// that syncs every batch.
func BenchmarkCast(b *testing.B) {
	for name, lines := range map[string][]string{
		"per contest": {},
		"per day":     {"rules: {ballots: {max: 1, per: day}}"},
		"4 boxes":     {"boxes: 4"},
	} {
		b.Run(name, func(b *testing.B) {
			boxes, s := New(openStore(b, redistest.Start(b).URL())), newContest(b, lines...)
			b.SetParallelism(32) // times GOMAXPROCS
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ballot := voting.Ballot{ID: uuid.New(), Entry: "n-1", Standing: voting.Counted, Level: "device"}
					rand.Read(ballot.Voter[:])
					if o, err := boxes.Cast(context.Background(), s, ballot); err != nil || o.Refused != "" {
						b.Errorf("%+v, %v", o, err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "casts/s")
		})
	}
}

// BenchmarkCastOnCluster is what a ballot costs on three masters with a replica
// each, where its contest has one box and where it has three: CPU of this process
// and of the six nodes.
func BenchmarkCastOnCluster(b *testing.B) {
	c := redistest.StartCluster(b, 3, 1)
	for _, of := range []struct{ spread, callers int }{{1, 64}, {3, 64}, {3, 192}} {
		spread := of.spread
		b.Run(fmt.Sprintf("%d boxes, %d callers", spread, of.callers), func(b *testing.B) {
			boxes, s := New(openStore(b, c.URL())), spreadContest(b, c, spread)
			if err := boxes.Configure(b.Context(), s); err != nil {
				b.Fatal(err)
			}
			b.SetParallelism(of.callers / runtime.GOMAXPROCS(0))
			ours, theirs := ownCPU(b), nodesCPU(b, c)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ballot := voting.Ballot{ID: uuid.New(), Entry: "n-1", Standing: voting.Counted, Level: "device"}
					rand.Read(ballot.Voter[:])
					o, err := boxes.Cast(context.Background(), s, ballot)
					for err == nil && o.Pending { // a busy machine
						o, err = boxes.Cast(context.Background(), s, ballot)
					}
					if err != nil || o.Refused != "" {
						b.Errorf("%+v, %v", o, err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64((ownCPU(b)-ours).Nanoseconds())/1000/float64(b.N), "own-us/cast")
			b.ReportMetric(float64((nodesCPU(b, c)-theirs).Nanoseconds())/1000/float64(b.N), "nodes-us/cast")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "casts/s")
		})
	}
}

// spreadContest is one whose boxes are on as many masters.
func spreadContest(b *testing.B, c *redistest.Cluster, boxes int) *registry.Stored {
	for {
		s := newContest(b, fmt.Sprint("boxes: ", boxes))
		masters := map[*redistest.Server]bool{}
		for box := range boxes {
			masters[c.MasterOf(keysOf(s.Contest.ID, box).meta)] = true
		}
		if len(masters) == boxes {
			return s
		}
	}
}

func ownCPU(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func nodesCPU(b *testing.B, c *redistest.Cluster) (all time.Duration) {
	for _, node := range c.Nodes {
		info := node.Client().InfoMap(b.Context(), "cpu")
		for _, name := range []string{"used_cpu_user", "used_cpu_sys"} {
			seconds, err := strconv.ParseFloat(info.Item("CPU", name), 64)
			if err != nil {
				b.Fatal(err)
			}
			all += time.Duration(seconds * float64(time.Second))
		}
	}
	return all
}
