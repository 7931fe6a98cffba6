// Package panics keeps a panic to the answer it spoils. On a goroutine of its own a panic
// ends the process, and all votes under way with it, whatever net is under whoever waits.
package panics

import (
	"fmt"
	"runtime/debug"
)

// Catch, deferred, makes a panic an error that has its stack.
func Catch(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
	}
}

// Caught is f, whose panics are errors: for goroutines that others wait for.
func Caught(f func() error) func() error {
	return func() (err error) {
		defer Catch(&err)
		return f()
	}
}
