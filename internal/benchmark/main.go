// Command benchmark measures what a ballot costs, beside what the same machine does
// without one: `make bench` and `make bench-memory`. It starts every server it
// measures itself, on loopback, and ends them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	rounds := flags.Int("rounds", 7, "rounds, each of which measures every row once; the table has their medians")
	requests := flags.Int("requests", 20_000, "requests a row and round")
	only := flags.String("rows", "12345", "numbers of the rows to measure")
	joute := flags.String("joute", "", "the joute to measure; empty builds this one")
	voters := flags.Int("memory", 0, "measure what so many voters take in Redis instead")
	serve := flags.String("serve", "", "be a server that is measured: empty or plain")
	redis := flags.String("redis", "", "for -serve plain: address of its Redis")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *serve != "" {
		return serveBeside(ctx, *serve, *redis, out)
	}
	dir, err := os.MkdirTemp("", "joute-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *rounds < 1 || *requests < connections {
		return errors.New("at least one round, and a request for each connection, are needed")
	}
	if *joute == "" {
		if *joute, err = build(ctx, dir); err != nil {
			return err
		}
	}
	if *voters > 0 {
		return memory(ctx, dir, *joute, *voters, out)
	}
	all, end, err := start(ctx, dir, *joute)
	defer end()
	if err != nil {
		return err
	}
	var rows []*row
	for i, row := range all {
		if strings.Contains(*only, strconv.Itoa(i+1)) {
			rows = append(rows, row)
		}
	}
	for round := range *rounds {
		for _, row := range rows {
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-60s", round+1, *rounds, row.name)
			sample, err := row.measure(ctx, *requests)
			if err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
			row.samples = append(row.samples, sample)
		}
	}
	fmt.Fprintf(os.Stderr, "\r%80s\r", "")
	if err := table(out, rows, *rounds, *requests); err != nil || len(rows) < len(all) {
		return err
	}
	return goals(out, rows)
}

func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "joute")
	if err := command(ctx, "go", "build", "-trimpath", "-o", binary, "github.com/joute/joute/cmd/joute").Run(); err != nil {
		return "", fmt.Errorf("build joute: %w", err)
	}
	return binary, nil
}
