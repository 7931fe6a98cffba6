package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/attack"
)

// Options are a sandbox's.
type Options struct {
	Round time.Duration // how long a day of the laboratory lasts
	Rest  time.Duration // waits for the detectors at most so long; 0: three minutes
}

// longer is how much longer the sandbox is open than its days last: detectors are
// waited for between rounds, and the laboratory closes it.
const longer = 6 * time.Hour

// ErrUntrusted is returned for a server that takes everybody for this machine.
var ErrUntrusted = errors.New("the server does not believe X-Forwarded-For from here, so all voters would have one address: start it with --trusted-proxies 127.0.0.1/32,::1/128, and only where nobody else can reach it")

// Sandbox makes a contest of the market's schools and entries at a server, open now,
// and shows that the server tells the laboratory's addresses apart. Kinds is false
// where it does not know what kinds of networks they are.
func Sandbox(ctx context.Context, server *client.Client, m *farmlab.Market, opts Options) (g *Ground, kinds bool, err error) {
	if opts.Rest == 0 {
		opts.Rest = 3 * time.Minute
	}
	c, err := sandboxOf(m, time.Now(), opts.Round)
	if err != nil {
		return nil, false, err
	}
	if _, err := server.Apply(ctx, c); err != nil {
		return nil, false, fmt.Errorf("sandbox: %w", err)
	}
	g = &Ground{
		server: server, contest: c.ID, voters: server.Voters(c.ID, voters), streets: newStreets(), opens: m.Opens(),
		speed: float64(24*time.Hour) / float64(opts.Round), most: opts.Rest,
		people: map[string]*person{}, codes: map[string]string{}, casts: map[string]cast{}, histories: map[uuid.UUID]history{},
	}
	if kinds, err = g.probe(ctx, c.Entries[0].ID); err != nil {
		g.Leave()
		return nil, false, err
	}
	g.began = time.Now()
	return g, kinds, nil
}

// Contest is the sandbox's id.
func (g *Ground) Contest() string { return g.contest }

// Leave ends connections. The sandbox stays, for whoever wants to look at it.
func (g *Ground) Leave() { g.voters.Close() }

// sandboxOf is the market's contest under an id of its own, at a time of its own, with
// campuses named as an organizer would.
func sandboxOf(m *farmlab.Market, now time.Time, round time.Duration) (*contest.Contest, error) {
	made, err := contest.Parse(m.Contest)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	sandbox := *made
	sandbox.ID = "farmlab-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	days := m.Closes().Sub(m.Opens()).Hours() / 24
	sandbox.Phases.Voting = contest.Window{
		Opens: now.Add(-time.Minute).Truncate(time.Second), Closes: now.Add(time.Duration(days*float64(round)) + longer).Truncate(time.Second),
	}
	sandbox.Rules.Undo = time.Minute // the probes are taken back
	for i, s := range sandbox.Schools {
		if i < 1<<campusBits {
			sandbox.Antifraud.Campuses = append(sandbox.Antifraud.Campuses, contest.Campus{School: s.ID, CIDRs: []netip.Prefix{campusPart(i)}})
		}
	}
	return &sandbox, nil
}

// campusBits leave each school a part of the campuses' prefix.
const campusBits = 3

func campusPart(i int) netip.Prefix { return part(campuses, i) }

// probe casts two ballots from two of the laboratory's addresses, looks whether the
// server tells them apart, and takes them back.
func (g *Ground) probe(ctx context.Context, entry string) (kinds bool, err error) {
	mine := map[string]bool{}
	for _, from := range []netip.Addr{within(hosting, 1), within(residential, 1)} {
		origin := client.Origin{Address: from.String()}
		pass, err := g.voters.Pass(ctx, origin)
		if err != nil {
			return false, fmt.Errorf("probe: %w", err)
		}
		id := uuid.New()
		answer, err := g.voters.Cast(ctx, pass, client.Ballot{Ballot: id, Entry: entry}, origin)
		if err != nil {
			return false, fmt.Errorf("probe: %w", err)
		}
		if answer.Status >= 400 {
			return false, fmt.Errorf("probe: the server answered %d %s: %s", answer.Status, answer.Code, answer.Detail)
		}
		mine[id.String()] = true
		if _, err := g.voters.Withdraw(ctx, pass, id, origin); err != nil {
			return false, fmt.Errorf("probe: %w", err)
		}
	}
	nets, known := map[string]bool{}, map[antifraud.NetKind]bool{}
	err = g.server.Evidence(ctx, g.contest, func(line []byte) error {
		var b detect.Ballot
		if err := json.Unmarshal(line, &b); err != nil {
			return fmt.Errorf("probe: a line of the ballot log: %w", err)
		}
		if mine[b.ID] {
			nets[b.Evidence.Net], known[b.Evidence.NetKind] = true, true
		}
		return nil
	})
	switch {
	case err != nil:
		return false, err
	case len(nets) < 2:
		return false, ErrUntrusted
	}
	return known[antifraud.NetHosting] && known[antifraud.NetResidential], nil
}

var _ attack.Ground = (*Ground)(nil)
