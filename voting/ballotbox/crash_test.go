package ballotbox

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

const writers = 32

// crashes is how a Redis is killed under writers.
type crashes struct {
	server  *redistest.Server
	cycles  int           // at least
	want    int           // so many acknowledged at least
	timeout time.Duration // of the store; 0 is the product's
	lives   time.Duration // how long Redis lives at least; the moment is drawn from this to twice as long
	rewrite bool          // in every other cycle it is killed near a rewrite of its file
	worst   func() bool   // the moment is put off until then; may be nil
	down    func()        // what is done while it is down; may be nil
}

// crashed is what is known after the last kill.
type crashed struct {
	told      faulttest.Told
	survey    faulttest.Survey
	cycles    int
	rewriting int // kills that met a rewrite of the file
}

// run kills Redis again and again at random moments under 32 writers, and lets the
// last start answer whatever outcome is unknown. Then it takes stock.
func (c crashes) run(t *testing.T) crashed {
	t.Helper()
	b, s := New(openPatient(t, c.server.URL(), c.timeout)), newContest(t, "boxes: 2")
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	voters := faulttest.Start(writers, casting(b, s))
	var out crashed
	for out.cycles < c.cycles || voters.Acknowledged() < c.want {
		time.Sleep(c.lives + rand.N(c.lives)) // the random moment
		if c.rewrite && out.cycles%2 == 1 && c.startRewrite(t, out.cycles%4 == 1) {
			out.rewriting++
		}
		for deadline := time.Now().Add(20 * time.Second); c.worst != nil && !c.worst() && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		c.server.Kill()
		if c.down != nil {
			c.down()
		}
		c.server.Restart()
		out.cycles++
	}
	out.told = voters.Stop()
	// Another store: go-redis remembers a refused connection for up to a second.
	out.survey = surveyOf(t, New(openStore(t, c.server.URL())), s, out.told)
	return out
}

// surveyOf holds the ledger against what voters were told, and the tally against the ledger.
func surveyOf(t *testing.T, b *Boxes, s *registry.Stored, told faulttest.Told) faulttest.Survey {
	t.Helper()
	survey := told.Survey(func(yield func(voting.Record)) {
		for _, r := range ledgerOf(t, b, s, voting.Position{}) {
			yield(r)
		}
	})
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if count.Live.Counted != int64(survey.Casts) {
		t.Errorf("the tally says %d, the ledger %d", count.Live.Counted, survey.Casts)
	}
	return survey
}

// startRewrite begins a rewrite of the file and returns at a random moment of it. A
// slow one, as that of a far bigger store, is still running then.
func (c crashes) startRewrite(t *testing.T, slow bool) (running bool) {
	t.Helper()
	client, micros := c.server.Client(), "1"
	if slow {
		micros = "1000" // for each key
	}
	err := client.ConfigSet(t.Context(), "rdb-key-save-delay", micros).Err()
	if err == nil {
		err = client.BgRewriteAOF(t.Context()).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(rand.N(100 * time.Millisecond))
	info, err := client.InfoMap(t.Context(), "persistence").Result()
	if err != nil {
		t.Fatal(err)
	}
	return info["Persistence"]["aof_rewrite_in_progress"] == "1"
}

// casting is how voters of faulttest cast here: the ballot's id is its voter too.
func casting(b *Boxes, s *registry.Stored) faulttest.Cast {
	return func(ctx context.Context, id uuid.UUID) (faulttest.Answer, error) {
		o, err := b.Cast(ctx, s, voting.Ballot{ID: id, Voter: voting.Voter(id), Entry: "n-1", Standing: voting.Counted, Level: "device"})
		return faulttest.Answer{Position: o.Cast.Position, Duplicate: o.Duplicate, Pending: o.Pending, Refused: string(o.Refused)}, err
	}
}

// holds fails the test for anything lost, counted twice or answered wrong.
func (c crashed) holds(t *testing.T) {
	t.Helper()
	c.told.Check(t)
	if c.survey.Lost > 0 || c.survey.Twice > 0 {
		t.Errorf("%d acknowledged ballots lost, %d twice", c.survey.Lost, c.survey.Twice)
	}
	t.Logf("%d kills, %d of them in a rewrite: %v; %d in the ledger, %d lost, %d twice",
		c.cycles, c.rewriting, c.told, c.survey.Casts, c.survey.Lost, c.survey.Twice)
}

// As docs/OPERATIONS.md says to run a Redis: it never cuts its file by itself, and
// before each start the unfinished end of the file is cut off.
func TestCrash_NothingAcknowledgedIsLostByKillingRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "auto-aof-rewrite-percentage 0", "aof-load-truncated no")
	c := crashes{server: server, cycles: 6, lives: 300 * time.Millisecond, rewrite: true}
	if faulttest.Long() {
		c.cycles, c.want, c.lives = 25, 200_000, time.Second
	}
	torn := 0
	c.down = func() {
		said, err := server.CutTail()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if said != "" {
			torn++
		}
	}
	out := c.run(t)
	out.holds(t)
	if out.rewriting == 0 {
		t.Error("no kill met a rewrite")
	}
	t.Logf("%d of the kills left an unfinished write", torn)
}

// The same Redis with nothing done before a start, as many are run: it cuts its own
// file and leaves a torn transaction, which is mended (docs/decisions/0005). Killed
// again in a rewrite it may refuse to start, so there is none.
func TestCrash_NothingAcknowledgedIsLostByRedisThatCutsItsOwnFile(t *testing.T) {
	t.Parallel()
	c := crashes{server: redistest.Start(t, "auto-aof-rewrite-percentage 0"), cycles: 4, lives: 200 * time.Millisecond}
	if faulttest.Long() {
		c.cycles = 75
	}
	c.run(t).holds(t)
}

// What a power cut leaves is what was synced.
func TestCrash_NothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	t.Parallel()
	out := powerCuts(t, "always")
	out.holds(t)
}

// Control: without a sync before the answer, the same test loses ballots.
func TestCrash_FindsTheLossOfAnUnsyncedStore(t *testing.T) {
	t.Parallel()
	out := powerCuts(t, "no")
	if out.survey.Lost == 0 {
		t.Fatalf("none of %d acknowledged ballots lost: the test cannot see a loss", len(out.told.Ballots))
	}
	t.Logf("%d of %d acknowledged ballots lost", out.survey.Lost, len(out.told.Ballots))
}

func powerCuts(t *testing.T, fsync string) crashed {
	t.Helper()
	server := redistest.New(t, "appendfsync "+fsync, "auto-aof-rewrite-percentage 0", "aof-load-truncated no")
	disk := server.OnDisk()
	server.Restart()
	c := crashes{server: server, cycles: 2, lives: 500 * time.Millisecond}
	if faulttest.Long() {
		c.cycles = 20
	}
	c.down = func() {
		disk.CutPower()
		if said, err := server.CutTail(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	return c.run(t)
}

// A disk whose syncs take a second and a half: whoever answers without waiting for
// them has much to lose when killed.
func TestCrash_NothingAcknowledgedIsLostOnASlowDisk(t *testing.T) {
	t.Parallel()
	out := slowDisk(t, "always")
	out.holds(t)
}

// Control: everysec answers first and syncs later, and while a sync takes long it
// does not even write.
func TestCrash_FindsTheLossOfAStoreThatSyncsLater(t *testing.T) {
	t.Parallel()
	out := slowDisk(t, "everysec")
	if out.survey.Lost == 0 {
		t.Fatalf("none of %d acknowledged ballots lost: the test cannot see a loss", len(out.told.Ballots))
	}
	t.Logf("%d of %d acknowledged ballots lost", out.survey.Lost, len(out.told.Ballots))
}

func slowDisk(t *testing.T, fsync string) crashed {
	t.Helper()
	server := redistest.New(t, "appendfsync "+fsync, "auto-aof-rewrite-percentage 0", "aof-load-truncated no")
	disk := server.OnDisk()
	disk.SyncTakes = 1500 * time.Millisecond
	server.Restart()
	// A call waits for the sync under way and for its own.
	c := crashes{server: server, cycles: 1, lives: 2 * time.Second, timeout: 6 * time.Second}
	if fsync == "everysec" { // between two syncs it writes at once: then a kill takes nothing
		c.worst = func() bool {
			info, err := server.Client().InfoMap(t.Context(), "persistence").Result()
			unwritten, _ := strconv.Atoi(info["Persistence"]["aof_buffer_length"])
			return err == nil && unwritten > 100_000
		}
	}
	kills := 0
	if faulttest.Long() {
		c.cycles = 5
	}
	c.down = func() {
		if kills++; kills == c.cycles {
			disk.SyncTakes = 0 // nothing more will be lost
		}
		if said, err := server.CutTail(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	return c.run(t)
}
