// Package storetest gives tests a store of each kind there is, by the servers of
// package redistest. A package that uses it calls redistest.Main.
package storetest

import (
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

// OnBoth runs a test on the embedded store and on the package's shared Redis.
func OnBoth(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, Open(t, "")) })
	t.Run("redis", func(t *testing.T) { test(t, Open(t, redistest.Shared(t).URL())) })
}

// OnEvery is OnBoth, and then on the package's shared Redis Cluster.
func OnEvery(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Helper()
	OnBoth(t, test)
	t.Run("cluster", func(t *testing.T) { test(t, Open(t, redistest.SharedCluster(t).URL())) })
}

// Open opens a store until the test ends; without a URL the embedded one.
func Open(t testing.TB, url string) *store.Store {
	t.Helper()
	return OpenPatient(t, url, 0)
}

// OpenPatient is Open with another timeout than the product's.
func OpenPatient(t testing.TB, url string, timeout time.Duration) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url, Timeout: timeout})
	Must(t, err)
	t.Cleanup(func() { st.Close() })
	return st
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
