package mailsink_test

import (
	"context"
	"errors"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/joute/joute/internal/mail/mailsink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// send speaks to the sink as another client than ours would.
func send(t *testing.T, s *mailsink.Sink, to, body string) error {
	t.Helper()
	return smtp.SendMail(strings.TrimPrefix(s.URL(), "smtp://"), nil, "from@example.org", []string{to},
		[]byte("Subject: =?utf-8?q?482913_est_=C3=A0_vous?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+body))
}

func TestSink_KeepsTheNewest(t *testing.T) {
	s, err := mailsink.StartWith(mailsink.Options{Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, to := range []string{"a@example.org", "b@example.org", "a@example.org", "A@example.org"} {
		if err := send(t, s, to, "text of "+to+"\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	all := s.Messages("")
	if len(all) != 3 || s.Taken() != 4 || all[0].To != "b@example.org" || len(s.Messages("a@example.org")) != 2 {
		t.Errorf("kept %+v of %d", all, s.Taken())
	}
	if m := all[0]; m.Subject != "482913 est à vous" || m.Text != "text of b@example.org\n" || m.From != "from@example.org" || m.HTML != "" || m.At.IsZero() {
		t.Errorf("%+v", m)
	}
}

func TestSink_WaitsForMail(t *testing.T) {
	s, err := mailsink.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sent := make(chan error, 1)
	go func() { sent <- send(t, s, "a@example.org", "x") }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got, err := s.Wait(ctx, "a@example.org", 1); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if got, err := s.Wait(short, "a@example.org", 2); !errors.Is(err, context.DeadlineExceeded) || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSink_RefusesAndHangsUp(t *testing.T) {
	s, err := mailsink.Start()
	if err != nil {
		t.Fatal(err)
	}
	s.Refuse("a@example.org", 550)
	if err := send(t, s, "A@example.org", "x"); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("refused: %v", err)
	}
	s.Refuse("a@example.org", 0)
	s.Down(true)
	if err := send(t, s, "a@example.org", "x"); err == nil {
		t.Error("down, and took mail")
	}
	s.Down(false)
	if err := send(t, s, "a@example.org", "x"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := send(t, s, "a@example.org", "x"); err == nil || s.Close() != nil {
		t.Error("closed, and took mail")
	}
}

func TestCode_SixDigitsAlone(t *testing.T) {
	for text, want := range map[string]string{
		"482913": "482913", "482913 est votre code": "482913", "code:\n    482913\n": "482913", "le 2026-11-26 : 000042.": "000042",
		"1234567": "", "12345": "", "": "", "x1234567 123456": "123456",
	} {
		if got := mailsink.Code(text); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}
