package store

import (
	"strings"
	"testing"
)

// An address is understood or not; a password in it is in no text of ours.
func FuzzParseURL(f *testing.F) {
	f.Add("redis://user", "127.0.0.1:6379/3?db=2")
	f.Add("redis-cluster://a", "b:1,c:2")
	for _, seed := range []string{"redis://", "redis://user", "rediss://[::1]:6379?db=2", "unix:///tmp/redis.sock?db=1", "redis://a:%zz@b", "redis-cluster://ab:1,c:2", "http://x", "redis://h:99999/x"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		if _, user, ok := strings.Cut(before, "://"); !ok || strings.ContainsAny(user, "/?#@,") {
			return // it would be no password there
		}
		url := before + ":hunter2@" + after
		to, err := parseURL(url)
		switch {
		case err == nil:
			if strings.Contains(to.target(false), "hunter2") {
				t.Fatalf("%q is named %s", url, to.target(false))
			}
		case strings.Contains(err.Error(), "hunter2"):
			t.Fatalf("%v", err)
		}
	})
}
