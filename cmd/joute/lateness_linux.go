package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lateness is how late a thread that waits for an instant may be woken; a kernel's own
// is 50 us. Nothing here is due to the millisecond.
const lateness = time.Millisecond

// wakeLate lets the kernel wake this process a millisecond late. The runtime has a thread
// that looks every 20 us after calls of the system that take longer, as those to sockets
// of a busy machine do: some 5 % of what a ballot costs, and no ballot is sooner for it.
//
// A thread has the setting from the one that started it, a program from the one before, and
// that thread is there before main is. So this program begins again, once, with it set, in
// the same process. Where it cannot, it goes on as it is.
func wakeLate() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if wokenLate() {
		return
	}
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(lateness.Nanoseconds()), 0, 0, 0)
	if wokenLate() { // asked again: a program that begins again for nothing would do so for ever
		_ = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
}

// wokenLate tells whether this thread may be woken late.
func wokenLate() bool {
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	return err == nil && int64(slack) >= lateness.Nanoseconds()
}
