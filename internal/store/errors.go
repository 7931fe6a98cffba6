package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrUnavailable is any failure to get an answer from a store that is able
	// to give one: gone, silent, loading, full, or unable to write. What was
	// asked may or may not have been done; asking again later may succeed.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrOverloaded is an ErrUnavailable for a call that was never sent, too many
	// being under way already.
	ErrOverloaded = fmt.Errorf("%w: too many calls are waiting for it", ErrUnavailable)
)

// unable are the replies by which a healthy connection says that the server
// cannot serve now. The rest of its error replies are about the call itself.
var unable = []string{
	"LOADING",      // reading its data after a start
	"MISCONF",      // the disk refuses writes
	"OOM",          // at maxmemory
	"READONLY",     // demoted to a replica
	"MASTERDOWN",   // a replica that lost its master
	"NOREPLICAS",   // fewer replicas than min-replicas-to-write
	"TRYAGAIN",     // a slot is moving
	"CLUSTERDOWN",  // a slot has no master
	"MOVED", "ASK", // a slot is elsewhere than its nodes say
	"BUSY", // another script holds the server
	"NOAUTH", "WRONGPASS",
	"max number of clients reached", // HasErrorPrefix drops "ERR "
}

// Classify wraps err in ErrUnavailable or ErrOverloaded when it is one, and
// leaves any other error as it is. It is meant for errors of the Redis client.
func Classify(err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, ErrUnavailable), errors.Is(err, context.Canceled):
		return err
	case unreachable(err), refuses(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

func refuses(err error) bool {
	for _, prefix := range unable {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

func unreachable(err error) bool {
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded, context.DeadlineExceeded,
		redis.ErrClosed, redis.ErrPoolTimeout, redis.ErrPoolExhausted,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &network) || errors.As(err, &certificate)
}

// lost says that a connection ended under a call that had the store's
// attention: the moment of a restart or a failover.
func lost(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &op) && op.Op != "dial" && !op.Timeout()
}
