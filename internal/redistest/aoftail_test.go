package redistest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// writesTwice leaves a transaction in the file.
const writesTwice = "redis.call('SET', KEYS[1], 'v') redis.call('SET', KEYS[2], 'v') return 1"

func transact(t *testing.T, s *Server, one, other string) {
	t.Helper()
	if err := s.Client().Eval(context.Background(), writesTwice, []string{one, other}).Err(); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// there is how many of the keys the server has.
func there(t *testing.T, s *Server, keys ...string) int64 {
	t.Helper()
	n, err := s.Client().Exists(context.Background(), keys...).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCutTail_TakesTheUnfinishedWriteAndNothingElse(t *testing.T) {
	t.Parallel()
	s := Start(t, "aof-load-truncated no")
	transact(t, s, "acked", "acked too")
	begin := len(contents(t, s.AOF()))
	transact(t, s, "torn", "torn too")
	whole := contents(t, s.AOF())
	for end := begin + 1; end < len(whole); end += 11 {
		s.Kill()
		if err := os.WriteFile(s.AOF(), whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := s.CutTail(); err != nil || said == "" {
			t.Fatalf("%d bytes of a write: %q, %v", end-begin, said, err)
		}
		s.Restart()
		if acked, torn := there(t, s, "acked", "acked too"), there(t, s, "torn", "torn too"); acked != 2 || torn != 0 {
			t.Fatalf("%d bytes of a write: %d of 2 acknowledged keys, %d of an unfinished write", end-begin, acked, torn)
		}
	}
	if err := s.Client().Set(context.Background(), "alone", "v", 0).Err(); err != nil { // one command, no transaction
		t.Fatal(err)
	}
	s.Kill()
	if said, err := s.CutTail(); err != nil || said != "" {
		t.Fatalf("a whole file: %q, %v", said, err)
	}
	s.Restart()
	if n := there(t, s, "acked", "acked too", "alone"); n != 3 {
		t.Fatalf("%d of 3 acknowledged keys", n)
	}
}

// Where a Redis went on behind an unfinished write, or bytes are damaged with whole
// writes behind them, redis-check-aof --fix takes these as well: that is not done.
func TestCutTail_LeavesWhatMayHaveBeenAcknowledged(t *testing.T) {
	t.Parallel()
	s := Start(t, "aof-load-truncated no")
	transact(t, s, "a", "b")
	begin := len(contents(t, s.AOF()))
	transact(t, s, "c", "d")
	whole := contents(t, s.AOF())
	s.Kill()
	path, write := s.AOF(), whole[begin:]
	set := bytes.Index(write, []byte("*3")) // behind MULTI
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-len(write)+1] = 'x'
	for name, file := range map[string][]byte{
		"went on behind a transaction": append(append(bytes.Clone(whole[:begin]), write[:set]...), write...),
		"damaged before a transaction": append(damaged, write...),
	} {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := s.CutTail(); err == nil {
			t.Errorf("%s: %q", name, said)
		}
		if !bytes.Equal(contents(t, path), file) {
			t.Errorf("%s: the file is another", name)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := s.CutTail(); err != nil || said != "" {
		t.Errorf("the whole file: %q, %v", said, err)
	}
}

func TestCutTail_OfAServerThatNeverRan(t *testing.T) {
	s := New(t)
	if said, err := s.CutTail(); err != nil || said != "" {
		t.Errorf("%q, %v", said, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "appendonlydir")); err == nil {
		t.Error("it made a folder")
	}
}
