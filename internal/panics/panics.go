// Package panics keeps a panic to the answer it spoils. On a goroutine of its own a panic
// ends the process, and all votes under way with it, whatever net is under whoever waits.
package panics

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Err is what a caught panic is.
var Err = errors.New("panic")

// Catch, deferred, makes a panic an [Err] that has its stack.
func Catch(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v\n%s", Err, r, debug.Stack())
	}
}

// Caught is f, whose panics are errors: for goroutines that others wait for.
func Caught(f func() error) func() error {
	return func() (err error) {
		defer Catch(&err)
		return f()
	}
}
