package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// drainTime is how long requests that were accepted may still take after
// SIGTERM; a cast takes at most two seconds, an export of a long ledger is cut
// and goes on elsewhere.
const drainTime = 10 * time.Second

// url is where this machine reaches the service.
func (s *service) url() string {
	address := s.listener.Addr().(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", address.Port)
	}
	return "http://" + address.String()
}

// browserURL is where a browser on this machine reaches the service: by name,
// so that 127.0.0.1 is another site to it.
func (s *service) browserURL() string {
	address := s.listener.Addr().(*net.TCPAddr)
	if address.IP.IsLoopback() {
		return fmt.Sprintf("http://localhost:%d", address.Port)
	}
	return s.url()
}

// run serves until ctx ends, answers what it has accepted, and closes
// everything; a second run is not possible. ready is called once the service
// answers.
func (s *service) run(ctx context.Context, ready func(url string)) error {
	defer s.close()
	if err := s.registry.Refresh(ctx); err != nil {
		return fmt.Errorf("contests: %w", err)
	}
	// What runs beside the requests goes on while the last ones are answered.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer s.keepRest() // once nothing writes any more
	defer running.Wait()
	defer stop()
	s.runBeside(background, &running)

	served := make(chan error, 1)
	running.Go(func() { served <- s.web.Serve(s.listener) })
	ready(s.url())
	s.log.Info("ready", "url", s.url(), "store", s.store.Name(), "contests", len(s.registry.List()))
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.log.Info("stopping: answering what was accepted")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.web.Shutdown(draining); err != nil {
		s.log.Warn("some requests were cut off", "error", err)
	}
	_ = s.listener.Close() // a stop that came before Serve has taken the listener must end Serve too
	return nil
}

// runBeside starts, in running, what goes on beside the requests until ctx ends.
func (s *service) runBeside(ctx context.Context, running *sync.WaitGroup) {
	running.Go(func() { s.interlock.Run(ctx) })
	running.Go(func() { s.dataset.Run(ctx, s.log) })
	if s.rest != nil {
		running.Go(func() { s.rest.Run(ctx) })
	}
	running.Go(func() { s.registry.Run(ctx) })
	running.Go(func() { s.boxes.Tend(ctx, s.log, s.registry.List) })
	running.Go(func() { s.boards.Run(ctx, s.registry.List) })
	running.Go(func() { s.feeds.Run(ctx) })
	running.Go(func() { s.forget.Run(ctx) })
	running.Go(func() { s.sweeper.Run(ctx, s.registry.List) })
	if s.archive != nil {
		running.Go(func() { s.archive.Run(ctx, s.registry.List) })
	}
	running.Go(func() { s.farms.Run(ctx) })
	running.Go(func() { s.pressure.Run(ctx) })
	running.Go(func() { s.windows.Run(ctx) })
	if s.networks != nil {
		again := make(chan os.Signal, 1)
		signal.Notify(again, syscall.SIGHUP)
		running.Go(func() {
			defer signal.Stop(again)
			s.networks.Run(ctx, again)
		})
	}
	if s.outbox != nil {
		running.Go(func() { s.outbox.Run(ctx) })
	}
}

func (s *service) close() {
	if s.listener != nil {
		_ = s.listener.Close() // closed by the web server already when it ran
	}
	if s.mailer != nil {
		s.mailer.Close()
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Warn("closing the store", "error", err)
		}
	}
	if err := s.dataset.Close(); err != nil {
		s.log.Warn("closing the data folder", "error", err)
	}
}

// keepRest writes what the ledger does not have, when all that was accepted is answered.
func (s *service) keepRest() {
	if s.rest == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := s.rest.Save(ctx); err != nil {
		s.log.Error("fans, shares and appeals of the last seconds are lost", "error", err)
	}
}
