// Package ndjson reads logs of one JSON object a line and writes files that are
// either whole or not there.
package ndjson

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxLine is how many bytes a line may have, its end not counted: far above any
// record of ours, and it bounds what a file without line ends takes of memory.
const MaxLine = 1 << 20

var errLong = fmt.Errorf("expected a line of at most %d bytes", MaxLine)

// Read calls each with every line of the file that is not blank, numbered from 1
// with the blank ones counted, and without its end. The file may be gzip, which
// is seen by its first bytes. raw is good until each returns.
//
// It stops at the first error, which then begins with path and line, also when it
// is one of each: "log.ndjson:3: what each said". Lines before it were given.
func Read(path string, each func(line int, raw []byte) error) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return absent(path)
	}
	if err != nil {
		return err // names the file
	}
	defer f.Close()
	return ReadFrom(f, path, each)
}

// absent is a path at which there is no file, said once: an [os.ErrNotExist].
type absent string

func (a absent) Error() string { return string(a) + ": there is no such file" }
func (absent) Unwrap() error   { return os.ErrNotExist }

// ReadFrom is [Read] of what is open already; name is for errors.
func ReadFrom(in io.Reader, name string, each func(line int, raw []byte) error) error {
	lines := bufio.NewReaderSize(in, MaxLine+len("\r\n"))
	if magic, err := lines.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(lines)
		if err != nil {
			return fmt.Errorf("%s: it begins like gzip: %w", name, err)
		}
		lines = bufio.NewReaderSize(unpacked, MaxLine+len("\r\n"))
	}
	for n := 1; ; n++ {
		raw, end := lines.ReadSlice('\n')
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
		switch {
		case errors.Is(end, bufio.ErrBufferFull) || len(raw) > MaxLine:
			return fmt.Errorf("%s:%d: %w", name, n, errLong)
		case end != nil && end != io.EOF: // raw is a part of a line
			return fmt.Errorf("%s:%d: read: %w", name, n, end)
		}
		if len(bytes.TrimSpace(raw)) > 0 {
			if err := each(n, raw); err != nil {
				return fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
		if end == io.EOF {
			return nil
		}
	}
}
