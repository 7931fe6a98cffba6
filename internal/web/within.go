package web

import (
	"context"
	"fmt"
	"time"

	"github.com/joute/joute/internal/panics"
)

// personalTime bounds what one voter asks: a store that is gone is a 503 within
// two seconds, whatever waits for it already.
const personalTime = 1900 * time.Millisecond

// within gives what ask finds, or the context's error once personalTime is
// over. A script that was sent cannot be called back, so ask may go on alone; it
// must be something that may be asked again. A panic of ask is an error.
func within[T any](base context.Context, ask func(context.Context) (T, error)) (T, error) {
	type found struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(base, personalTime)
	done := make(chan found, 1)
	defer cancel()
	go func() {
		var f found
		defer func() { done <- f }()
		defer panics.Catch(&f.err)
		f.value, f.err = ask(ctx)
	}()
	select {
	case f := <-done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("the store has not answered: %w", ctx.Err())
	}
}
