package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/client"
)

const (
	farmVotes = 120              // of a wave
	farmBegin = 40 * time.Second // the crowd comes first
	farmWave  = 12 * time.Second // how long a wave lasts
	farmLook  = 2 * time.Second  // how often the farm looks what became of its votes
	farmGives = 90 * time.Second // after so long it takes them for counted
)

// demoFarm is a seller of votes who comes to the demo: a wave, and when that is seen
// the same once more, which meets the door. It sees what anybody sees.
type demoFarm struct {
	voters *client.Voters
	entry  string
	tell   io.Writer
	random *rand.Rand
}

// bought is a vote of the farm's.
type bought struct {
	ballot uuid.UUID
	pass   string
	from   client.Origin
}

// run comes again and again, each time with other machines and devices, until ctx ends.
func (f *demoFarm) run(ctx context.Context, every time.Duration) {
	wait := min(farmBegin, 2*every)
	for number := 1; ; number++ {
		if !pause(ctx, wait) {
			return
		}
		wait = every
		votes, rejected := f.wave(ctx, number, farmVotes)
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(f.tell, "farm %d: %d votes for %s within seconds, from twelve machines of a data centre; %d rejected at the door\n", number, len(votes), f.entry, rejected)
		began := time.Now()
		off, held := 0, 0
		for off+held < len(votes)/2 && time.Since(began) < farmGives && pause(ctx, farmLook) {
			off, held = f.look(ctx, votes)
		}
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(f.tell, "farm %d: after %v %d of its votes are off the board as void, %d are held (the organizer's page says why)\n", number, time.Since(began).Round(time.Second), off, held)
		if !pause(ctx, farmLook) { // until the door has heard of it
			return
		}
		again, rejected := f.wave(ctx, number, farmVotes/2)
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(f.tell, "farm %d: it comes again: %d of %d rejected at the door\n", number, rejected, rejected+len(again))
	}
}

// wave casts votes and returns those that were taken, and how many the door rejected.
func (f *demoFarm) wave(ctx context.Context, number, votes int) (taken []bought, rejected int) {
	var mu sync.Mutex // guards taken and rejected
	var casting sync.WaitGroup
	for i := range votes {
		dwell, confirm := 1500+f.random.Int64N(60), 300+f.random.Int64N(20)
		from := client.Origin{Address: fmt.Sprintf("198.18.%d.%d", number%256, 1+i%12), Agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0"}
		seen := antifraud.Client{Referrer: antifraud.ReferrerDirect, DwellMS: &dwell, ConfirmMS: &confirm, Device: fmt.Sprintf("rack-%d-%d", number, i%10)}
		casting.Go(func() {
			vote, refused := f.cast(ctx, from, seen)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case refused:
				rejected++
			case vote != nil:
				taken = append(taken, *vote)
			}
		})
		if !pause(ctx, farmWave/farmVotes) {
			break
		}
	}
	casting.Wait()
	return taken, rejected
}

func (f *demoFarm) cast(ctx context.Context, from client.Origin, seen antifraud.Client) (vote *bought, rejected bool) {
	pass, err := f.voters.Pass(ctx, from)
	if err != nil {
		return nil, false
	}
	b := client.Ballot{Ballot: uuid.Must(uuid.NewV7()), Entry: f.entry, Client: &seen}
	answer, err := f.voters.Cast(ctx, pass, b, from)
	if err == nil && answer.Challenge != nil {
		if b.Challenge, err = answer.Challenge.Solve(); err == nil {
			answer, err = f.voters.Cast(ctx, pass, b, from)
		}
	}
	switch {
	case err != nil:
		return nil, false
	case answer.Code == "rejected":
		return nil, true
	case answer.Status >= 300:
		return nil, false
	}
	return &bought{b.Ballot, pass, from}, false
}

// look asks what became of votes, as their voters may.
func (f *demoFarm) look(ctx context.Context, votes []bought) (void, held int) {
	for _, v := range votes {
		answer, err := f.voters.Find(ctx, v.pass, v.ballot, v.from)
		if err != nil {
			return void, held
		}
		switch answer.Standing {
		case "void":
			void++
		case "held":
			held++
		}
	}
	return void, held
}

// pause waits, and tells whether it was to the end.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
