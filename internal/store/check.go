package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrSettingsHidden is a store that does not show settings on which the safety
// of ballots rests, as managed Redis services do. The error lists them.
var ErrSettingsHidden = errors.New("the store does not show its settings")

// Check holds the store against what an acknowledged ballot needs to survive,
// and to count once. It returns one line for each fault: what is, what must be,
// how to get there; on a cluster for every node, which the line names. Notes are
// settings that lose no ballot and may cost an operator a bad day. Beside faults that
// are seen, the error may be ErrSettingsHidden for what is not seen, or ErrUnavailable.
// The embedded store has no faults: it promises less.
func (s *Store) Check(ctx context.Context) (faults, notes []string, err error) {
	if s.Embedded() {
		return nil, nil, nil
	}
	if s.cluster != nil {
		return s.cluster.check(ctx)
	}
	seen, err := s.lookAnew(ctx)
	if err != nil { // perhaps it takes no more connections
		seen, err = look(past(ctx), s.client) // whichever store it is
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store: check: %w", err)
	}
	faults, unseen := seen.judge()
	if len(unseen) > 0 {
		err = fmt.Errorf("%w: %s could not be verified", ErrSettingsHidden, strings.Join(unseen, ", "))
	}
	return faults, seen.notes(), err
}

// settings are what a server says of itself; a member it hides is absent.
type settings map[string]string

// lookAnew looks at a single Redis, whichever it is, over a connection of its own: those of before
// may be to one that is not the master at the address any more.
func (s *Store) lookAnew(ctx context.Context) (settings, error) {
	opts := *s.client.(*redis.Client).Options()
	opts.OnConnect, opts.PoolSize, opts.MinIdleConns = nil, 1, 0
	node := redis.NewClient(&opts)
	defer node.Close()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return look(ctx, node)
}

func look(ctx context.Context, node redis.Cmdable) (settings, error) {
	seen := settings{}
	info, err := node.Info(ctx).Result()
	if err != nil && !hidden(err) {
		return nil, err
	}
	seen.read(info)
	// One by one: several names in one call are not known before 7.0, which is
	// one of the faults to tell; and "*" would bring the passwords along.
	for _, name := range []string{"appendfsync", "no-appendfsync-on-rewrite", "save", "stop-writes-on-bgsave-error", "aof-load-truncated"} {
		config, err := node.ConfigGet(ctx, name).Result()
		if err != nil && !hidden(err) {
			return nil, err
		}
		maps.Copy(seen, config)
	}
	return seen, nil
}

// hidden tells a command that is renamed, removed or forbidden to this user.
func hidden(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "unknown command") ||
		redis.HasErrorPrefix(err, "unknown subcommand")
}

// read takes the "name:value" lines of INFO.
func (seen settings) read(info string) {
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(name, "#") {
			seen[name] = value
		}
	}
}

// demands are in the order they are told.
var demands = []struct{ setting, must, why, how string }{
	{"maxmemory_policy", "noeviction", "an evicted voter could vote twice",
		"CONFIG SET maxmemory-policy noeviction, and the same in redis.conf"},
	{"aof_enabled", "1", "without the append-only file a restart loses ballots",
		"CONFIG SET appendonly yes, and the same in redis.conf"},
	{"appendfsync", "always", "anything less loses acknowledged ballots on a kill -9 or a power cut",
		"CONFIG SET appendfsync always, and the same in redis.conf"},
	{"no-appendfsync-on-rewrite", "no", "during a rewrite ballots would not be on disk",
		"CONFIG SET no-appendfsync-on-rewrite no, and the same in redis.conf"},
	{"aof_last_write_status", "ok", "the last write of the append-only file failed",
		"make room on the disk of Redis; it goes on by itself"},
	{"role", "master", "a replica takes no ballots",
		"give --redis the address of the master"},
}

// judge says what is wrong, and what cannot be told because it is not shown.
func (seen settings) judge() (faults, unseen []string) {
	switch version, ok := seen["redis_version"]; {
	case !ok:
		unseen = append(unseen, "redis_version")
	case major(version) < 7:
		faults = append(faults, fmt.Sprintf("redis_version is %s, must be 7.0 or later: upgrade Redis", version))
	}
	for _, d := range demands {
		switch value, ok := seen[d.setting]; {
		case !ok:
			unseen = append(unseen, d.setting)
		case value != d.must:
			faults = append(faults, fmt.Sprintf("%s is %s, must be %s (%s): %s", d.setting, value, d.must, d.why, d.how))
		}
	}
	if seen.stoppedBySnapshot() {
		faults = append(faults, "rdb_last_bgsave_status is err, must be ok (the last snapshot failed, and Redis refuses writes until one succeeds): "+
			`make room on its disk, or CONFIG SET save "" since the append-only file is what keeps ballots`)
	}
	return faults, unseen
}

// notes says what should be otherwise, and loses nothing.
func (seen settings) notes() (notes []string) {
	if seen["aof-load-truncated"] == "yes" {
		notes = append(notes, "aof-load-truncated is yes: killed while it writes, this Redis cuts its own file at its next start and goes on behind a torn transaction, which may keep it from a later start; "+
			"set it to no, and run scripts/redis-aof-tail before each start (docs/OPERATIONS.md, A Redis that was killed)")
	}
	return notes
}

// stoppedBySnapshot follows Redis' own rule: a failed snapshot stops writes only
// where snapshots are scheduled. Hidden settings are taken as Redis' defaults,
// which stop.
func (seen settings) stoppedBySnapshot() bool {
	save, shown := seen["save"]
	return seen["rdb_last_bgsave_status"] == "err" && seen["stop-writes-on-bgsave-error"] != "no" && (!shown || save != "")
}

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
