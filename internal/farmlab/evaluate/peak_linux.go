package main

import (
	"os"
	"syscall"
)

// peak is the most memory that a process had, in bytes; Linux tells kibibytes
// (getrusage(2)).
func peak(p *os.ProcessState) int64 {
	if used, ok := p.SysUsage().(*syscall.Rusage); ok {
		return used.Maxrss << 10
	}
	return 0
}
