package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/internal/web"
	"github.com/joute/joute/voting"
)

// TestService_MailGoesOutAndItsEndWaitsForIt uses the wiring of serve and demo.
func TestService_MailGoesOutAndItsEndWaitsForIt(t *testing.T) {
	t.Parallel()
	sink, err := mailsink.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	cfg, err := serveCmd{
		Listen: "127.0.0.1:0", SMTP: sink.URL(), MailFrom: "vote@contests.example", DisposableDomains: write(t, "domains.txt", "throw.example\n"), SweepEvery: time.Minute,
	}.validate(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.disposable.Has("throw.example") || cfg.disposable.Has("yopmail.com") {
		t.Error("the operator's list does not take the place of the built-in one")
	}
	cfg.log = slog.New(slog.DiscardHandler)
	cfg.demoMail = func() []web.DemoMail { return shownMails(sink) }
	s, err := open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.run(ctx, func(url string) { ready <- url }) }()
	url := <-ready
	put := func(to string) *mail.Delivery {
		t.Helper()
		m := mail.Code("fr", mail.CodeLetter{Contest: "Le pire CV vidéo", Code: "482913", Minutes: 10})
		if m.To, err = voting.ParseEmail(to); err != nil {
			t.Fatal(err)
		}
		return s.outbox.Put(m)
	}
	<-put("ada@example.org").Done()
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, answer.Status, err)
		}
		return string(body)
	}
	if page := get("/demo/mail"); !strings.Contains(page, "482913 est votre code") || !strings.Contains(page, "ada@example.org") {
		t.Errorf("the demo's page: %s", page)
	}
	if figures := get("/metrics"); !strings.Contains(figures, `joute_mails_total{outcome="sent"} 1`) || strings.Contains(figures, "ada@") {
		t.Errorf("metrics: %s", figures)
	}
	last := put("bob@example.org")
	stop()
	if err := <-ended; err != nil || last.State() != mail.Sent || len(sink.Messages("bob@example.org")) != 1 {
		t.Errorf("%v; the last mail is %s", err, last.State())
	}
}
