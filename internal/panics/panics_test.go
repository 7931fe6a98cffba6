package panics

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

func TestCaught_APanicIsAnErrorOfTheGroup(t *testing.T) {
	var group errgroup.Group
	group.Go(Caught(func() error { panic("here") }))
	if err := group.Wait(); err == nil || !strings.HasPrefix(err.Error(), "panic: here\n") || !strings.Contains(err.Error(), "panics_test.go") {
		t.Errorf("%v, want the panic and where it was", err)
	}
}

func TestCaught_LeavesAnythingElseAlone(t *testing.T) {
	mine := errors.New("mine")
	if err := Caught(func() error { return mine })(); err != mine {
		t.Error(err)
	}
	if err := Caught(func() error { return nil })(); err != nil {
		t.Error(err)
	}
}
