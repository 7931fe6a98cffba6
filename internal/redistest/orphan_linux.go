package redistest

import "syscall"

// dieWithParent: a test binary that is killed takes its servers with it.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
