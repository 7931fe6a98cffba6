package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/client"
)

type applyCmd struct {
	connection `embed:""`
	Files      []string `arg:"" name:"file" help:"Contest documents, YAML or JSON; - is standard input."`
}

func (applyCmd) Help() string {
	return "All documents are checked before the first is sent: when one of them has a fault, every fault of every file is printed as\n" +
		"file:line path: message, and nothing is sent. A document that the server already has changes nothing.\n" +
		"A document without partner.secret keeps the secret that the server has."
}

// document is one file's contest.
type document struct {
	file    string
	text    []byte
	contest *contest.Contest
}

// Run sends the documents in their order and stops at the first one that the
// server refuses: those before it are applied, each one's line says so.
func (cmd applyCmd) Run(ctx context.Context, m *Main) error {
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	documents, err := m.readDocuments(cmd.Files)
	if err != nil {
		return err
	}
	for _, d := range documents {
		applied, err := server.Apply(ctx, d.contest)
		var problem *client.Problem
		if errors.As(err, &problem) && len(problem.Errors) > 0 {
			lines := newLines(d.text)
			for _, fault := range problem.Errors {
				m.tellFault(d.file, contest.Fault{Path: fault.Path, Line: lines.of(fault.Path), Message: fault.Message})
			}
			if problem.Status != 422 { // the faults alone do not say it: they may be changes made too late
				rest := *problem
				rest.Errors = nil // told, with their lines
				return fmt.Errorf("%s: %w", d.file, &rest)
			}
			return errTold
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		what := "unchanged"
		if applied.Created {
			what = "created"
		} else if applied.Changed {
			what = "updated"
		}
		fmt.Fprintf(m.Stdout, "%s: %s, version %d\n", d.contest.ID, what, applied.Version)
	}
	return nil
}

// readDocuments reads and checks all files; it has told every fault when the
// error is errTold.
func (m *Main) readDocuments(files []string) ([]document, error) {
	var documents []document
	faulty := false
	for _, file := range files {
		text, err := m.readFile(file)
		if err != nil {
			fmt.Fprintf(m.Stderr, "joute: %v\n", err)
			faulty = true
			continue
		}
		parsed, err := contest.Parse(text)
		var faults contest.Faults
		if errors.As(err, &faults) {
			for _, fault := range faults {
				m.tellFault(file, fault)
			}
			faulty = true
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		documents = append(documents, document{file, text, parsed})
	}
	if faulty {
		return nil, errTold
	}
	return documents, nil
}

func (m *Main) readFile(file string) ([]byte, error) {
	if file == "-" {
		text, err := io.ReadAll(m.Stdin)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file", file)
	}
	return text, err // names the file itself
}

// tellFault prints file:line path: message. The parts that are not known are
// left out.
func (m *Main) tellFault(file string, f contest.Fault) {
	place := file
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, f.Line)
	}
	if f.Path != "" {
		fmt.Fprintf(m.Stderr, "%s %s: %s\n", place, f.Path, f.Message)
		return
	}
	fmt.Fprintf(m.Stderr, "%s: %s\n", place, f.Message)
}
