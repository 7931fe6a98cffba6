package reach

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

var (
	// ErrNoCode is returned for a code that nobody has, or had too long ago.
	ErrNoCode = errors.New("no such share code")
	// ErrTaken is returned where two voters' codes are the same, which keyed hashes
	// of 60 bits do not do by themselves.
	ErrTaken = errors.New("the share code is another voter's")
)

// Owned is a code and what is known of its owner. School and Entry, those of the
// owner's latest ballot, may be empty: what was known before then stays.
type Owned struct {
	Code          sharing.Code
	Owner         voting.Voter
	School, Entry string
	Given         sharing.Channel // by which a link is given out now; empty: by none
}

// Mint keeps a voter's code. After a nil error its links lead to the contest on
// every server, and it was made when it was first minted. It may be called at
// any time and changes nothing where nothing is new. Of a contest that was
// forgotten no code is kept.
func (r *Reach) Mint(ctx context.Context, s *registry.Stored, o Owned) error {
	if s.Forgotten() {
		return registry.ErrForgotten
	}
	given := ""
	if o.Given != "" {
		given = sharing.Via{Code: o.Code, Channel: o.Given}.String()
	}
	// First: a code that is kept is a code that leads somewhere.
	if err := r.lead(ctx, s, o); err != nil {
		return fmt.Errorf("mint: %w", err)
	}
	reply, err := r.mint.Run(ctx, keysOf(s.Contest.ID).all(),
		o.Code.String(), o.Owner.String(), o.School, o.Entry, r.now().UnixMilli(), given, expires(s).UnixMilli()).Slice()
	if err != nil {
		return err // names the script
	}
	if len(reply) == 1 && reply[0] == "taken" {
		return ErrTaken
	}
	return nil
}

// lead says where links of a code lead. One that knows an entry is not made to
// forget it.
func (r *Reach) lead(ctx context.Context, s *registry.Stored, o Owned) error {
	mode := ""
	if o.Entry == "" {
		mode = "NX"
	}
	err := r.store.Client().SetArgs(ctx, leads(o.Code), s.Contest.ID+" "+o.Entry+" "+o.School, redis.SetArgs{Mode: mode, ExpireAt: expires(s)}).Err()
	if errors.Is(err, redis.Nil) { // NX, and it is there
		return nil
	}
	return store.Classify(err)
}

// Place is where a code leads: a contest, and an entry and a school of it where
// its owner is for one.
type Place struct{ Contest, Entry, School string }

// Find tells where a code leads. It returns [ErrNoCode] for a code nobody has.
func (r *Reach) Find(ctx context.Context, code sharing.Code) (Place, error) {
	text, err := r.store.Client().Get(ctx, leads(code)).Result()
	if errors.Is(err, redis.Nil) {
		return Place{}, ErrNoCode
	}
	if err != nil {
		return Place{}, fmt.Errorf("find share code: %w", store.Classify(err))
	}
	contest, of, _ := strings.Cut(text, " ")
	entry, school, _ := strings.Cut(of, " ")
	return Place{contest, entry, school}, nil
}

// Visit counts one opening of a link, by a person: it is for the caller to leave
// out robots.
func (r *Reach) Visit(ctx context.Context, s *registry.Stored, via sharing.Via) error {
	if err := r.count(ctx, s, via.String()); err != nil {
		return err
	}
	// The close may have moved since the code was made.
	return store.Classify(r.store.Client().PExpireAt(ctx, leads(via.Code), expires(s)).Err())
}

// pageMark begins what is kept of a page, and no link.
const pageMark = "@"

// Framed counts that a page of another site showed a vote of ours. Every origin
// is kept: give only those that the contest lists.
func (r *Reach) Framed(ctx context.Context, s *registry.Stored, origin string) error {
	return r.count(ctx, s, pageMark+origin)
}

func (r *Reach) count(ctx context.Context, s *registry.Stored, what string) error {
	if s.Forgotten() {
		return nil // what it would be counted with is gone
	}
	return r.visit.Run(ctx, keysOf(s.Contest.ID).all(), what, rand.Text()[:12], expires(s).UnixMilli()).Err() // names the script
}

// scanned is how many codes one read brings.
const scanned = 1000

// Forget takes away all codes and links of a contest. After an error some may be
// left: the same call again takes the rest.
func (r *Reach) Forget(ctx context.Context, contestID string) error {
	r.drop(contestID, nil)
	k, client := keysOf(contestID), r.store.Client()
	var cursor uint64
	for {
		pairs, next, err := client.HScan(ctx, k.codes, cursor, "*", scanned).Result()
		if err != nil {
			return fmt.Errorf("forget shares: %w", store.Classify(err))
		}
		pipe := client.Pipeline()            // one by one: they are in different slots
		for i := 0; i < len(pairs); i += 2 { // field, value
			if code, err := sharing.ParseCode(pairs[i]); err == nil {
				pipe.Del(ctx, leads(code))
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("forget shares: %w", store.Classify(err))
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	// Last: while codes are there, what leads to them can be found.
	if err := client.Del(ctx, k.all()...).Err(); err != nil {
		return fmt.Errorf("forget shares: %w", store.Classify(err))
	}
	return nil
}
