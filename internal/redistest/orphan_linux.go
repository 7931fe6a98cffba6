package redistest

import "syscall"

// ownGroup: a server is killed with its children, and a test binary that is killed
// takes its servers with it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
