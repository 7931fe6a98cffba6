package web

import "github.com/joute/joute/internal/live"

// Sockets is how many connections, and beside them readers of feeds, this process
// takes at once: of its file descriptors half and a quarter, so that strangers
// leave some for the store and the ledger.
func Sockets() (connections int64, feeds live.FeedOptions) {
	connections = maxConnections
	if most, ok := descriptors(); ok {
		connections = min(connections, most/2)
		feeds.Readers = int(min(live.MaxReaders, most/4))
	}
	return connections, feeds
}
