package archive

import (
	"errors"
	"testing"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

// A record that a cluster's master alone has may be lost with it, and another take its
// place: it must not be on disk. Control: a store that waits for no replica moves it.
func TestArchive_WhatNoReplicaHasStaysInTheStore(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	for name, unconfirmed := range map[string]bool{"confirmed": false, "control": true} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(t.Context(), store.Options{URL: c.URL(), Unconfirmed: unconfirmed})
			must(t, err)
			defer st.Close()
			h := newHall(t, st)
			w := h.worker(h.archive(Options{}))
			h.vote(10)
			h.visit(w)
			before, err := checkpointOf(w.a.ledgers, w.id)
			must(t, err)
			replica := c.ReplicaOf(c.MasterOf(h.key(0, "meta")))
			replica.Freeze()
			defer replica.Thaw()
			o, err := h.boxes.Cast(t.Context(), h.s, ballotFor("somebody", "n-1"))
			if err != nil || o.Pending == unconfirmed {
				t.Fatalf("%+v, %v", o, err)
			}
			_, err = w.visit(t.Context(), h.s)
			after, err2 := checkpointOf(w.a.ledgers, w.id)
			must(t, err2)
			if moved := after.Size(0) > before.Size(0); moved != unconfirmed || errors.Is(err, store.ErrUnavailable) == unconfirmed {
				t.Errorf("moved: %v, %v", moved, err)
			}
			replica.Thaw()
			c.WaitHealthy()
			for range 20 { // the replica may have much to read
				if _, err = w.visit(t.Context(), h.s); err == nil {
					break
				}
			}
			h.visit(w)
			h.check()
		})
	}
}
