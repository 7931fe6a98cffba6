package redistest

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Weather is what a Proxy does to replies. The zero value does nothing.
type Weather struct {
	Late time.Duration // replies come so much later
	// Cut ends each connection behind a number of bytes of replies, drawn anew up
	// to this one: mostly in the middle of what they say. What they answer was done.
	Cut int64
}

// Proxy stands between clients and a server, and does to their connections what
// networks do: late replies, replies cut short, connections reset.
type Proxy struct {
	listener net.Listener

	mu      sync.Mutex
	to      string             // guarded by mu
	weather Weather            // guarded by mu
	links   map[*link]struct{} // guarded by mu
	hurt    int                // guarded by mu: connections ended by Cut or Reset
}

// link is one client's connection and the one made for it.
type link struct {
	client, server net.Conn
	budget         int64 // bytes of replies before a cut; 0: not drawn
	done           chan struct{}
	end            func()
}

// NewProxy is a Proxy to host:port until the test ends.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{to: to, listener: l, links: map[*link]struct{}{}}
	var accepting sync.WaitGroup
	accepting.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		p.Reset()
	})
	return p
}

// URL is the server's address through the proxy.
func (p *Proxy) URL() string { return "redis://" + p.listener.Addr().String() }

// Turn has new connections go to another server, as a failover behind an address does. Those that
// are open stay where they are.
func (p *Proxy) Turn(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// Set changes the weather, for connections that are open too.
func (p *Proxy) Set(w Weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
	for l := range p.links {
		l.budget = 0
	}
}

// Reset ends every connection at once, as a firewall does that forgot them.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		p.hurt++
		l.end()
	}
}

// Hurt is how many connections were reset or cut so far.
func (p *Proxy) Hurt() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hurt
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		server, err := net.DialTimeout("tcp", to, time.Second)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{client: client, server: server, done: make(chan struct{})}
		l.end = sync.OnceFunc(func() {
			for _, c := range []net.Conn{client, server} {
				_ = c.(*net.TCPConn).SetLinger(0) // RST: what is under way is gone
				c.Close()
			}
			close(l.done)
		})
		p.mu.Lock()
		p.links[l] = struct{}{}
		p.mu.Unlock()
		go func() {
			_, _ = io.Copy(server, client)
			p.drop(l)
		}()
		go func() {
			p.replies(l)
			p.drop(l)
		}()
	}
}

func (p *Proxy) drop(l *link) {
	l.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// replies carries what the server says, as the weather lets it.
func (p *Proxy) replies(l *link) {
	chunk := make([]byte, 16<<10)
	for {
		n, err := l.server.Read(chunk)
		if err != nil {
			return
		}
		late, pass, cut := p.pass(l, int64(n))
		if late > 0 {
			select {
			case <-time.After(late):
			case <-l.done:
				return
			}
		}
		if _, err := l.client.Write(chunk[:pass]); err != nil || cut {
			return
		}
	}
}

// pass is how much of n bytes of a reply comes through, and when.
func (p *Proxy) pass(l *link, n int64) (late time.Duration, bytes int64, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.weather.Cut == 0 {
		return p.weather.Late, n, false
	}
	if l.budget == 0 {
		l.budget = 1 + rand.Int64N(p.weather.Cut)
	}
	if l.budget > n {
		l.budget -= n
		return p.weather.Late, n, false
	}
	p.hurt++
	return p.weather.Late, l.budget, true
}
