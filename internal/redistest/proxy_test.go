package redistest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// One INCR through each weather: what the client was told, and what was done.
func TestProxy_HurtsRepliesNotRequests(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	options, err := redis.ParseURL(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.ReadTimeout, options.DisableIdentity, options.Protocol = -1, 300*time.Millisecond, true, 2
	client := redis.NewClient(options)
	defer client.Close()
	counted := func() int64 {
		n, err := s.Client().Get(ctx, "n").Int64()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := client.Incr(ctx, "n").Err(); err != nil {
		t.Fatalf("fair weather: %v", err)
	}
	for name, weather := range map[string]Weather{"late": {Late: 400 * time.Millisecond}, "cut": {Cut: 1}} {
		before := counted()
		p.Set(weather)
		if err := client.Incr(ctx, "n").Err(); err == nil {
			t.Errorf("%s: the reply came", name)
		}
		if n := counted(); n != before+1 {
			t.Errorf("%s: %d, was %d: the call was not done", name, n, before)
		}
		p.Set(Weather{})
		if err := client.Incr(ctx, "n").Err(); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
	if p.Hurt() == 0 {
		t.Error("no connection was cut")
	}
	blocked := make(chan error, 1)
	go func() { blocked <- client.BLPop(ctx, 10*time.Second, "nothing").Err() }()
	for { // until it waits at the server
		if info, err := s.Client().Info(ctx, "clients").Result(); err != nil || strings.Contains(info, "blocked_clients:1") {
			break
		}
	}
	p.Reset()
	select {
	case err := <-blocked:
		if err == nil {
			t.Error("a reset connection answered")
		}
	case <-time.After(patience):
		t.Error("a reset connection went on")
	}
}
