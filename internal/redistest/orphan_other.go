//go:build !linux

package redistest

import "syscall"

// ownGroup: a server is killed with its children.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
