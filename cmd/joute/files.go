package main

import (
	"bufio"
	"bytes"

	"github.com/joute/joute/internal/ndjson"
)

// readLog is ndjson.Read, also of standard input for -.
func (m *Main) readLog(file string, each func(line int, raw []byte) error) error {
	if file == "-" {
		return ndjson.ReadFrom(m.Stdin, told(file), each)
	}
	return ndjson.Read(file, each)
}

// told is what messages call a file that is read.
func told(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// writeWhole is ndjson.WriteWhole, also to standard output for -: nothing is written
// there before all of it is known.
func (m *Main) writeWhole(file string, fill func(*bufio.Writer) error) error {
	if file != "-" {
		return ndjson.WriteWhole(file, fill)
	}
	var whole bytes.Buffer
	w := bufio.NewWriter(&whole)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := whole.WriteTo(m.Stdout)
	return err
}
