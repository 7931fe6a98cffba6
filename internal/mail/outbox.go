package mail

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sender hands a mail to a server. SMTP is one.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Options of an Outbox; the zero value works.
type Options struct {
	Workers  int           // mails on their way at once; 0 = 4
	Queue    int           // mails that may wait; 0 = 5,000: some 20 MiB
	Patience time.Duration // how long a mail without Before is tried; 0 = 1 h
	Grace    time.Duration // how long Run goes on when told to end; 0 = 5 s

	Registerer prometheus.Registerer // nil: no metrics
}

const (
	// firstPause after a try that failed is doubled up to lastPause. A code is good
	// for ten minutes: whoever waits for one should have it seconds after the mail
	// server is back.
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second

	// triesEvery spaces the tries of mails that pause, all together: thousands that each come
	// back every 15 s look like an attack to a server that is in trouble. The first that gets
	// through wakes the others.
	triesEvery = 200 * time.Millisecond

	// downAfter tries in a row that failed by the server's fault, it is down. One
	// may be a hiccup.
	downAfter = 2

	// unansweredTries is how often a mail is handed over whole to a server that does not
	// say whether it took it. It may have each time, and its reader gets them all.
	unansweredTries = 3
)

// Outbox sends mails apart from the requests that ask for them: to put one in
// takes the same time whatever becomes of it. It is memory alone: what has not
// gone when the process dies is lost, and asked for again by who misses it.
type Outbox struct {
	sender  Sender
	log     *slog.Logger
	opt     Options
	metrics outboxMetrics

	queue  chan *letter // room for all that may wait, so that nobody waits to add one
	faults atomic.Int64 // tries in a row that failed by the server's fault

	mu      sync.Mutex // guards the rest
	waiting int        // mails that are neither sent nor given up
	paused  map[*letter]*time.Timer
	ending  bool
	idle    chan struct{} // closed when ending and nothing waits
}

// letter is a mail that waits.
type letter struct {
	message  Message
	delivery *Delivery
	tries    int

	unanswered int // tries after which the server had all of it, and said nothing
}

// NewOutbox makes an outbox that sends nothing until Run.
func NewOutbox(sender Sender, log *slog.Logger, opt Options) *Outbox {
	if opt.Workers == 0 {
		opt.Workers = 4
	}
	if opt.Queue == 0 {
		opt.Queue = 5000
	}
	if opt.Patience == 0 {
		opt.Patience = time.Hour
	}
	if opt.Grace == 0 {
		opt.Grace = 5 * time.Second
	}
	o := &Outbox{sender: sender, log: log, opt: opt, queue: make(chan *letter, opt.Queue), paused: map[*letter]*time.Timer{}, idle: make(chan struct{})}
	o.metrics = newOutboxMetrics(opt.Registerer, o.Waiting)
	return o
}

// Put takes a mail over and never waits. The mail is sent in the background; it
// has failed at once when too many wait, or when the outbox has ended.
func (o *Outbox) Put(m Message) *Delivery {
	if m.Before.IsZero() {
		m.Before = time.Now().Add(o.opt.Patience)
	}
	m.id = rand.Text()
	l := &letter{message: m, delivery: newDelivery()}
	o.mu.Lock()
	full := o.waiting >= o.opt.Queue
	refused := full || o.ending
	if !refused {
		o.waiting++
		o.queue <- l // has room: each that waits is in it at most once
	}
	o.mu.Unlock()
	switch {
	case full:
		o.metrics.count(outcomeFull)
		l.delivery.end(Failed)
	case refused:
		o.metrics.count(outcomeStopped)
		l.delivery.end(Failed)
	}
	return l.delivery
}

// Waiting is how many mails are neither sent nor given up.
func (o *Outbox) Waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting
}

// Down tells that the newest tries failed by the mail server's fault: it cannot
// be reached, does not know us or takes no mail. Mails are still queued, and go
// when it is back.
func (o *Outbox) Down() bool { return o.faults.Load() >= downAfter }

// Run sends until ctx ends. Then it takes no more mails, tries once more those
// that wait, for a short time, gives the others up and returns. It runs once.
func (o *Outbox) Run(ctx context.Context) {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var working sync.WaitGroup
	defer working.Wait()
	for range o.opt.Workers {
		working.Go(func() { o.work(sending) })
	}
	<-ctx.Done()
	o.end()
	grace := time.NewTimer(o.opt.Grace)
	defer grace.Stop()
	select {
	case <-o.idle:
	case <-grace.C:
	}
	stop()
}

// end takes no more mails and hurries those in a pause.
func (o *Outbox) end() {
	o.mu.Lock()
	o.ending = true
	if o.waiting == 0 {
		close(o.idle)
	}
	o.mu.Unlock()
	o.wake()
}

// work sends one mail after the other. Once sending has ended it gives up what
// is still queued.
func (o *Outbox) work(sending context.Context) {
	for {
		select {
		case l := <-o.queue:
			o.try(sending, l)
		case <-sending.Done():
			for {
				select {
				case l := <-o.queue:
					o.finish(l, Failed, outcomeStopped)
				default:
					return
				}
			}
		}
	}
}

func (o *Outbox) try(sending context.Context, l *letter) {
	if !time.Now().Before(l.message.Before) {
		o.finish(l, Failed, outcomeExpired)
		return
	}
	ctx, cancel := context.WithDeadline(sending, l.message.Before)
	err := o.sender.Send(ctx, l.message)
	cancel()
	if err == nil {
		o.finish(l, Sent, outcomeSent)
		o.answered()
		return
	}
	class, final := classOf(err)
	if sending.Err() == nil {
		o.note(class)
	}
	if class == ClassUnanswered {
		l.unanswered++
	}
	switch {
	case final:
		o.finish(l, Failed, outcomeRefused)
	case l.unanswered >= unansweredTries:
		o.finish(l, Failed, outcomeUnanswered)
	default:
		o.pause(l)
	}
}

// note keeps count of what a failed try says of the server, and logs when that
// is new. A refused address says that the server is there.
func (o *Outbox) note(class Class) {
	switch class {
	case ClassRecipient:
		o.log.Info("a mail was refused", "class", class)
		o.answered()
	case ClassMessage, ClassInvalid:
		o.log.Warn("a mail was refused", "class", class)
	default:
		if o.faults.Add(1) == downAfter {
			o.log.Error("mails cannot be sent; they wait until they are of no use any more", "class", class)
		}
	}
}

// answered says that the server is there. When it was not, what waited in a
// pause goes on at once.
func (o *Outbox) answered() {
	if o.faults.Swap(0) >= downAfter {
		o.log.Info("mails can be sent again")
		o.wake()
	}
}

// pause lets a mail wait for its next try, or gives it up when that would come
// too late.
func (o *Outbox) pause(l *letter) {
	length := min(firstPause<<min(l.tries, 10), lastPause)
	l.tries++
	left := time.Until(l.message.Before)
	late := left <= length
	o.mu.Lock()
	if !late && !o.ending {
		// Among many its turn comes later, yet with time for one more try.
		length = max(length, min(time.Duration(len(o.paused))*triesEvery, left-lastPause))
		o.paused[l] = time.AfterFunc(length, func() { o.resume(l) })
	}
	ending := o.ending
	o.mu.Unlock()
	switch {
	case ending:
		o.finish(l, Failed, outcomeStopped)
	case late:
		o.finish(l, Failed, outcomeExpired)
	}
}

// resume puts a paused mail back into the queue, once.
func (o *Outbox) resume(l *letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if timer, found := o.paused[l]; found {
		timer.Stop()
		delete(o.paused, l)
		o.queue <- l // has room
	}
}

// wake ends all pauses.
func (o *Outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for l, timer := range o.paused {
		timer.Stop()
		delete(o.paused, l)
		o.queue <- l // has room
	}
}

func (o *Outbox) finish(l *letter, state State, outcome string) {
	l.message = Message{} // an address is kept no longer than needed
	o.metrics.count(outcome)
	o.mu.Lock()
	if o.waiting--; o.waiting == 0 && o.ending {
		close(o.idle)
	}
	o.mu.Unlock()
	l.delivery.end(state) // last: who waits for it finds everything settled
}
