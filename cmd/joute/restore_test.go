package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// How long it takes to bring a million voters back, with the verifying before; and
// that they cannot vote again.
func TestRestore_AMillionVoters(t *testing.T) {
	if os.Getenv("JOUTE_FAULTS") != "long" {
		t.Skip("JOUTE_FAULTS=long")
	}
	const voters, boxes = 1_000_000, 4
	redis, data := redistest.Start(t), t.TempDir()
	voted(t, redis, data, voters, boxes)
	redis.Client().FlushAll(t.Context())
	started, ours, theirs := time.Now(), processorTime(t), redisTime(t, redis)
	code, out, errs := run(t, nil, "", "restore", "--redis", redis.URL(), "--data", data)
	if code != 0 {
		t.Fatalf("exit %d %s", code, errs)
	}
	t.Logf("%v for %d voters; processors: joute %v, Redis %.1fs\n%s", time.Since(started).Round(time.Millisecond), voters,
		processorTime(t)-ours, redisTime(t, redis)-theirs, out)
	s := serve(t, "--redis", redis.URL(), "--data", data)
	if total := s.board("hall").Totals; total.Counted == nil || *total.Counted != voters {
		t.Errorf("restored %v", total)
	}
}

// voted makes the folder of a contest, hall, in which so many people have voted. The
// Redis is not told of them.
func voted(t *testing.T, redis *redistest.Server, data string, voters, boxes int) {
	t.Helper()
	s := serve(t, "--redis", redis.URL(), "--data", data)
	s.joute("apply", write(t, "c.yaml", hall("hall", 3, 6)+fmt.Sprintf("boxes: %d\n", boxes)))
	board := s.board("hall")
	if code := s.stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	keys, err := keyring.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Contest("hall"); err != nil { // by which a server would have known the voters
		t.Fatal(err)
	}
	signer, err := ledgerSigner(keys)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ledger.Open(filepath.Join(data, "ledger"), "hall", signer)
	if err != nil {
		t.Fatal(err)
	}
	epoch := epochOf(t, board.Position)
	lines := make([][][]byte, boxes)
	offsets := make([]int64, boxes)
	for box := range boxes {
		offsets[box] = w.Size(box)
	}
	now := time.Now().UnixMilli()
	for i := range voters {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		voter := voting.Voter(sum[:16])
		box := int(voter[7]) % boxes // as boxOf has it for a power of two
		offsets[box]++
		line, err := json.Marshal(voting.Record{
			Position: voting.Position{Epoch: epoch, Box: box, Millis: now, Offset: offsets[box]}, Kind: voting.KindCast, Ballot: uuid.New(), Voter: voter,
			Entry: "e-1", School: "s-1", Standing: voting.Counted, Actor: voting.ActorVoter,
		})
		if err != nil {
			t.Fatal(err)
		}
		lines[box] = append(lines[box], line)
	}
	for box := range boxes {
		if err := w.Append(box, lines[box]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A real joute restore is killed while it fills the store: no server takes what is
// there, and the same command again leaves what one that was not killed leaves.
func TestRestore_KilledInTheMiddle(t *testing.T) {
	t.Parallel()
	const voters, boxes, kills = 30_000, 2, 3
	redis, data := redistest.Start(t), t.TempDir()
	voted(t, redis, data, voters, boxes)
	args := []string{"restore", "--redis", redis.URL(), "--data", data}
	filled := func() (keys int64, name string) {
		return redis.Client().DBSize(t.Context()).Val(), redis.Client().Get(t.Context(), "joute:dataset").Val()
	}
	redis.Client().FlushAll(t.Context())
	for kill := 1; kill <= kills; kill++ {
		began := received(t, redis)
		command := exec.Command(binary(t), args...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		// By what was sent: the run before has left keys, which this one deletes first.
		wait(t, "the store to be filled in part", func() (int, bool) { return 0, received(t, redis) > began+kill*400_000 })
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = command.Wait()
		keys, name := filled()
		if !strings.HasPrefix(name, "restoring-") || keys < 2 {
			t.Fatalf("kill %d came too late or too early: %d keys, dataset %q", kill, keys, name)
		}
		t.Logf("killed with %d keys there", keys)
		code, _, errs := run(t, env{"JOUTE_ADMIN_KEY": adminKey}, "", "serve", "--listen", "127.0.0.1:0", "--redis", redis.URL(), "--data", data)
		if code != 1 || !strings.Contains(errs, "run joute restore again") {
			t.Errorf("a server starts on a store that is half restored: exit %d %s", code, errs)
		}
	}
	if code, _, errs := run(t, nil, "", args...); code != 0 {
		t.Fatalf("exit %d %s", code, errs)
	}
	s := serve(t, "--redis", redis.URL(), "--data", data)
	if total := s.board("hall").Totals; total.Counted == nil || *total.Counted != voters {
		t.Errorf("restored %v", total)
	}
	if out := s.joute("recount", "hall"); !strings.Contains(out, "match") {
		t.Errorf("recount:\n%s", out)
	}
}

// received is how many bytes a Redis was sent so far.
func received(t *testing.T, redis *redistest.Server) int {
	t.Helper()
	info, err := redis.Client().InfoMap(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(info["Stats"]["total_net_input_bytes"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()).Round(time.Millisecond)
}

// redisTime is what a Redis has used so far, in seconds.
func redisTime(t *testing.T, redis *redistest.Server) (seconds float64) {
	t.Helper()
	for line := range strings.Lines(redis.Client().Info(t.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			seconds += n
		}
	}
	return seconds
}

// epochOf is that of a leaderboard's position.
func epochOf(t *testing.T, position string) int64 {
	t.Helper()
	epoch, _, _ := strings.Cut(position, "-")
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
