package store

import (
	"errors"
	"testing"
	"time"
)

// Who looks whether a call's time is over may have found it before it came back, and
// look at it again when it is under way for another caller.
func TestCall_TimeOfAnEarlierUseIsNotThisOnes(t *testing.T) {
	c := &call{done: make(chan struct{}, 1)}
	told := func() bool {
		select {
		case <-c.done:
			return true
		default:
			return false
		}
	}
	now := ticks(time.Now())
	use := func(in time.Duration) {
		c.deadline = noTicks.Add(time.Duration(now) + in)
		c.queue()
	}

	use(time.Second)
	if ends := c.expire(now); ends != now+int64(time.Second) || told() || c.is() != queued {
		t.Fatalf("in time: look again at %d, it is %d", ends, c.is())
	}
	c.turn(queued, sent)
	failure := errors.New("no")
	c.finish(failure)
	if !told() || c.is() != back || c.err != failure {
		t.Fatalf("back: it is %d, %v", c.is(), c.err)
	}
	if ends := c.expire(now + int64(time.Hour)); ends != 0 || told() || c.is() != back {
		t.Fatalf("back, and its time is over: look again at %d, it is %d", ends, c.is())
	}

	before := c.state.Load()
	use(time.Minute)
	if c.state.CompareAndSwap(before-back+sent, late) || c.expire(now+int64(time.Second)) == 0 || told() {
		t.Fatal("the next use ends with the one before")
	}
	if c.expire(now+int64(time.Hour)) != 0 || !told() || c.is() != left {
		t.Fatalf("over while it waits: it is %d", c.is())
	}
	use(time.Minute)
	c.turn(queued, sent)
	if c.expire(now+int64(time.Hour)) != 0 || !told() || c.is() != late {
		t.Fatalf("over once it was sent: it is %d", c.is())
	}
	if c.finish(nil); told() {
		t.Fatal("told twice")
	}
}
