package detect

import (
	"errors"
	"strings"
	"testing"

	"github.com/joute/joute/internal/panics"
)

// Whoever looks catches what panics, and that is on their own goroutine alone.
func TestInParallel_APanicIsTheCallers(t *testing.T) {
	look := func() error {
		chunks(3*chunk, func(part, _, _ int) {
			if part == 1 {
				panic("poison")
			}
		})
		return nil
	}
	err := panics.Caught(look)()
	if !errors.Is(err, panics.Err) || !strings.Contains(err.Error(), "poison") || !strings.Contains(err.Error(), "fit_test.go") {
		t.Errorf("%v, want the panic and where it was", err)
	}
}
