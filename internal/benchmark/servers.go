package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to answer first.
const patience = 30 * time.Second

// server is a process that is measured.
type server struct {
	addr string // host:port
	*exec.Cmd
}

// startRedis starts a Redis that writes every change to its file, and syncs as told.
// It does not rewrite the file meanwhile: that is another process, of the size of
// the data and not of the ballots.
func startRedis(ctx context.Context, dir, appendfsync string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	home, err := os.MkdirTemp(dir, "redis")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	c := command(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", home, "--save", "", "--appendonly", "yes",
		"--appendfsync", appendfsync, "--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction")
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err = client.Ping(ctx).Err(); err == nil {
			return &server{addr, c}, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("redis-server: %w", err), stop(c))
		}
	}
}

// startServer starts what says `listening on http://ADDR` once it is ready.
func startServer(c *exec.Cmd) (*server, error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
			return &server{addr, c}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s did not start", c.Path), stop(c))
}

// startJoute starts joute on a Redis.
func startJoute(ctx context.Context, binary, dir string, redis *server, flags ...string) (*server, error) {
	data, err := os.MkdirTemp(dir, "data")
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"serve", "--listen", "127.0.0.1:0", "--redis", "redis://" + redis.addr, "--data", filepath.Join(data, "joute"), "--trusted-proxies", "127.0.0.1/32",
	}, flags...)
	c := command(ctx, binary, args...)
	c.Env = append(os.Environ(), "JOUTE_ADMIN_KEY="+organizerKey)
	quiet := &bytes.Buffer{}
	c.Stderr = quiet
	s, err := startServer(c)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, quiet)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+s.addr+"/v1/contests/"+contestID, strings.NewReader(document()))
	if err != nil {
		return nil, errors.Join(err, stop(c))
	}
	request.Header.Set("Authorization", "Bearer "+organizerKey)
	request.Header.Set("Content-Type", "application/yaml")
	answer, err := http.DefaultClient.Do(request)
	if err == nil {
		answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			err = fmt.Errorf("the contest was answered %s", answer.Status)
		}
	}
	if err != nil {
		return nil, errors.Join(err, stop(c))
	}
	return s, nil
}

// stop ends a process and waits for it.
func stop(c *exec.Cmd) error {
	if err := c.Cancel(); err != nil {
		return err
	}
	_ = c.Wait() // killed, it says so
	return nil
}
