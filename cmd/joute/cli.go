package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alecthomas/kong"

	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/internal/client"
)

// Main is the program with everything it touches of its process.
type Main struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// version is set by release builds: -ldflags "-X main.version=1.2.3".
var version string

type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve    serveCmd    `cmd:"" help:"Run the service: the API and the pages of all contests of one store."`
	Demo     demoCmd     `cmd:"" help:"Show everything at once: a contest open now, and a simulated crowd that votes. Needs nothing."`
	Apply    applyCmd    `cmd:"" help:"Create or update contests from YAML or JSON documents."`
	Rehearse rehearseCmd `cmd:"" help:"Play a contest document in memory, with a crowd and farms, and tell what would not be counted. Needs no server."`
	Export   exportCmd   `cmd:"" help:"Write the ledger of a contest to standard output, one JSON record a line."`
	Captain  captainCmd  `cmd:"" help:"Print the link of a school's captain: its page with what brings votes."`
	Recount  recountCmd  `cmd:"" help:"Count a contest again from its ledger and compare with what the server shows."`
	Restore  restoreCmd  `cmd:"" help:"Rebuild an empty Redis from the data folder."`
	Verify   verifyCmd   `cmd:"" help:"Prove the ledgers in a folder, and print the tally they prove. Needs no server."`
	Hall     hallCmd     `cmd:"" help:"Print the address of a wall for the hall: it shows the code that marks voters as present."`
	Forget   forgetCmd   `cmd:"" help:"Delete the personal data of a contest that is over, for good."`
	Score    scoreCmd    `cmd:"" help:"Say of each account in a file how much it looks like one made to be sold. Needs no server."`
	Farmlab  farmlabCmd  `cmd:"" help:"Make up contests with farms in them, score detectors by the truth, and play farms that learn."`
	Detect   detectCmd   `cmd:"" help:"Tell farms from crowds in a ballot log, without a server: one verdict a line."`
	Replay   replayCmd   `cmd:"" help:"Do again what the detectors did with a contest and compare; or tell what another policy would have decided."`
	Bench    benchCmd    `cmd:"" help:"Cast many ballots at a server and measure: made-up ones, or a log to replay."`
}

// connection are the flags of every command that speaks to a running server.
type connection struct {
	Server string `default:"http://127.0.0.1:8080" help:"Address of the server."`
	Key    string `placeholder:"KEY" help:"The organizer's key. Every user of the machine can read a command line: prefer the environment variable."`
}

func (c connection) client() (*client.Client, error) { return client.New(c.Server, c.Key) }

// errTold is an error whose every line has been printed already.
var errTold = errors.New("already told")

// Run is one run of the program: it returns the exit status, 0 or 1. Flags come
// before the environment (JOUTE_ and the flag's name), the environment before
// defaults. It returns soon after ctx ends. Exit status 0 says also that standard
// output took all that was written there.
func (m *Main) Run(ctx context.Context, args []string) int {
	printed := &lossless{to: m.Stdout}
	err := (&Main{Stdin: m.Stdin, Stdout: printed, Stderr: m.Stderr, Getenv: m.Getenv}).run(ctx, args)
	if err == nil {
		err = printed.failed()
	}
	if err == nil {
		return 0
	}
	if !errors.Is(err, errTold) {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(m.Stderr, "joute: %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return 1
}

// lossless remembers the first failure of what is written to.
type lossless struct {
	to  io.Writer
	mu  sync.Mutex
	err error // under mu
}

func (l *lossless) Write(p []byte) (int, error) {
	n, err := l.to.Write(p)
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.err = cmp.Or(l.err, err)
	}
	return n, err
}

func (l *lossless) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (m *Main) run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "help" { // joute help apply = joute apply --help
		args = append(slices.Clone(args[1:]), "--help")
	}
	exited := false
	parser, err := kong.New(&commands{},
		kong.Name("joute"),
		kong.Description("Viral contests between schools, with votes that count exactly once.\n\n"+
			"Start with: joute demo. Every flag is also an environment variable, JOUTE_ and its name."),
		kong.Vars{"version": versionText(), "base_rate": strconv.FormatFloat(account.BaseRate, 'g', -1, 64)},
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(formatHelp),
		kong.Resolvers(environment(m.Getenv)),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(m),
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err) // of the program, not of the user
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited: // after --help or --version
		return nil
	case err != nil:
		return fmt.Errorf("%w (joute --help tells more)", err)
	}
	return parsed.Run()
}

// variable is the environment variable of a flag; empty when it has none.
func variable(flag *kong.Flag) string {
	if flag.Name == "help" || flag.Name == "version" {
		return ""
	}
	return "JOUTE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
}

// environment resolves flags from getenv instead of kong's own look into the
// process, so that tests may run side by side. An empty variable is an unset one.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := variable(flag)
		if name == "" {
			return nil, nil
		}
		if text := getenv(name); text != "" {
			return text, nil
		}
		return nil, nil
	})
}

func formatHelp(value *kong.Value) string {
	if value.Flag == nil || variable(value.Flag) == "" {
		return value.Help
	}
	return fmt.Sprintf("%s ($%s)", value.Help, variable(value.Flag))
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
