package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrURL is a store address that cannot be used. Its text never holds any
// part of the address: a parser that trips over a password quotes it.
var ErrURL = errors.New("the Redis address is not one joute understands: write redis://[user:password@]host:port[/db], " +
	"rediss:// for TLS, unix:///path/to/socket, or redis-cluster://[user:password@]host:port,host:port (rediss-cluster:// for TLS), " +
	"with special characters of the password percent-encoded")

// address is a store's URL, read. Of a cluster, options are those of the first of
// its nodes.
type address struct {
	options *redis.Options
	seeds   []string // nodes of a cluster; nil for a single Redis
}

func parseURL(url string) (address, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	single, isCluster := map[string]string{"redis-cluster": "redis", "rediss-cluster": "rediss"}[strings.ToLower(scheme)]
	if !isCluster {
		opts, err := redis.ParseURL(url)
		if err != nil {
			return address{}, fmt.Errorf("store: %w", ErrURL)
		}
		return address{options: opts}, nil
	}
	login := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		login, rest = rest[:i+1], rest[i+1:]
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	hosts, more := rest[:end], rest[end:]
	var a address
	for host := range strings.SplitSeq(hosts, ",") {
		opts, err := redis.ParseURL(single + "://" + login + host + more)
		if err != nil || host == "" || opts.DB != 0 { // a cluster has one database
			return address{}, fmt.Errorf("store: %w", ErrURL)
		}
		if opts.TLSConfig != nil {
			opts.TLSConfig.ServerName = "" // each node by its own name
		}
		if a.options == nil {
			a.options = opts
		}
		if !slices.Contains(a.seeds, opts.Addr) {
			a.seeds = append(a.seeds, opts.Addr)
		}
	}
	return a, nil
}

// node are the options for another node of the cluster.
func (a address) node(addr string) *redis.Options {
	opts := *a.options
	opts.Addr = addr
	return &opts
}

// target names the store for logs: what is after the credentials of its URL.
func (a address) target(embedded bool) string {
	opts := a.options
	scheme := "redis"
	if opts.TLSConfig != nil {
		scheme = "rediss"
	}
	switch {
	case embedded:
		return "embedded"
	case a.seeds != nil:
		return scheme + "-cluster://" + strings.Join(a.seeds, ",")
	case opts.Network == "unix":
		return "unix://" + opts.Addr
	default:
		return fmt.Sprintf("%s://%s/%d", scheme, opts.Addr, opts.DB)
	}
}
