package web

import "sync"

// aheads are what requests are read into as they begin, and refusals written: a ballot with
// its pass is less than one. Each is taken for an instant only.
var aheads = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// ahead reads the beginning of a request with nothing to read it into while there is
// none. fasthttp, told to reduce memory, waits with room for one byte, and has its buffers
// once that has come: quiet connections then hold none, and one that speaks gets those
// that were used just now. But a byte costs a call of the system as all that has come
// does. So all is read when the byte is asked for, and given out from here.
type ahead struct {
	socket
	buffer *[4 << 10]byte // nil but between wait and the last of give
	rest   []byte
	err    error
}

// give is what was read and not given yet.
func (a *ahead) give(p []byte) (n int) {
	if a.buffer == nil {
		return 0
	}
	n = copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		a.drop()
	}
	return n
}

// drop forgets what was read.
func (a *ahead) drop() {
	aheads.Put(a.buffer)
	a.buffer, a.rest = nil, nil
}
