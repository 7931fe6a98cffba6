package main

import (
	"context"
	cryptorand "crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/internal/crowd"
	"github.com/joute/joute/internal/farmlab/play"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/internal/web"
	"github.com/joute/joute/voting"
)

//go:embed pire-cv-video.yaml
var sampleContest []byte

type demoCmd struct {
	Listen string  `default:"127.0.0.1:8080" help:"Address to listen at; port 0 picks a free one."`
	Rate   float64 `default:"25" help:"About how many visitors come each second."`
	Seed   uint64  `default:"1" help:"The same seed brings the same crowd."`

	Farm time.Duration `default:"2m" help:"How often somebody comes who sells votes; 0: nobody does."`
}

func (demoCmd) Help() string {
	return "Everything is in memory, and gone when the demo ends with Ctrl-C. The crowd votes through the public API, as browsers do."
}

// Run shows the sample contest, open since an hour, and sends the crowd.
func (cmd demoCmd) Run(ctx context.Context, m *Main) error {
	if err := cmd.check(); err != nil {
		return err
	}
	shown, err := openSince(sampleContest, time.Now().Add(-time.Hour).Truncate(time.Minute))
	if err != nil {
		return fmt.Errorf("sample contest: %w", err)
	}
	mails, err := mailsink.StartWith(mailsink.Options{Keep: demoMails})
	if err != nil {
		return err
	}
	defer mails.Close()
	networks, err := os.MkdirTemp("", "joute-demo-")
	if err != nil {
		return fmt.Errorf("list of networks: %w", err)
	}
	defer os.RemoveAll(networks)
	key := cryptorand.Text()
	s, err := cmd.open(ctx, m, key, networks, mails)
	if err != nil {
		return err
	}
	host, err := openHost(ctx)
	if err != nil {
		s.close()
		return err
	}
	defer host.close()
	shown.Embed.Origins = append(slices.Clone(shown.Embed.Origins), host.origin())
	return cmd.show(ctx, m, shown, s, host, key)
}

func (cmd demoCmd) check() error {
	if cmd.Rate <= 0 || cmd.Rate > 5000 {
		return errors.New("--rate: expected more than 0, at most 5000")
	}
	if cmd.Farm != 0 && cmd.Farm < 10*time.Second {
		return errors.New("--farm: expected 0, or 10s and more")
	}
	return nil
}

// open opens the server that is shown. The list of its networks is written to a folder.
func (cmd demoCmd) open(ctx context.Context, m *Main, key, networks string, mails *mailsink.Sink) (*service, error) {
	mailer, err := mail.Open(mails.URL(), "Joute <joute@localhost>")
	if err != nil {
		return nil, err
	}
	if err := play.WriteNetworks(networks); err != nil {
		return nil, fmt.Errorf("list of networks: %w", err)
	}
	return open(ctx, config{
		networks: netkind.Files{Dir: networks},
		listen:   cmd.Listen, adminKey: key,
		log: slog.New(slog.NewTextHandler(m.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		// That all is in memory is what the demo says of itself: it has no flag to change that.
		interlockLog: slog.New(slog.NewTextHandler(m.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		mailer:       mailer, disposable: voting.BuiltinDisposable(), demoMail: func() []web.DemoMail { return shownMails(mails) },
		// The crowd says where it comes from as proxies do.
		trustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		sweepEvery:     demoSweeps,
	})
}

// show runs the server, the crowd that visits it and the other site, until ctx ends or
// the crowd cannot come.
func (cmd demoCmd) show(ctx context.Context, m *Main, shown *contest.Contest, s *service, host *hostSite, key string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var visiting sync.WaitGroup
	var failed error // why the crowd could not come; read after visiting
	err := s.run(ctx, func(string) {
		visiting.Go(func() {
			if err := cmd.visit(ctx, m, shown, s, host, key); err != nil && ctx.Err() == nil {
				failed = err
				stop()
			}
		})
		visiting.Go(func() {
			if err := host.serve(s.browserURL(), shown); err != nil {
				s.log.Warn("no sample page", "error", err)
			}
		})
	})
	stop()
	host.close()
	visiting.Wait()
	return errors.Join(err, failed)
}

// demoSweeps are more often than a minute: who watches a demo does not wait that long.
const demoSweeps = 10 * time.Second

// demoMails is how many mails the demo shows.
const demoMails = 50

// shownMails are the mails that came, newest first.
func shownMails(sink *mailsink.Sink) (shown []web.DemoMail) {
	for _, m := range slices.Backward(sink.Messages("")) {
		shown = append(shown, web.DemoMail{To: m.To, Subject: m.Subject, Text: m.Text, At: m.At})
	}
	return shown
}

// openSince moves the phases of a document so that voting opened at an instant;
// their lengths and distances stay.
func openSince(text []byte, opened time.Time) (*contest.Contest, error) {
	parsed, err := contest.Parse(text)
	if err != nil {
		return nil, err
	}
	moved := *parsed
	by := opened.Sub(parsed.Phases.Voting.Opens)
	move := func(w contest.Window) contest.Window {
		return contest.Window{Opens: w.Opens.Add(by), Closes: w.Closes.Add(by)}
	}
	moved.Phases.Voting = move(parsed.Phases.Voting)
	if parsed.Phases.Entries != nil {
		entries := move(*parsed.Phases.Entries)
		moved.Phases.Entries = &entries
	}
	return &moved, nil
}

// visit opens the contest as an organizer would, says where it is, and sends
// the crowd until ctx ends.
func (cmd demoCmd) visit(ctx context.Context, m *Main, shown *contest.Contest, s *service, host *hostSite, key string) error {
	server, err := client.New(s.url(), key)
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := server.Apply(ctx, shown); err != nil {
		return fmt.Errorf("sample contest: %w", err)
	}
	captain, err := server.Captain(ctx, shown.ID, shown.Schools[0].ID, false)
	if err != nil {
		return fmt.Errorf("captain's link: %w", err)
	}
	hall, err := server.OpenHall(ctx, shown.ID, 24*time.Hour)
	if err != nil {
		return fmt.Errorf("wall of the hall: %w", err)
	}
	here := func(url string) string { return strings.Replace(url, s.url(), s.browserURL(), 1) }
	tellDemo(m.Stdout, shown, demoAddresses{site: s.browserURL(), blog: host.origin(), captain: here(captain), hall: here(hall.URL)}, key)
	cmd.sendCrowd(ctx, m.Stdout, server, shown)
	return nil
}

type demoAddresses struct{ site, blog, captain, hall string }

func tellDemo(out io.Writer, shown *contest.Contest, at demoAddresses, key string) {
	fmt.Fprintf(out, `%s: a contest that is open now, and a simulated crowd that votes.

  page           %[2]s/c/%[3]s
  TV wall        %[2]s/tv/%[3]s
  in the hall    %[7]s
  sample blog    %[4]s/
  captain        %[6]s
  for your site  %[2]s/c/%[3]s/embed
  leaderboard    %[2]s/v1/contests/%[3]s/leaderboard
  live feed      %[2]s/v1/contests/%[3]s/feed
  mails          %[2]s/demo/mail
  held ballots   %[2]s/organize
  organizer key  %[5]s

The sample blog is another site with the widgets in it. Mails go nowhere: they are shown. Everything is in memory, and gone when this ends. Ctrl-C ends it.
`, shown.Title.In("en", shown.Locale), at.site, shown.ID, at.blog, key, at.captain, at.hall)
}

// sendCrowd sends visitors, and who sells votes, until ctx ends and the last of them has gone.
func (cmd demoCmd) sendCrowd(ctx context.Context, out io.Writer, server *client.Client, shown *contest.Contest) {
	voters := server.Voters(shown.ID, visitorsAtOnce)
	defer voters.Close()
	coming := make(chan crowd.Visitor, 1024)
	var voting sync.WaitGroup
	defer voting.Wait()
	defer close(coming)
	for range visitorsAtOnce {
		voting.Go(func() {
			for v := range coming {
				visitOnce(ctx, voters, v)
			}
		})
	}
	if cmd.Farm > 0 {
		farm := demoFarm{voters: voters, entry: lastEntry(shown), tell: out, random: rand.New(rand.NewPCG(cmd.Seed, 1))}
		voting.Go(func() { farm.run(ctx, cmd.Farm) })
	}
	send(ctx, crowd.New(shown, cmd.Rate, cmd.Seed), coming)
}

// lastEntry is the one that buys votes.
func lastEntry(c *contest.Contest) (id string) {
	for _, e := range c.Entries {
		if !e.Hidden {
			id = e.ID
		}
	}
	return id
}

const (
	// visitorsAtOnce is enough for the highest rate, and a small crowd keeps few
	// connections of them open.
	visitorsAtOnce = 32

	// crowdStep is short against what an eye sees as a jump.
	crowdStep = 100 * time.Millisecond
)

// send lets visitors come as time passes.
func send(ctx context.Context, people *crowd.Crowd, coming chan<- crowd.Visitor) {
	ticker := time.NewTicker(crowdStep)
	defer ticker.Stop()
	for {
		for _, v := range people.Step(crowdStep) {
			select {
			case coming <- v:
			default: // more than this machine can take: they do not come
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// visitOnce is one visit. What is refused or lost is the visitor's bad luck: the
// server's log says what went wrong.
func visitOnce(ctx context.Context, voters *client.Voters, v crowd.Visitor) {
	from := client.Origin{Address: v.Address, Agent: v.Agent}
	pass, err := voters.Pass(ctx, from)
	if err != nil {
		return
	}
	cast := func(entry string) (uuid.UUID, error) {
		id := uuid.Must(uuid.NewV7())
		_, err := voters.Cast(ctx, pass, client.Ballot{Ballot: id, Entry: entry, Client: &v.Client}, from)
		return id, err
	}
	ballot, err := cast(v.Entry)
	if err != nil {
		return
	}
	if v.Regrets != "" {
		if _, err := voters.Withdraw(ctx, pass, ballot, from); err != nil {
			return
		}
		_, err = cast(v.Regrets)
	}
	if v.Again && err == nil {
		_, _ = cast(v.Entry) // refused, as it should be
	}
}
