package ndjson_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/joute/joute/internal/ndjson"
)

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func lines(t *testing.T, text string) ([]string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := ndjson.Read(file, func(line int, raw []byte) error {
		got = append(got, fmt.Sprintf("%d %s", line, raw))
		return nil
	})
	return got, err
}

func TestRead_EveryLineNumbered(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", nil},
		{"one byte", "a", []string{"1 a"}},
		{"no end", "a\nb", []string{"1 a", "2 b"}},
		{"blank lines counted", "\na\n  \r\n\nb\n", []string{"2 a", "5 b"}},
		{"Windows", "a\r\nb\r\n", []string{"1 a", "2 b"}},
		{"spaces kept", " a \n", []string{"1  a "}},
		{"gzip", packed("a\nb\n"), []string{"1 a", "2 b"}},
		{"gzip after gzip", packed("a\nb") + packed("c\n"), []string{"1 a", "2 bc"}},
	} {
		got, err := lines(t, tc.text)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
}

func TestRead_LongestLine(t *testing.T) {
	longest := strings.Repeat("x", ndjson.MaxLine)
	for _, end := range []string{"", "\n", "\r\n"} {
		if got, err := lines(t, "a\n"+longest+end); err != nil || len(got) != 2 || len(got[1]) != ndjson.MaxLine+2 {
			t.Errorf("%q: %d lines, %v", end, len(got), err)
		}
		got, err := lines(t, "a\n"+longest+"x"+end)
		if err == nil || len(got) != 1 || !strings.Contains(err.Error(), "log:2: expected a line of at most") {
			t.Errorf("%q: %d lines, %v", end, len(got), err)
		}
	}
}

func TestRead_SaysWhere(t *testing.T) {
	said := errors.New("expected better")
	err := ndjson.ReadFrom(strings.NewReader("a\n\nb\n"), "log", func(line int, raw []byte) error {
		if string(raw) == "b" {
			return said
		}
		return nil
	})
	if !errors.Is(err, said) || err.Error() != "log:3: expected better" {
		t.Errorf("%v", err)
	}
	if err := ndjson.Read("absent", nil); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "absent: there is no such file") {
		t.Errorf("%v", err)
	}
}

// TestRead_PartOfALineIsNone holds a file that ends in the middle of a line, for
// a reason other than its end, to not giving that part as a line.
func TestRead_PartOfALineIsNone(t *testing.T) {
	torn := packed("a\nb" + strings.Repeat("c", 1000) + "\n")
	got, err := lines(t, torn[:len(torn)-14])
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) > 1 || !strings.Contains(err.Error(), "log:") {
		t.Errorf("torn gzip: %q, %v", got, err)
	}
	if got, err := lines(t, "\x1f\x8bnot gzip"); err == nil || len(got) != 0 || !strings.Contains(err.Error(), "begins like gzip") {
		t.Errorf("not gzip: %q, %v", got, err)
	}
	broken := errors.New("cable")
	in := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken))
	err = ndjson.ReadFrom(in, "log", func(_ int, raw []byte) error {
		if string(raw) != "a" {
			return fmt.Errorf("was given %q", raw)
		}
		return nil
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "log:2: ") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "a\n\nb", "\r\n\r\r\n", packed("a\nb\n"), "\x1f\x8b", packed("a")[:12]} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		last := 0
		err := ndjson.ReadFrom(bytes.NewReader(file), "log", func(line int, raw []byte) error {
			if line <= last || len(raw) > ndjson.MaxLine || bytes.ContainsRune(raw, '\n') || len(bytes.TrimSpace(raw)) == 0 {
				t.Fatalf("line %d after %d: %q", line, last, raw)
			}
			last = line
			return nil
		})
		if err != nil && !strings.HasPrefix(err.Error(), "log:") {
			t.Fatalf("it is not said where: %v", err)
		}
	})
}
