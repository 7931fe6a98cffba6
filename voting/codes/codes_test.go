package codes

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/voting"
)

func TestMain(m *testing.M) { redistest.Main(m) }

func onEveryStore(t *testing.T, test func(t *testing.T, c *Codes, st *store.Store)) {
	storetest.OnBoth(t, func(t *testing.T, st *store.Store) {
		test(t, New(st, gate.New(st), []byte("a key of 32 bytes for these tests")), st)
	})
}

var addresses atomic.Int64

func question() Question {
	n := addresses.Add(1)
	return Question{Contest: "t", Canonical: fmt.Sprintf("ada%d-%d@example.org", os.Getpid(), n), Address: voting.Voter{byte(n), 1}, School: "north", Sealed: "sealed"}
}

func ask(t *testing.T, c *Codes, q Question) Asked {
	t.Helper()
	asked, err := c.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// other is a code that is not this one.
func other(code string, n int) string {
	var number int
	fmt.Sscanf(code, "%d", &number)
	return fmt.Sprintf("%06d", (number+n)%1_000_000)
}

func TestConfirm_TheRightCodeIsGoodOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, _ *store.Store) {
		q := question()
		device := voting.Voter{9}
		q.Device = &device
		asked := ask(t, c, q)
		var left WrongCode
		if _, err := c.Confirm(t.Context(), "t", asked.Pending, other(asked.Code, 1), ""); !errors.As(err, &left) || left.Left != Tries-1 {
			t.Fatalf("a wrong code: %v", err)
		}
		if _, err := c.Confirm(t.Context(), "elsewhere", asked.Pending, asked.Code, ""); !errors.Is(err, ErrGone) {
			t.Fatalf("in another contest: %v", err)
		}
		a, err := c.Confirm(t.Context(), "t", asked.Pending, asked.Code, "")
		if err != nil || a.Address != q.Address || a.Device == nil || *a.Device != device || a.School != "north" || a.Sealed != "sealed" {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := c.Confirm(t.Context(), "t", asked.Pending, asked.Code, ""); !errors.Is(err, ErrGone) {
			t.Fatalf("the same code twice: %v", err)
		}
	})
}

// Whoever lost the answer to a try asks again by its name: nothing is used up a second time.
func TestConfirm_TheSameTryHasTheSameAnswer(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, _ *store.Store) {
		q := question()
		asked := ask(t, c, q)
		confirm := func(code, try string) (Answer, error) { return c.Confirm(t.Context(), "t", asked.Pending, code, try) }
		for range 3 {
			var left WrongCode
			if _, err := confirm(other(asked.Code, 1), "mine"); !errors.As(err, &left) || left.Left != Tries-1 {
				t.Fatalf("the same wrong try: %v", err)
			}
		}
		for range 3 {
			if a, err := confirm(asked.Code, "mine"); err != nil || a.Address != q.Address || a.Sealed != q.Sealed {
				t.Fatalf("the same right try: %+v, %v", a, err)
			}
		}
		for _, try := range []string{"", "another's", "min"} {
			if _, err := confirm(asked.Code, try); !errors.Is(err, ErrGone) {
				t.Errorf("used, and tried as %q: %v", try, err)
			}
		}
		// The name of a right try is worth nothing without the code.
		for _, code := range []string{other(asked.Code, 2), "", "e" + asked.Code} {
			if _, err := confirm(code, "mine"); !errors.Is(err, ErrGone) {
				t.Errorf("used, and %q tried: %v", code, err)
			}
		}
	})
}

// A code that 50 strangers know is good for one of them, and only where it was
// asked for.
func TestConfirm_OfManyAtOnceOneIsRight(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, _ *store.Store) {
		asked, strangers := ask(t, c, question()), ask(t, c, question())
		var right atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := c.Confirm(t.Context(), "t", asked.Pending, asked.Code, ""); err == nil {
					right.Add(1)
				}
				if _, err := c.Confirm(t.Context(), "t", strangers.Pending, asked.Code, ""); err == nil && asked.Code != strangers.Code {
					t.Error("a code is good for another's question")
				}
			})
		}
		all.Wait()
		if right.Load() != 1 {
			t.Fatalf("%d were right", right.Load())
		}
	})
}

// 5 of a million: the sixth try is not looked at, be it the right one.
func TestConfirm_GuessingEndsAfterFiveTries(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, _ *store.Store) {
		looked := 0
		for range 20 {
			asked := ask(t, c, question())
			for n := 1; n <= 50; n++ {
				_, err := c.Confirm(t.Context(), "t", asked.Pending, other(asked.Code, n), "")
				switch {
				case errors.Is(err, ErrWrong):
					looked++
				case !errors.Is(err, ErrGone):
					t.Fatal(err)
				}
			}
			if _, err := c.Confirm(t.Context(), "t", asked.Pending, asked.Code, ""); !errors.Is(err, ErrGone) {
				t.Fatalf("the right code after five wrong ones: %v", err)
			}
		}
		if looked != 20*Tries {
			t.Fatalf("%d tries of 1000 were looked at", looked)
		}
	})
}

func TestAsk_EveryCodeIsAsLikely(t *testing.T) {
	const n = 200_000
	var digitsSeen [6][10]int
	for range n {
		code, err := digits()
		if err != nil || len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q, %v", code, err)
		}
		for place, digit := range code {
			digitsSeen[place][digit-'0']++
		}
	}
	// Each digit of each place 20,000 times, give or take 6 standard deviations
	// (134 each): one run in 10 million misses that by chance.
	for place, seen := range digitsSeen {
		for digit, count := range seen {
			if count < n/10-6*134 || count > n/10+6*134 {
				t.Errorf("digit %d in place %d: %d times", digit, place, count)
			}
		}
	}
}

func TestAsk_OneAddressGetsThreeCodesAnHour(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, _ *store.Store) {
		q := question()
		sent := 0
		for n := range 1000 {
			q.Contest = fmt.Sprint("t", n%10) // whichever contest asks
			asked := ask(t, c, q)
			if len(asked.Pending) != 26 || asked.Expires.IsZero() {
				t.Fatalf("%+v", asked)
			}
			if asked.Code != "" {
				sent++
				continue
			}
			if n < 20 { // it looks as if there were a code
				var left WrongCode
				if _, err := c.Confirm(t.Context(), q.Contest, asked.Pending, "000000", ""); !errors.As(err, &left) || left.Left != Tries-1 {
					t.Fatalf("without a code: %v", err)
				}
			}
		}
		if sent != MailsPerHour {
			t.Fatalf("%d codes of 1000", sent)
		}
	})
}

func TestConfirm_ExpiresAndRefusesWhatWasNeverAsked(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, st *store.Store) {
		asked := ask(t, c, question())
		if life := st.Client().PTTL(t.Context(), pendingKey("t", asked.Pending)).Val(); life <= 0 || life > Life {
			t.Fatalf("lives %v", life)
		}
		if err := st.Client().Del(t.Context(), pendingKey("t", asked.Pending)).Err(); err != nil {
			t.Fatal(err)
		}
		for _, pending := range []string{asked.Pending, "", "x", strings.Repeat("A", 26), "}{/", strings.Repeat("A", 10_000)} {
			if _, err := c.Confirm(t.Context(), "t", pending, asked.Code, ""); !errors.Is(err, ErrGone) {
				t.Fatalf("%.30q: %v", pending, err)
			}
		}
	})
}

func TestAsk_KeepsNothingInClear(t *testing.T) {
	onEveryStore(t, func(t *testing.T, c *Codes, st *store.Store) {
		q := question()
		asked := ask(t, c, q)
		var all strings.Builder
		for _, key := range st.Client().Keys(t.Context(), "*").Val() {
			all.WriteString(key + "\n")
		}
		for name, value := range st.Client().HGetAll(t.Context(), pendingKey("t", asked.Pending)).Val() {
			all.WriteString(name + " " + value + "\n")
		}
		for _, clear := range []string{q.Canonical, "example.org", asked.Code} {
			if strings.Contains(all.String(), clear) {
				t.Errorf("%q is in the store", clear)
			}
		}
	})
}

// However Redis' write of a question is torn, what is left of it expires.
func TestAsk_TornLeavesNobodyBehind(t *testing.T) {
	server := redistest.Start(t)
	load := func() (*Codes, *store.Store) {
		st := storetest.Open(t, server.URL())
		return New(st, gate.New(st), []byte("a key of 32 bytes for these tests")), st
	}
	cuts := 0
	for cut := int64(1); ; cut += 43 {
		c, _ := load()
		past := server.Tear(cut, func() { ask(t, c, question()) }, func() {
			c, _ := load()
			ask(t, c, question())
		})
		if past {
			break
		}
		cuts++
		_, st := load()
		keys, err := st.Client().Keys(t.Context(), pendingPrefix("t")+"*").Result()
		if err != nil || len(keys) == 0 {
			t.Fatalf("cut %d bytes in: %q, %v", cut, keys, err)
		}
		for _, key := range keys {
			fields, life := st.Client().HGetAll(t.Context(), key).Val(), st.Client().PTTL(t.Context(), key).Val()
			if life <= 0 && (len(fields) != 1 || fields["tries"] != "0") {
				t.Errorf("cut %d bytes in: %q stays for good", cut, fields)
			}
		}
	}
	if cuts < 10 {
		t.Errorf("%d cuts only", cuts)
	}
}
