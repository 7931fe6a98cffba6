package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/redistest"
)

// A kill of Redis tears what it writes of a put or a mark. Whoever asked got no answer and
// asks again: then every server sees it, those that run and those that start.
func TestTorn_WhatIsAskedForAgainIsSeenByEveryServer(t *testing.T) {
	server := redistest.Start(t)
	fresh := func() *Registry { return New(open(t, server.URL()), ring, Options{}) }
	for name, test := range map[string]struct {
		new  bool // the contest is
		ask  func(t *testing.T, r *Registry, c *contest.Contest)
		sees func(s *Stored) bool
	}{
		"a new contest": {true, func(t *testing.T, r *Registry, c *contest.Contest) { put(t, r, c) },
			func(s *Stored) bool { return s.Version == 1 && s.Contest.Partner.Secret == secret }},
		"a version": {false, func(t *testing.T, r *Registry, c *contest.Contest) { put(t, r, retitled(c, "Another")) },
			func(s *Stored) bool { return s.Version == 2 && s.Contest.Title.In("fr", "") == "Another" }},
		"a mark": {false, func(t *testing.T, r *Registry, c *contest.Contest) {
			if err := r.MarkForgotten(t.Context(), c.ID, time.Now()); err != nil {
				t.Fatal(err)
			}
		}, func(s *Stored) bool { return s.Forgotten() }},
	} {
		t.Run(name, func(t *testing.T) {
			cuts := 0
			for cut := int64(1); ; cut += 61 {
				runs, id := fresh(), fmt.Sprintf("torn-%d", names.Add(1))
				c := parse(t, document(id, time.Hour, 2*time.Hour, "identity: partner\npartner: {secret: "+secret+"}"))
				if !test.new {
					put(t, runs, c)
				}
				past := server.Tear(cut, func() { test.ask(t, fresh(), c) }, func() {
					put(t, fresh(), parse(t, document(id+"-other", time.Hour, 2*time.Hour, "")))
				})
				if past {
					break
				}
				cuts++
				runs.store = open(t, server.URL()) // the connections of before are gone
				refresh(t, runs)
				test.ask(t, fresh(), c)
				starts := fresh()
				for which, r := range map[string]*Registry{"runs": runs, "starts": starts} {
					refresh(t, r)
					if s, known := r.Get(id); !known || !test.sees(s) {
						t.Errorf("cut %d bytes in: a server that %s sees %v, %+v", cut, which, known, s)
					}
				}
			}
			if cuts < 4 {
				t.Errorf("%d cuts only", cuts)
			}
		})
	}
}

func refresh(t *testing.T, r *Registry) {
	t.Helper()
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}
