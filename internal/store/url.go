package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrURL is a store address that cannot be used. Its text never holds any
	// part of the address: a parser that trips over a password quotes it.
	ErrURL = errors.New("the Redis address is not one joute understands: write redis://[user:password@]host:port[/db], " +
		"rediss:// for TLS or unix:///path/to/socket, with special characters of the password percent-encoded")
	// ErrCluster is an address of a Redis Cluster.
	ErrCluster = errors.New("a Redis Cluster (redis-cluster://) is not supported yet: give one Redis as redis://host:port")
)

func parseURL(url string) (*redis.Options, error) {
	if strings.HasPrefix(strings.ToLower(url), "redis-cluster:") {
		return nil, fmt.Errorf("store: %w", ErrCluster)
	}
	opts, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("store: %w", ErrURL)
	}
	return opts, nil
}

// target names the store for logs: what is after the credentials of its URL.
func target(opts *redis.Options, embedded bool) string {
	switch {
	case embedded:
		return "embedded"
	case opts.Network == "unix":
		return "unix://" + opts.Addr
	case opts.TLSConfig != nil:
		return fmt.Sprintf("rediss://%s/%d", opts.Addr, opts.DB)
	default:
		return fmt.Sprintf("redis://%s/%d", opts.Addr, opts.DB)
	}
}
