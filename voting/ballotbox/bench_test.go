package ballotbox

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/google/uuid"

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
