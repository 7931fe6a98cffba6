package mail

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/joute/joute/internal/mail/mailsink"
)

// box is an outbox that runs until the test ends.
type box struct {
	*Outbox
	log  *watchtest.Log
	stop func()
}

func outbox(t testing.TB, sender Sender, opt Options) box {
	t.Helper()
	b := box{log: &watchtest.Log{}}
	b.Outbox = NewOutbox(sender, slog.New(slog.NewTextHandler(b.log, nil)), opt)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	b.stop = func() { cancel(); running.Wait() }
	t.Cleanup(b.stop)
	return b
}

// ends waits until a delivery is over.
func ends(t testing.TB, d *Delivery) State {
	t.Helper()
	select {
	case <-d.Done():
	case <-time.After(patience):
		t.Fatalf("a mail is still %s", d.State())
	}
	return d.State()
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	watchtest.Until(t, patience, what, is)
}

func (b box) outcome(name string) float64 {
	return testutil.ToFloat64(b.metrics.mails.WithLabelValues(name))
}

func TestOutbox_ABurstArrivesWholeByFewConnections(t *testing.T) {
	s := sink(t, mailsink.Options{})
	registry := prometheus.NewRegistry()
	b := outbox(t, open(t, s.URL()), Options{Registerer: registry})
	deliveries := make([]*Delivery, 1000)
	for i := range deliveries {
		deliveries[i] = b.Put(codeTo(t, fmt.Sprintf("voter-%d@example.org", i)))
	}
	for i, d := range deliveries {
		if state := ends(t, d); state != Sent {
			t.Fatalf("mail %d is %s", i, state)
		}
	}
	to := map[string]int{}
	for _, m := range s.Messages("") {
		to[m.To]++
	}
	if len(to) != 1000 || s.Taken() != 1000 {
		t.Errorf("%d mails to %d people", s.Taken(), len(to))
	}
	if n := s.Connections(); n > 4 {
		t.Errorf("%d connections", n)
	}
	if b.outcome(outcomeSent) != 1000 || b.Waiting() != 0 {
		t.Errorf("counted %v, %d wait", b.outcome(outcomeSent), b.Waiting())
	}
	problems, err := testutil.GatherAndLint(registry)
	if n, _ := testutil.GatherAndCount(registry); err != nil || len(problems) > 0 || n != 7 {
		t.Errorf("%d series, %v, %v", n, problems, err)
	}
}

func TestOutbox_DownThenUp(t *testing.T) {
	s := sink(t, mailsink.Options{})
	b := outbox(t, open(t, s.URL()), Options{})
	if b.Down() {
		t.Error("down before anything was tried")
	}
	s.Down(true)
	first := b.Put(codeTo(t, "ada@example.org"))
	until(t, "down", b.Down)
	second := b.Put(codeTo(t, "bob@example.org"))
	if first.State() != Queued || second.State() != Queued {
		t.Errorf("%s, %s", first.State(), second.State())
	}
	s.Down(false)
	for _, d := range []*Delivery{first, second} {
		if state := ends(t, d); state != Sent {
			t.Errorf("a mail of the time when it was down is %s", state)
		}
	}
	if b.Down() || s.Taken() != 2 {
		t.Errorf("down %v, %d mails", b.Down(), s.Taken())
	}
	for _, part := range []string{"cannot be sent", "class=greeting", "can be sent again"} {
		if strings.Count(b.log.String(), part) != 1 {
			t.Errorf("%q is not said once:\n%s", part, b.log)
		}
	}
}

func TestOutbox_ASlowServerDelaysNobodyWhoPuts(t *testing.T) {
	s := sink(t, mailsink.Options{})
	s.Slow(time.Hour)
	b := outbox(t, open(t, s.URL()), Options{Grace: time.Millisecond, Queue: 100})
	began := time.Now()
	deliveries := make([]*Delivery, 150)
	for i := range deliveries {
		deliveries[i] = b.Put(codeTo(t, "ada@example.org"))
	}
	if took := time.Since(began); took > patience { // the server takes an hour
		t.Errorf("150 mails took %v", took)
	}
	for i, d := range deliveries {
		if want := map[bool]State{true: Queued, false: Failed}[i < 100]; d.State() != want {
			t.Fatalf("mail %d of a queue for 100 is %s", i, d.State())
		}
	}
	b.stop()
	for i, d := range deliveries {
		if ends(t, d) != Failed {
			t.Errorf("mail %d is %s", i, d.State())
		}
	}
	if b.outcome(outcomeFull) != 50 || b.outcome(outcomeStopped) != 100 || b.Waiting() != 0 {
		t.Errorf("full %v, stopped %v, %d wait", b.outcome(outcomeFull), b.outcome(outcomeStopped), b.Waiting())
	}
	if b.Put(codeTo(t, "ada@example.org")).State() != Failed {
		t.Error("an outbox that has ended takes mail")
	}
}

func TestOutbox_WhatIsQueuedAtTheEndStillGoes(t *testing.T) {
	s := sink(t, mailsink.Options{})
	s.Slow(20 * time.Millisecond)
	b := outbox(t, open(t, s.URL()), Options{Grace: patience})
	var deliveries []*Delivery
	for range 20 {
		deliveries = append(deliveries, b.Put(codeTo(t, "ada@example.org")))
	}
	b.stop()
	for _, d := range deliveries {
		if d.State() != Sent {
			t.Fatalf("a mail is %s", d.State())
		}
	}
}

func TestOutbox_ARefusedAddressIsNoOutageAndNoDelay(t *testing.T) {
	s := sink(t, mailsink.Options{})
	s.Refuse("lovelace@analytical.example", 550)
	s.Refuse("babbage@analytical.example", 450)
	b := outbox(t, open(t, s.URL()), Options{Grace: time.Millisecond})
	for range 5 {
		if ends(t, b.Put(codeTo(t, "lovelace@analytical.example"))) != Failed {
			t.Error("a refused mail is sent")
		}
	}
	if b.Down() || strings.Contains(b.log.String(), "cannot be sent") {
		t.Errorf("refused addresses make an outage:\n%s", b.log)
	}
	later := b.Put(codeTo(t, "babbage@analytical.example"))
	if ends(t, b.Put(codeTo(t, "ada@example.org"))) != Sent || later.State() != Queued || b.Down() {
		t.Errorf("the greylisted mail is %s, down %v", later.State(), b.Down())
	}
	s.Refuse("babbage@analytical.example", 0)
	if ends(t, later) != Sent {
		t.Error("a greylisted mail did not go later")
	}
	if log := b.log.String(); strings.Contains(log, "analytical") || strings.Contains(log, "lovelace") || !strings.Contains(log, "class=rejected-recipient") {
		t.Errorf("logged:\n%s", log)
	}
	if b.outcome(outcomeRefused) != 5 {
		t.Errorf("%v refused", b.outcome(outcomeRefused))
	}
}

// A server that has the whole mail and goes without a word has taken it, or has not: it is
// sent again, so that it is not lost, and not so often that its reader gets it dozens of times.
func TestOutbox_AMailWithoutAnAnswerIsSentAFewTimes(t *testing.T) {
	var mu sync.Mutex
	arrived := map[string]int{}
	writing, id := false, ""
	url, _ := scripted(t, "220 here\r\n", func(line string) string {
		mu.Lock()
		defer mu.Unlock()
		verb, _, _ := strings.Cut(line, " ")
		switch {
		case writing && line == ".":
			writing = false
			arrived[id]++
			return "" // gone
		case writing:
			if text, found := strings.CutPrefix(line, "Message-ID: "); found {
				id = text
			}
			return silence
		case verb == "DATA":
			writing = true
			return "354 go on\r\n"
		}
		return "250 fine\r\n"
	})
	b := outbox(t, open(t, url), Options{Workers: 1})
	m := codeTo(t, "ada@example.org")
	m.Before = time.Now().Add(patience)
	if state := ends(t, b.Put(m)); state != Failed || b.outcome(outcomeUnanswered) != 1 {
		t.Errorf("%s, %v unanswered", state, b.outcome(outcomeUnanswered))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(arrived) != 1 || arrived[id] != unansweredTries {
		t.Errorf("arrived: %v, want the same mail %d times", arrived, unansweredTries)
	}
}

// senderFunc is a mail server as a rule, for what a real one would take long to show.
type senderFunc func(ctx context.Context, m Message) error

func (f senderFunc) Send(ctx context.Context, m Message) error { return f(ctx, m) }

func TestOutbox_TriesLessAndLessUntilTheMailIsOfNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		ids := map[string]bool{}
		b := outbox(t, senderFunc(func(ctx context.Context, m Message) error {
			at = append(at, time.Since(began))
			ids[m.id] = true
			if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(m.Before) {
				t.Errorf("a try may take until %v", deadline)
			}
			return &Error{Class: ClassDial}
		}), Options{})
		m := codeTo(t, "ada@example.org")
		m.Before = began.Add(10 * time.Minute)
		if ends := b.Put(m); func() State { <-ends.Done(); return ends.State() }() != Failed {
			t.Error("sent to nobody")
		}
		for i := 1; i < len(at); i++ {
			if pause := at[i] - at[i-1]; pause < firstPause || pause > lastPause || i > 1 && pause < at[i-1]-at[i-2] {
				t.Errorf("tries at %v", at)
			}
		}
		if len(at) < 40 || len(at) > 50 || at[len(at)-1] > 10*time.Minute || time.Since(began) > 10*time.Minute || !b.Down() || b.outcome(outcomeExpired) != 1 {
			t.Errorf("%d tries, the last at %v, over at %v", len(at), at[len(at)-1], time.Since(began))
		}
		if len(ids) != 1 || ids[""] {
			t.Errorf("the tries are not one mail: %v", ids)
		}
		// Too late before it was ever tried, and with the patience of the outbox.
		tries := len(at)
		m.Before = time.Now().Add(-time.Second)
		d := b.Put(m)
		if <-d.Done(); d.State() != Failed || len(at) != tries {
			t.Error("a mail of no use was tried")
		}
		m.Before, began = time.Time{}, time.Now()
		d = b.Put(m)
		if <-d.Done(); time.Since(began) < 59*time.Minute || time.Since(began) > time.Hour {
			t.Errorf("a mail without an end was tried for %v", time.Since(began))
		}
		b.stop()
	})
}

func TestOutbox_TheFirstThatGetsThroughWakesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		down := true
		b := outbox(t, senderFunc(func(context.Context, Message) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return &Error{Class: ClassDial}
			}
			return nil
		}), Options{})
		var deliveries []*Delivery
		for range 50 {
			deliveries = append(deliveries, b.Put(codeTo(t, "ada@example.org")))
			time.Sleep(time.Second)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		up := time.Now()
		for _, d := range deliveries {
			<-d.Done()
		}
		// The newest were tried a moment ago, the oldest pause for long.
		if took := time.Since(up); took > time.Second || b.Down() {
			t.Errorf("50 mails took %v once the server was back", took)
		}
		b.stop()
	})
}

func TestOutbox_ManyThatWaitDoNotStormTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mails, minutes = 2000, 5
		var tries, down atomic.Int64
		down.Store(1)
		b := outbox(t, senderFunc(func(context.Context, Message) error {
			tries.Add(1)
			if down.Load() == 1 {
				return &Error{Class: ClassDial}
			}
			return nil
		}), Options{})
		var deliveries []*Delivery
		for range mails {
			m := codeTo(t, "ada@example.org")
			m.Before = time.Now().Add(10 * time.Minute)
			deliveries = append(deliveries, b.Put(m))
		}
		time.Sleep(minutes * time.Minute)
		// Each once at once, and then five a second between them; on their own they were tried 48,000 times.
		if n, most := tries.Load(), int64(2*mails+minutes*60*5); n < mails || n > most {
			t.Errorf("%d tries of %d mails in %d minutes, at most %d expected", n, mails, minutes, most)
		}
		down.Store(0)
		up := time.Now()
		for _, d := range deliveries {
			if <-d.Done(); d.State() != Sent {
				t.Fatal(d.State())
			}
		}
		if took := time.Since(up); took > 2*time.Second {
			t.Errorf("they took %v once the server was back", took)
		}
		b.stop()
	})
}

func TestMessage_PrintsNothingOfItself(t *testing.T) {
	m := codeTo(t, "lovelace@analytical.example")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "mail", m)
	for _, shown := range []string{fmt.Sprint(m), fmt.Sprintf("%+v %s %v", m, m, &m), log.String()} {
		if strings.Contains(shown, "lovelace") || strings.Contains(shown, "482913") {
			t.Error(shown)
		}
	}
}
