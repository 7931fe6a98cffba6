package main

import (
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// A store that speaks TLS alone, at the address that its certificate is for, is a store
// like any other, also after its connections ended.
func TestTLS_AStoreAndAClusterAreVotedOn(t *testing.T) {
	for name, start := range map[string]func(*redistest.Authority) (url string, nodes []*redistest.Server){
		"one Redis": func(a *redistest.Authority) (string, []*redistest.Server) {
			one := a.Start(t)
			return one.URL(), []*redistest.Server{one}
		},
		"a cluster": func(a *redistest.Authority) (string, []*redistest.Server) {
			c := a.StartCluster(t, 3, 1)
			return c.URL(), c.Nodes
		},
	} {
		t.Run(name, func(t *testing.T) {
			authority := redistest.NewAuthority(t)
			url, nodes := start(authority)
			trusting := []string{"env", "SSL_CERT_FILE=" + authority.File}
			p := launchIn(t, trusting, "127.0.0.1:0", "--redis", url, "--data", t.TempDir())
			s := &running{t: t, url: p.url}
			s.joute("apply", write(t, "c.yaml", hall("hall", 3, 6)+"boxes: 3\n"))
			load := s.casting("hall", 6)
			taken := func() int {
				load.mu.Lock()
				defer load.mu.Unlock()
				return len(load.accepted)
			}
			accepted := load.during(100, func() {
				wait(t, "ballots to be taken", func() (int, bool) { return 0, taken() > 100 })
				nodes[0].Client().Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
				before := taken()
				wait(t, "ballots to be taken by new connections", func() (int, bool) { return 0, taken() > before+100 })
			})
			if code, _, errs := run(t, env{"JOUTE_ADMIN_KEY": adminKey}, "", "serve", "--listen", "127.0.0.1:0", "--redis", url, "--data", t.TempDir()); code != 1 || !strings.Contains(errs, "certificate") {
				t.Errorf("who does not trust the certificate: exit %d %s", code, errs)
			}
			if out := s.joute("recount", "hall"); len(accepted) < 200 || !strings.HasSuffix(out, "\nmatch\n") {
				t.Errorf("%d ballots; recount:\n%s", len(accepted), out)
			}
		})
	}
}
