package redistest

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { Main(m) }

func TestKilledServerComesBackWithItsDataOnTheSamePort(t *testing.T) {
	ctx := context.Background()
	s := Start(t)
	addr := s.Addr()
	for range 3 {
		if err := s.Client().Incr(ctx, "n").Err(); err != nil {
			t.Fatal(err)
		}
		s.Kill()
		if err := s.Client().Ping(ctx).Err(); err == nil {
			t.Fatal("a killed server answered")
		}
		s.Restart()
	}
	if n, err := s.Client().Get(ctx, "n").Int(); err != nil || n != 3 || s.Addr() != addr {
		t.Fatalf("after three kills: %d, %v at %s; want 3 at %s", n, err, s.Addr(), addr)
	}
}

func TestConfLinesOverrideTheDefaults(t *testing.T) {
	ctx := context.Background()
	s := Start(t, "appendfsync no", "maxmemory-policy allkeys-lru")
	for name, want := range map[string]string{"appendonly": "yes", "appendfsync": "no", "maxmemory-policy": "allkeys-lru"} {
		if got := s.Client().ConfigGet(ctx, name).Val()[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAOFIsTheFileThatGrowsAlsoAfterARewrite(t *testing.T) {
	ctx := context.Background()
	s := Start(t)
	size := func() int64 {
		info, err := os.Stat(s.AOF())
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	s.Client().Set(ctx, "k", "v", 0)
	if after := size(); after <= before {
		t.Fatalf("%s did not grow: %d, %d", s.AOF(), before, after)
	}
	first := s.AOF()
	s.Client().BgRewriteAOF(ctx)
	for s.Client().Info(ctx, "persistence").Err() == nil && s.AOF() == first {
		s.Client().Ping(ctx)
	}
	before = size()
	s.Client().Set(ctx, "k", "w", 0)
	if after := size(); after <= before {
		t.Fatalf("%s did not grow after a rewrite", s.AOF())
	}
}

func TestStartedTwiceIsAFault(t *testing.T) {
	s := Start(t)
	if err := s.launch(); err == nil {
		t.Fatal("a second server was started over the first")
	}
}

func TestSharedIsOneServerThatOutlivesItsFirstTest(t *testing.T) {
	var first *Server
	t.Run("first", func(t *testing.T) { first = Shared(t) })
	t.Run("second", func(t *testing.T) {
		s := Shared(t)
		if s != first {
			t.Fatal("another server")
		}
		if err := s.Client().Ping(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPasswordedServerStarts(t *testing.T) {
	s := Start(t, "requirepass geheim")
	if err := s.Client().Ping(context.Background()).Err(); !redis.IsAuthError(err) {
		t.Fatalf("Ping without the password: %v", err)
	}
}
