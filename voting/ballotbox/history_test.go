package ballotbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

const (
	clientsOfVoter = 3 // a phone, a page left open, an organizer
	callsOfClient  = 8
	votersAtOnce   = 12
)

// player takes down what clients do for voters and what they are told.
type player struct {
	boxes *Boxes
	s     *registry.Stored
	st    *store.Store
	began time.Time

	calls, unknown atomic.Int64
	mu             sync.Mutex
	histories      []history // guarded by mu, one for each voter
}

func newPlayer(t *testing.T, st *store.Store, b *Boxes) *player {
	p := &player{boxes: b, st: st, s: newContest(t, historyRules, "boxes: 2"), began: time.Now()}
	if err := b.Configure(t.Context(), p.s); err != nil {
		t.Fatal(err)
	}
	return p
}

// play has one voter after another until so many calls were made, and until enough.
func (p *player) play(calls int64, enough func() bool) {
	var playing sync.WaitGroup
	for range votersAtOnce {
		playing.Go(func() {
			for p.calls.Load() < calls || !enough() {
				h := p.one()
				p.mu.Lock()
				p.histories = append(p.histories, h)
				p.mu.Unlock()
			}
		})
	}
	playing.Wait()
}

// one is a voter with several clients at once, and a look at every ballot after them.
func (p *player) one() (h history) {
	voter := voting.Voter(uuid.New())
	var ids [historyIDs]uuid.UUID
	for i := range ids {
		ids[i] = uuid.New()
	}
	parts := make([]history, clientsOfVoter)
	var clients sync.WaitGroup
	for client := range parts {
		clients.Go(func() {
			for range callsOfClient {
				call := draw()
				ops, known := p.call(client, voter, ids[call.id], call)
				parts[client] = append(parts[client], ops...)
				if !known && call.what == "cast" { // as clients do that got no answer
					ops, _ = p.call(client, voter, ids[call.id], call)
					parts[client] = append(parts[client], ops...)
				}
			}
		})
	}
	clients.Wait()
	h = slices.Concat(parts...)
	for i := range ids {
		ops, _ := p.call(clientsOfVoter, voter, ids[i], asked{what: "find", id: i})
		h = append(h, ops...)
	}
	return h
}

func draw() asked {
	call := asked{what: "cast", id: rand.IntN(historyIDs)}
	switch n := rand.IntN(12); {
	case n < 6:
		call.entry = []string{"n-1", "n-2", "s-1"}[rand.IntN(3)]
	case n < 8:
		call.what = "find"
	case n < 10:
		call.what = string(voting.Withdrawn)
	default:
		call.what = string([]voting.Standing{voting.Counted, voting.Held, voting.Void}[rand.IntN(3)])
	}
	return call
}

// call makes one call. After one without an answer it waits until the store answers.
func (p *player) call(client int, voter voting.Voter, id uuid.UUID, call asked) (ops history, known bool) {
	ctx := context.Background()
	p.calls.Add(1)
	op := porcupine.Operation{ClientId: client, Input: call, Call: int64(time.Since(p.began))}
	got, err := p.send(ctx, voter, id, call)
	op.Return, op.Output = int64(time.Since(p.began)), got
	if err != nil {
		p.unknown.Add(1)
		op.Return, op.Output = never, told{unknown: true}
		for p.st.Client().Ping(ctx).Err() != nil {
			time.Sleep(5 * time.Millisecond)
		}
	}
	ops = append(ops, op)
	if got.again || call.what != "cast" && call.what != "find" {
		// Script.Run sends once more where a connection is lost. So it may be this very
		// call that had cast the ballot, and a change of standing may have been made twice
		// while it was under way, with somebody else's in between.
		op.Output = told{unknown: true}
		ops = append(ops, op)
	}
	return ops, err == nil
}

func (p *player) send(ctx context.Context, voter voting.Voter, id uuid.UUID, call asked) (told, error) {
	var cast voting.Cast
	var err error
	switch call.what {
	case "cast":
		var o voting.Outcome
		o, err = p.boxes.Cast(ctx, p.s, voting.Ballot{ID: id, Voter: voter, Entry: call.entry, Standing: voting.Counted})
		if err == nil && o.Refused != "" {
			return told{code: string(o.Refused), remaining: o.Remaining}, nil
		}
		if err == nil {
			return told{code: string(o.Cast.Standing), again: o.Duplicate, position: o.Cast.Position, remaining: o.Remaining}, nil
		}
	case "find":
		cast, err = p.boxes.Find(ctx, p.s, voter, id)
	default:
		change := Change{Voter: voter, Ballot: id, Standing: voting.Standing(call.what), Actor: voting.ActorOrganizer, Reasons: []string{"history"}}
		if change.Standing == voting.Withdrawn {
			change.Actor = voting.ActorVoter
		}
		cast, _, err = p.boxes.Change(ctx, p.s, change)
	}
	for _, refusal := range []error{ErrNoSuchBallot, ErrUndoExpired} {
		if errors.Is(err, refusal) {
			return told{code: refusal.Error()}, nil
		}
	}
	return told{code: string(cast.Standing), position: cast.Position}, err
}

// judge is the first history that no order of its calls explains; nil when all are legal.
func (p *player) judge(t *testing.T) history {
	t.Helper()
	for _, h := range p.histories {
		switch h.legal() {
		case porcupine.Illegal:
			return h
		case porcupine.Unknown:
			t.Fatalf("no verdict within a minute:\n%s", h)
		}
	}
	return nil
}

// TestFault_EveryHistoryHasAnOrderThatExplainsIt lets clients cast, repeat, take back,
// look and change standings, several at once for each voter, while connections are
// reset, replies cut and Redis killed.
func TestFault_EveryHistoryHasAnOrderThatExplainsIt(t *testing.T) {
	t.Parallel()
	calls := int64(3_000)
	if faulttest.Long() {
		calls = 50_000
	}
	server := redistest.Start(t, "auto-aof-rewrite-percentage 0", "aof-load-truncated no")
	proxy := redistest.NewProxy(t, server.Addr())
	st := openStore(t, proxy.URL())
	p := newPlayer(t, st, New(st))
	over, kills := make(chan struct{}), atomic.Int64{}
	var storm sync.WaitGroup
	storm.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			case <-time.After(100*time.Millisecond + rand.N(200*time.Millisecond)):
			}
			switch n % 4 {
			case 0, 2:
				proxy.Reset()
			case 1:
				proxy.Set(redistest.Weather{Cut: 2_000})
				time.Sleep(rand.N(100 * time.Millisecond))
				proxy.Set(redistest.Weather{})
			case 3:
				server.Kill()
				if said, err := server.CutTail(); err != nil {
					t.Errorf("%v\n%s", err, said)
				}
				server.Restart()
				kills.Add(1)
			}
		}
	})
	p.play(calls, func() bool { return kills.Load() >= 2 })
	close(over)
	storm.Wait()

	if h := p.judge(t); h != nil {
		t.Fatalf("no order of these calls explains the answers:\n%s", h)
	}
	checkRecount(t, New(openStore(t, server.URL())), p.s)
	if proxy.Hurt() == 0 || p.unknown.Load() == 0 {
		t.Errorf("%d connections hurt, %d unknown outcomes: the faults met no call", proxy.Hurt(), p.unknown.Load())
	}
	t.Logf("%d calls for %d voters, %d with unknown outcome; %d kills, %d connections hurt",
		p.calls.Load(), len(p.histories), p.unknown.Load(), kills.Load(), proxy.Hurt())
}

// Control: with a rule of a script broken no order explains what clients are told.
func TestFault_HistoriesFindABrokenRule(t *testing.T) {
	t.Parallel()
	st := openStore(t, redistest.Shared(t).URL())
	for name, edit := range map[string][2]string{
		"the voter is not checked":   {"if used >= box.max or (limited and spent >= box.per_entry) then", "if false then"},
		"a repeat counts again":      {"if first then\n", "if false then\n"},
		"withdrawing keeps the turn": {"turns.used = math.max(turns.used - 1, 0)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			scriptsHave(t, edit[0])
			p := newPlayer(t, st, load(st, func(name string) string {
				return strings.ReplaceAll(source(name), edit[0], edit[1])
			}))
			p.play(600, func() bool { return true })
			if p.judge(t) == nil {
				t.Fatal("every history was found legal")
			}
		})
	}
}
