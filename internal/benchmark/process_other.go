//go:build !linux

package main

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

func processorTime(int) (time.Duration, error) {
	return 0, errors.New("processor time of other processes is read on Linux only")
}
