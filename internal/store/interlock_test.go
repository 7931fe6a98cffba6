package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
)

func TestCheck_GoodStoreHasNoFaults(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 0 {
			t.Fatalf("faults %q, %v", faults, err)
		}
	})
}

func TestCheck_EachWrongSettingIsOneFault(t *testing.T) {
	for _, conf := range []struct{ line, fault string }{
		{"maxmemory-policy volatile-ttl", "maxmemory_policy is volatile-ttl, must be noeviction"},
		{"appendonly no", "aof_enabled is 0, must be 1"},
		{"appendfsync everysec", "appendfsync is everysec, must be always"},
		{"appendfsync no", "appendfsync is no, must be always"},
		{"no-appendfsync-on-rewrite yes", "no-appendfsync-on-rewrite is yes, must be no"},
		{"replicaof 127.0.0.1 1", "role is slave, must be master"},
	} {
		t.Run(conf.line, func(t *testing.T) {
			t.Parallel()
			s := open(t, Options{URL: redistest.Start(t, conf.line).URL()})
			faults, _, err := s.Check(t.Context())
			if err != nil || len(faults) != 1 || !strings.HasPrefix(faults[0], conf.fault) || strings.Contains(faults[0], "\n") {
				t.Fatalf("faults %q, %v; want one: %s", faults, err, conf.fault)
			}
		})
	}
}

func TestCheck_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: redistest.Start(t, "appendfsync everysec", "maxmemory-policy allkeys-lru").URL()})
	if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 2 {
		t.Fatalf("faults %q, %v; want two", faults, err)
	}
}

func TestCheck_FailedSnapshotThatStopsWrites(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "save 3600 1")
	s := open(t, Options{URL: srv.URL()})
	failSnapshot(t, srv)
	faults, _, err := s.Check(t.Context())
	if err != nil || len(faults) != 1 || !strings.HasPrefix(faults[0], "rdb_last_bgsave_status is err") {
		t.Fatalf("faults %q, %v", faults, err)
	}
	srv.Client().ConfigSet(t.Context(), "save", "")
	if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 0 {
		t.Fatalf("with its remedy: faults %q, %v", faults, err)
	}
}

// safe is what a good server shows.
const safe = "# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\n" +
	"aof_enabled:1\r\naof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\n# Replication\r\nrole:master\r\n"

func TestJudge_ByWhatTheServerShows(t *testing.T) {
	for _, c := range []struct{ name, replace, by, fault, unseen string }{
		{"safe", "", "", "", ""},
		{"old", "7.0.15", "6.2.14", "redis_version is 6.2.14, must be 7.0 or later", ""},
		{"newer", "7.0.15", "8.2.1", "", ""},
		{"ten", "7.0.15", "10.0.0", "", ""},
		{"no number", "7.0.15", "unstable", "redis_version is unstable", ""},
		{"version hidden", "redis_version:7.0.15\r\n", "", "", "redis_version"},
		{"failed write", "aof_last_write_status:ok", "aof_last_write_status:err", "aof_last_write_status is err, must be ok", ""},
		{"failed snapshot, schedule hidden", "bgsave_status:ok", "bgsave_status:err", "rdb_last_bgsave_status is err", ""},
		{"policy hidden", "maxmemory_policy:noeviction\r\n", "", "", "maxmemory_policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := settings{"appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
			seen.read(strings.Replace(safe, c.replace, c.by, 1))
			faults, unseen := seen.judge()
			if got := strings.Join(faults, "|"); !strings.HasPrefix(got, c.fault) || (c.fault == "") != (got == "") {
				t.Errorf("faults %q, want %q", got, c.fault)
			}
			if got := strings.Join(unseen, "|"); got != c.unseen {
				t.Errorf("unseen %q, want %q", got, c.unseen)
			}
		})
	}
}

// managed is a server like those rented by the hour: CONFIG is not for users.
func managed(t *testing.T, rules string, conf ...string) string {
	srv := redistest.Start(t, append(conf, "user joute on >geheim ~* &* +@all "+rules)...)
	return "redis://joute:geheim@" + srv.Addr()
}

func TestInterlock_HiddenSettingsNeedToBeAccepted(t *testing.T) {
	for how, url := range map[string]string{
		"forbidden": managed(t, "-config"),
		"removed":   redistest.Start(t, `rename-command CONFIG ""`).URL(),
	} {
		t.Run(how, func(t *testing.T) { needsToBeAccepted(t, url) })
	}
}

func needsToBeAccepted(t *testing.T, url string) {
	s := open(t, Options{URL: url})

	_, err := OpenInterlock(t.Context(), s, InterlockOptions{})
	if !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "appendfsync, no-appendfsync-on-rewrite could not be verified") ||
		!strings.Contains(err.Error(), "--accept-unverified-store") {
		t.Fatalf("strict: %v", err)
	}

	l, err := OpenInterlock(t.Context(), s, InterlockOptions{Mode: AcceptUnverified})
	if err != nil {
		t.Fatal(err)
	}
	if ok, faults, notes := l.Status(); !ok || len(faults) != 0 || len(notes) != 1 || !strings.Contains(notes[0], "appendfsync") {
		t.Fatalf("accepted: %t, %q, %q", ok, faults, notes)
	}
}

func TestInterlock_WhatIsShownIsCheckedAllTheSame(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: managed(t, "-config", "appendonly no")})
	if _, err := OpenInterlock(t.Context(), s, InterlockOptions{Mode: AcceptUnverified}); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "aof_enabled is 0") {
		t.Fatalf("err = %v", err)
	}
}

func TestInterlock_NothingShown(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: managed(t, "-config -info")})
	_, _, err := s.Check(t.Context())
	if !errors.Is(err, ErrSettingsHidden) || errors.Is(err, ErrUnavailable) {
		t.Fatalf("err = %v", err)
	}
	for _, d := range demands {
		if !strings.Contains(err.Error(), d.setting) {
			t.Errorf("%s is missing in: %v", d.setting, err)
		}
	}
}

func TestInterlock_TurnsRedAndGreenAgainWhileRunning(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL(), Timeout: 300 * time.Millisecond})
	l, err := OpenInterlock(t.Context(), s, InterlockOptions{Every: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	run(t, l)
	green := func() bool { ok, _, _ := l.Status(); return ok && l.Err() == nil }
	if !green() {
		t.Fatal("not green at first")
	}
	admin := srv.Client()
	admin.ConfigSet(t.Context(), "appendfsync", "everysec")
	wait(t, "red", func() bool { return errors.Is(l.Err(), ErrUnsafe) })
	if ok, faults, _ := l.Status(); ok || len(faults) != 1 || !strings.Contains(faults[0], "appendfsync is everysec") {
		t.Fatalf("red: %t, %q", ok, faults)
	}
	admin.ConfigSet(t.Context(), "appendfsync", "always")
	wait(t, "green", green)

	srv.Kill()
	wait(t, "unavailable", func() bool { return errors.Is(l.Err(), ErrUnavailable) })
	if ok, faults, _ := l.Status(); ok || len(faults) != 1 {
		t.Fatalf("gone: %t, %q", ok, faults)
	}
	srv.Restart()
	wait(t, "green after the outage", green)
}

func TestInterlock_UnsafeTakesBallotsAndIsNeverGreen(t *testing.T) {
	t.Parallel()
	for _, conf := range []string{"appendfsync no", "appendfsync always"} {
		s := open(t, Options{URL: redistest.Start(t, conf).URL()})
		l, err := OpenInterlock(t.Context(), s, InterlockOptions{Mode: Unsafe})
		if err != nil || l.Err() != nil {
			t.Fatalf("%s: %v, %v", conf, err, l.Err())
		}
		ok, faults, notes := l.Status()
		if ok || len(notes) == 0 || strings.Contains(strings.Join(faults, "|"), "appendfsync") != (conf == "appendfsync no") {
			t.Fatalf("%s: %t, %q, %q", conf, ok, faults, notes)
		}
	}
}

func TestInterlock_EmbeddedIsGreenAndSaysWhatItIs(t *testing.T) {
	s := open(t, Options{})
	for _, mode := range []Mode{Strict, AcceptUnverified, Unsafe} {
		l, err := OpenInterlock(t.Context(), s, InterlockOptions{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		if ok, faults, notes := l.Status(); !ok || len(faults) != 0 || len(notes) != 1 || !strings.Contains(notes[0], "in memory") {
			t.Fatalf("mode %d: %t, %q, %q", mode, ok, faults, notes)
		}
	}
}

func TestInterlock_RefusedStartHasOneLineForEachFault(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: redistest.Start(t, "appendfsync no", "maxmemory-policy allkeys-lru").URL()})
	_, err := OpenInterlock(t.Context(), s, InterlockOptions{})
	if lines := strings.Split(err.Error(), "\n"); !errors.Is(err, ErrUnsafe) || len(lines) != 3 {
		t.Fatalf("err = %v", err)
	}
}

// run runs the interlock until the test ends.
func run(t *testing.T, l *Interlock) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// What another part has found stops ballots in every mode, as long as it is there:
// counting on would make two histories of one vote.
func TestInterlock_StopsForWhatOthersHaveFound(t *testing.T) {
	srv := redistest.Start(t)
	for _, mode := range []Mode{Strict, AcceptUnverified, Unsafe} {
		s := open(t, Options{URL: srv.URL()})
		l, err := OpenInterlock(t.Context(), s, InterlockOptions{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		var found error
		l.Watch(func() error { return found })
		found = fmt.Errorf("%w: the folder is another's", ErrUnsafe)
		l.recheck(t.Context()) // which finds nothing
		ok, faults, _ := l.Status()
		if err := l.Err(); !errors.Is(err, ErrUnsafe) || ok || !slices.Contains(faults, found.Error()) {
			t.Errorf("mode %d: %v, %q", mode, err, faults)
		}
		found = nil
		if err := l.Err(); err != nil {
			t.Errorf("mode %d, over: %v", mode, err)
		}
	}
}

// A setting that loses no ballot is told, and stops none; on a cluster in one line.
func TestCheck_NotesARedisThatCutsItsOwnFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url   string
		notes int
	}{
		{redistest.Start(t, "aof-load-truncated yes").URL(), 1},
		{redistest.Start(t, "aof-load-truncated no").URL(), 0},
		{redistest.SharedCluster(t).URL(), 1},
	} {
		s := open(t, Options{URL: c.url})
		l, err := OpenInterlock(t.Context(), s, InterlockOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ok, faults, notes := l.Status()
		if !ok || len(notes) != c.notes || c.notes > 0 && !strings.Contains(notes[0], "scripts/redis-aof-tail") {
			t.Errorf("%s: %v %q %q", c.url, ok, faults, notes)
		}
		if s.Clustered() && strings.Count(notes[0], "127.0.0.1:") < 3 {
			t.Errorf("not all masters are named: %q", notes)
		}
	}
}

// Nothing is wrong with ballots where a Redis has as many clients as it takes, ours among them.
func TestCheck_NeedsNoNewConnection(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	recovers(t, s)
	clients := strings.Count(srv.Client().ClientList(t.Context()).Val(), "\n")
	if err := srv.Client().ConfigSet(t.Context(), "maxclients", fmt.Sprint(clients)).Err(); err != nil {
		t.Fatal(err)
	}
	if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 0 {
		t.Errorf("%q, %v", faults, err)
	}
}
