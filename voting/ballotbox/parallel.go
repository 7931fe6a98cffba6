package ballotbox

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// parallel is an errgroup in which a panic is the error of what panicked: nobody above a
// goroutine catches it, and it would end the server with all votes under way.
type parallel struct{ *errgroup.Group }

func parallelIn(ctx context.Context) (parallel, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	return parallel{g}, ctx
}

// Go is that of [errgroup.Group].
func (p parallel) Go(f func() error) {
	p.Group.Go(func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		return f()
	})
}
