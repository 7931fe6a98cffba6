package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/voting"
)

type serveCmd struct {
	Listen                string        `default:"127.0.0.1:8080" help:"Address to listen at; port 0 picks a free one."`
	Redis                 string        `placeholder:"URL" help:"The store, as redis://[user:password@]host:port[/db], rediss:// for TLS or unix://; a Redis Cluster as redis-cluster://[user:password@]host:port,host:port or rediss-cluster://. Without it an embedded store in memory serves as a trial; with --data it comes back from there."`
	Data                  string        `placeholder:"DIR" help:"Folder of keys, contests, ledger and evidence, shared by all servers of one store. Required with --redis. Keep it: without its keys nobody is known to have voted, and joute restore makes a lost store again from it."`
	PublicURL             string        `name:"public-url" placeholder:"URL" help:"Address at which browsers reach the service, such as https://vote.example.org."`
	TrustedProxies        []string      `name:"trusted-proxies" placeholder:"CIDR" help:"Networks of the proxies in front, whose X-Forwarded-For is believed."`
	SMTP                  string        `name:"smtp" placeholder:"URL" help:"Mail server, as smtp://[user:password@]host:port (STARTTLS when offered) or smtps://. With a password prefer the environment variable. Without it no e-mail is sent."`
	MailFrom              string        `name:"mail-from" default:"joute@localhost" help:"Sender of e-mails, as vote@example.org or \"Joute <vote@example.org>\"."`
	DisposableDomains     string        `name:"disposable-domains" placeholder:"FILE" help:"Domains of disposable e-mail addresses, one a line, # begins a comment; takes the place of a short built-in list."`
	Networks              string        `placeholder:"DIR" help:"Folder of lists of networks, each line a network, its kind (hosting, vpn, tor, mobile, residential, unknown) and perhaps its AS number. Read again within half a minute of a change, or on SIGHUP."`
	MMDB                  []string      `name:"mmdb" placeholder:"FILE" help:"Databases in MaxMind's format that tell of autonomous systems, anonymous networks or connection types; asked for what --networks does not say."`
	SweepEvery            time.Duration `default:"1m" help:"How often the detectors look at an open contest, 1s to 1h."`
	LogFormat             string        `default:"text" enum:"text,json" help:"Format of the log on standard error: text or json."`
	AcceptUnverifiedStore bool          `help:"Accept a managed Redis that hides its settings: they are for you to vouch for. Said at every start and in /readyz."`
	UnsafeStore           bool          `help:"For tests and measurements: take ballots in a Redis known to lose some. /readyz stays red."`
}

func (serveCmd) Help() string {
	return "The organizer's key comes from the environment variable JOUTE_ADMIN_KEY alone, at least 16 characters: every user of the\n" +
		"machine can read a command line. It is required with --redis; without, one is made up and printed.\n\n" +
		"Prints \"listening on http://HOST:PORT\" on standard output once ready, and logs to standard error. On SIGTERM it answers\n" +
		"what it has accepted, then exits 0. A Redis that would lose ballots is refused, one line for each fault."
}

// minAdminKey is the least length of an organizer's key: 16 characters drawn at
// random cannot be guessed over a network.
const minAdminKey = 16

func (cmd serveCmd) Run(ctx context.Context, m *Main) error {
	cfg, err := cmd.validate(ctx, m.Getenv("JOUTE_ADMIN_KEY"))
	if err != nil {
		return err
	}
	cfg.log = newLog(m.Stderr, cmd.LogFormat)
	s, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	if cfg.keyMadeUp {
		fmt.Fprintf(m.Stderr, "organizer key (JOUTE_KEY of apply, export, recount): %s\n", cfg.adminKey)
	}
	go collectLater(ctx)
	return s.run(ctx, func(url string) { fmt.Fprintf(m.Stdout, "listening on %s\n", url) })
}

// validate checks everything that can be checked without touching anything, and
// reports all faults at once, one a line.
func (cmd serveCmd) validate(ctx context.Context, adminKey string) (config, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	told := func(flag string, err error) { // each line of err is a fault
		if err == nil {
			return
		}
		for line := range strings.Lines(err.Error()) {
			fault("%s: %s", flag, strings.TrimSuffix(line, "\n"))
		}
	}
	cfg := config{
		listen: cmd.Listen, redis: cmd.Redis, data: cmd.Data, publicURL: strings.TrimSuffix(cmd.PublicURL, "/"),
		networks: netkind.Files{Dir: cmd.Networks, Databases: cmd.MMDB}, sweepEvery: cmd.SweepEvery,
		acceptUnverified: cmd.AcceptUnverifiedStore, unsafe: cmd.UnsafeStore,
	}
	if _, _, err := net.SplitHostPort(cmd.Listen); err != nil {
		fault("--listen: expected host:port, found %q", cmd.Listen)
	}
	if cmd.Redis != "" && cmd.Data == "" {
		fault("--data is required with --redis: the keys that say who has voted are kept there")
	}
	err := checkFolder(cmd.Data)
	if err == nil {
		err = checkKeys(ctx, cmd.Data)
	}
	told("--data", err)
	if cfg.adminKey, err = organizerKey(adminKey, cmd.Redis != ""); err != nil {
		faults = append(faults, err)
	}
	cfg.keyMadeUp = adminKey == ""
	for _, text := range cmd.TrustedProxies {
		prefix, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			fault("--trusted-proxies: expected a network such as 10.0.0.0/8 or an address, found %q", text)
		}
		cfg.trustedProxies = append(cfg.trustedProxies, prefix)
	}
	told("--public-url", checkPublicURL(cmd.PublicURL))
	told("--mail-from", mail.CheckFrom(cmd.MailFrom))
	if cmd.SMTP != "" {
		told("--smtp", mail.CheckURL(cmd.SMTP))
		cfg.mailer, _ = mail.Open(cmd.SMTP, cmd.MailFrom) // its faults are told already
	}
	cfg.disposable, err = readDomains(cmd.DisposableDomains)
	told("--disposable-domains", err)
	_, err = cfg.networks.Load()
	told("--networks, --mmdb", err)
	if cmd.SweepEvery < time.Second || cmd.SweepEvery > time.Hour {
		fault("--sweep-every: expected 1s to 1h, found %v", cmd.SweepEvery)
	}
	if cmd.AcceptUnverifiedStore && cmd.UnsafeStore {
		fault("--accept-unverified-store and --unsafe-store: give one of them")
	}
	return cfg, errors.Join(faults...)
}

// organizerKey checks the organizer's key. One is made up where none was given and
// none is required.
func organizerKey(given string, required bool) (string, error) {
	switch {
	case given == "" && required:
		return "", fmt.Errorf("JOUTE_ADMIN_KEY is required with --redis: the organizer's key, at least %d characters", minAdminKey)
	case given == "":
		return rand.Text(), nil
	case len(given) < minAdminKey:
		return "", fmt.Errorf("JOUTE_ADMIN_KEY: expected at least %d characters, found %d", minAdminKey, len(given))
	case strings.ContainsFunc(given, func(r rune) bool { return r < '!' || r > '~' }):
		return "", errors.New("JOUTE_ADMIN_KEY: expected printable ASCII without spaces")
	}
	return given, nil
}

// readDomains is the operator's list of disposable domains, or the built-in one.
func readDomains(file string) (*voting.Domains, error) {
	if file == "" {
		return voting.BuiltinDisposable(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the list cannot be read: %w", err)
	}
	defer f.Close()
	return voting.ParseDomains(f)
}

// parseNetwork reads a CIDR, or one address.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("expected http:// or https:// and a host, such as https://vote.example.org, found %q", text)
	}
	return nil
}

func newLog(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
