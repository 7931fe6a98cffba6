package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

const (
	typeNDJSON = "application/x-ndjson"

	// streamBuffer is what of a ledger is in memory at once.
	streamBuffer = 32 << 10
)

// getLedger streams the ledger as NDJSON: for the organizer, for everybody once
// it is published.
func (s *Server) getLedger(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	organizer := s.isOrganizer(c.Get(fiber.HeaderAuthorization))
	if !organizer && stored.PublishedAt.IsZero() {
		return errUnauthorized
	}
	after, err := voting.ParsePosition(query(c, "after"))
	if err != nil {
		return err
	}
	if after != (voting.Position{}) && (after.Box >= stored.Contest.Boxes || after.Epoch != stored.EpochAt(after.Box, after.Offset)) {
		return ballotbox.ErrEpoch
	}
	return s.stream(c, func(ctx context.Context, line func(any) error) error {
		return s.cfg.Boxes.Ledger(ctx, stored, after, func(r voting.Record) error {
			if e, ok := stored.Contest.Entry(r.Entry); !organizer && (!ok || e.Hidden) {
				withheld, err := withoutEntry(r)
				if err != nil {
					return err
				}
				return line(withheld)
			}
			return line(r)
		})
	})
}

// withoutEntry is a line of a hidden entry, which is on no public path. Its records
// stay: who recounts finds every ballot, and no position is missing. With the
// leaf, which is the hash of the whole line, the tree can be built as well.
func withoutEntry(r voting.Record) (json.RawMessage, error) {
	if r.Entry == "" { // of the whole box: nothing is withheld
		return json.Marshal(r)
	}
	whole, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	r.Entry = ""
	shown, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return append(shown[:len(shown)-1], `,"leaf":"`+ledger.Leaf(whole).String()+`"}`...), nil
}

// Ledgers is the ledger on disk.
type Ledgers interface {
	Key() string                               // verifies checkpoints
	Checkpoint(contest string) ([]byte, error) // the newest, signed; ledger.ErrNoLedger
}

// getCheckpoint answers the newest checkpoint, to everybody: who keeps it can tell
// later whether the ledger still goes on from it.
func (s *Server) getCheckpoint(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if s.cfg.Ledgers == nil {
		return errNoCheckpoint
	}
	signed, err := s.cfg.Ledgers.Checkpoint(stored.Contest.ID)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "public, max-age=1")
	return c.Send(signed)
}

// getEvidence streams the ballot log, for the organizer.
func (s *Server) getEvidence(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	return s.stream(c, func(ctx context.Context, line func(any) error) error {
		return s.cfg.Boxes.Evidence(ctx, stored, func(l ballotbox.LogLine) error { return line(l) })
	})
}

// getSweeps streams what the detectors did, for the organizer: each look at the
// record with the cut it had read, from which it can be done again.
func (s *Server) getSweeps(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	return s.stream(c, func(ctx context.Context, line func(any) error) error {
		if s.cfg.Sweeps == nil {
			return nil
		}
		sweeps, err := s.cfg.Sweeps.Sweeps(ctx, stored)
		for _, one := range sweeps {
			if err := line(one); err != nil {
				return err
			}
		}
		return err
	})
}

// writeFunc is an io.Writer.
type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

// stream answers line by line, as NDJSON, what produce gives. The answer begins
// with the first line.
func (s *Server) stream(c *fiber.Ctx, produce func(ctx context.Context, line func(any) error) error) error {
	return s.pour(c, typeNDJSON, func(ctx context.Context, out *bufio.Writer) error {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		begun := false
		return produce(ctx, func(line any) error {
			if err := encoder.Encode(line); err != nil || begun {
				return err
			}
			begun = true
			return out.Flush()
		})
	})
}

// pour answers what produce writes. An error before anything is flushed is a
// problem like any other. A later one ends the connection without the chunk
// that ends an answer: no client can take half a ledger for a whole one.
func (s *Server) pour(c *fiber.Ctx, contentType string, produce func(ctx context.Context, out *bufio.Writer) error) error {
	// It is under way until the last byte is read, which its class is to know. A
	// stranger who reads a published ledger slowly keeps no organizer from theirs.
	counted := s.shed.enter(exports)
	if !counted && !s.isOrganizer(c.Get(fiber.HeaderAuthorization)) {
		return errOverloaded
	}
	reader, writer := io.Pipe()
	started := make(chan error, 1)
	ctx, cancel := context.WithCancel(s.base)
	requestID := s.requestID(c)
	go func() {
		defer cancel()
		if counted {
			defer s.shed.leave(exports)
		}
		begin := func(err error) {
			select {
			case started <- err:
			default: // it was told
			}
		}
		out := bufio.NewWriterSize(writeFunc(func(p []byte) (int, error) {
			begin(nil)
			return writer.Write(p)
		}), streamBuffer)
		err := func() (err error) {
			defer panics.Catch(&err)
			return produce(ctx, out)
		}()
		if err == nil {
			begin(nil)
			err = out.Flush()
		}
		begin(err)
		if err != nil && err != io.ErrClosedPipe {
			s.log.Warn("stream ended early", slog.String("request", requestID), slog.Any("error", err))
		}
		writer.CloseWithError(err) // nil is the ordinary end
	}()
	if err := <-started; err != nil {
		reader.Close()
		return err
	}
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	// fasthttp closes the reader when the client is gone, and so ends produce.
	c.Context().SetBodyStream(reader, -1)
	return nil
}
