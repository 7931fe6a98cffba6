package store

import (
	"strings"
	"testing"
)

// An address is understood or not; a password in it is in no text of ours.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"redis://", "redis://user:hunter2hunter2@127.0.0.1:6379/3", "rediss://:hunter2hunter2@[::1]:6379?db=2", "unix:///tmp/redis.sock?db=1", "redis://a:%zz@b", "redis-cluster://a:hunter2hunter2@b:1,c:2", "http://x", "redis://h:99999/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		opts, err := parseURL(url)
		switch {
		case err == nil:
			if name := target(opts, false); opts.Password != "" && len(opts.Password) > 8 && !strings.Contains(opts.Addr, opts.Password) && strings.Contains(name, opts.Password) {
				t.Fatalf("%q is named %s", url, name)
			}
		case strings.Contains(url, "hunter2hunter2") && strings.Contains(err.Error(), "hunter2"):
			t.Fatalf("%v", err)
		}
	})
}
