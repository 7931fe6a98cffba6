package main

import (
	"os"
	"runtime/debug"
)

// collectLater lets the heap grow to four times what is in use before the garbage
// collector goes through it, where Go's own default is twice: what is in use is
// mostly what screening has counted, tens of megabytes that stay, and going through
// it again and again for the short-lived rest costs more processor than memory is
// worth. An operator's GOGC wins; GOMEMLIMIT bounds the heap all the same.
func collectLater() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}
