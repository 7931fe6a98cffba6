package store

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// countMany counts every key of its own once more and answers each call with its
// name and count; a name `bad` fails before anything is written.
const countMany = `
for _, name in ipairs(ARGV) do if name == 'bad' then error('a bad name') end end
local answers = { KEYS[1] }
for i = 2, #KEYS do answers[i] = { ARGV[i], redis.call('HINCRBY', KEYS[1], ARGV[1] .. KEYS[i], 1) } end
return answers`

// together makes calls that wait for their server together, all but the first, which
// holds it up.
func together(t *testing.T, s *Store, let func(), sc *Script, meanwhile func(), names ...string) (replies []string) {
	t.Helper()
	replies = make([]string, len(names))
	var shared Part
	shared.Keys.Text("{c}many")
	shared.Args.Text("prefix/")
	var calling sync.WaitGroup
	for i, name := range names {
		calling.Go(func() {
			var own Part
			own.Keys.Text("{c}" + name)
			own.Args.Text(name)
			v := sc.RunTogether(context.Background(), &shared, own).Values()
			n := v.List()
			text := v.Text()
			v.List()
			replies[i] = fmt.Sprint(n, " ", text, " ", v.Text(), " ", v.Int())
			if err := v.Err(); err != nil {
				replies[i] = err.Error()
			}
		})
	}
	wait(t, "all to wait", func() bool {
		s.scripts.mu.Lock()
		defer s.scripts.mu.Unlock()
		return len(s.scripts.waiting) == len(names)
	})
	if meanwhile != nil {
		meanwhile()
	}
	let()
	calling.Wait()
	return replies
}

func TestRunTogether_EachHasItsOwnAnswer(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	if err := s.Client().ScriptLoad(t.Context(), "#!lua\n"+countMany).Err(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range maxTogether + 7 {
		names = append(names, fmt.Sprint("name ", i))
	}
	before := s.scripts.trips.Load()
	for i, got := range together(t, s, let, s.Script("many", countMany, false), nil, names...) {
		if want := "2 {c}many " + names[i] + " 1"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if trips := s.scripts.trips.Load() - before; trips > 2 { // the first call's, and all
		t.Errorf("%d round trips", trips)
	}
	stats := s.Client().Info(t.Context(), "commandstats").Val()
	n := 0
	_, stats, _ = strings.Cut(stats, "cmdstat_evalsha:calls=")
	if _, err := fmt.Sscan(strings.Split(stats, ",")[0], &n); err != nil || n > 5 { // what came before, and two parties
		t.Errorf("scripts ran %d times (%v)", n, err)
	}
}

func TestRunTogether_WhatFailsFailsAlone(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	got := together(t, s, let, s.Script("many", countMany, false), nil, "a", "bad", "b")
	if got[0] != "2 {c}many a 1" || !strings.Contains(got[1], "a bad name") || got[2] != "2 {c}many b 1" {
		t.Fatalf("%q", got)
	}
}

func TestReplies_WhatIsNotForThemIsNoReply(t *testing.T) {
	for raw, want := range map[string]string{
		"*3\r\n+all\r\n:1\r\n:2\r\n":       "*2\r\n+all\r\n:1\r\n | *2\r\n+all\r\n:2\r\n",
		"*1\r\n*1\r\n+torn\r\n":            "*1\r\n*1\r\n+torn\r\n | *1\r\n*1\r\n+torn\r\n",
		"-ERR no\r\n":                      "-ERR no\r\n | -ERR no\r\n",
		"*2\r\n+all\r\n:1\r\n":             errProtocol.Error(),
		"*4\r\n+all\r\n:1\r\n:2\r\n:3\r\n": errProtocol.Error(),
		"*-1\r\n":                          errProtocol.Error(),
		"*3\r\n+all\r\n:1\r\n":             "EOF",
	} {
		one, other := &call{shared: &Part{}}, &call{shared: &Part{}}
		c := &conn{in: bufio.NewReader(bytes.NewReader([]byte(raw)))}
		got := ""
		if err := c.replies([]*call{one, other}); err != nil {
			got = err.Error()
		} else {
			got = string(one.reply) + " | " + string(other.reply)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}
