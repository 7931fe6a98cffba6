package store

import (
	"context"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// BenchmarkRun is a small counting script, 64 callers at a time, on a Redis that
// syncs every batch and on one that does not.
func BenchmarkRun(b *testing.B) {
	for _, sync := range []string{"always", "everysec"} {
		b.Run(sync, func(b *testing.B) {
			s := open(b, Options{URL: redistest.Start(b, "appendfsync "+sync).URL()})
			sc := s.Script("count", countOnce, false)
			b.SetParallelism(32) // times GOMAXPROCS
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := sc.Run(context.Background(), []string{"{c}seen", "{c}n"}, "anna").Err(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
