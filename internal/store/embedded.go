package store

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// embedded is a Redis inside this process, for trials: the same scripts run on
// it, and its data dies with the process. It listens on loopback because
// go-redis wants a socket; the password keeps the machine's other users out.
type embedded struct {
	server   *miniredis.Miniredis
	password string
	stop     chan struct{}
	ticking  sync.WaitGroup
}

func startEmbedded() (*embedded, error) {
	e := &embedded{server: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{})}
	e.server.RequireAuth(e.password)
	if err := e.server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("store: embedded: %w", err)
	}
	e.ticking.Go(e.tick)
	return e, nil
}

// tick lets keys expire: miniredis' clock for lifetimes stands still unless
// moved. (Its own ClockTTL walks all keys at every command.)
func (e *embedded) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-e.stop:
			return
		case now := <-t.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

func (e *embedded) options() *redis.Options {
	return &redis.Options{Addr: e.server.Addr(), Password: e.password}
}

func (e *embedded) close() {
	close(e.stop)
	e.ticking.Wait()
	e.server.Close()
}
