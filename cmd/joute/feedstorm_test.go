package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
)

// storm is a service with a contest of so many schools, and 3 entries. Its store
// is the embedded one: no disk, which other work on the machine may hold up for
// longer than a ballot waits.
func storm(t *testing.T, schools int) (s *running, contest string) {
	t.Helper()
	s = serve(t)
	contest = "storm-" + uuid.NewString()
	s.joute("apply", write(t, "c.yaml", hall(contest, schools, 3)))
	return s, contest
}

// counted waits until the server counts n readers, and says how long that took.
func (r *running) counted(n int) time.Duration {
	r.t.Helper()
	began := time.Now()
	wait(r.t, "the readers to be counted", func() (float64, bool) {
		got := r.metric("joute_feed_readers")
		return got, got == float64(n)
	})
	return time.Since(began)
}

func TestFeed_LeaversAreNoticedAndStayersStillServed(t *testing.T) {
	t.Parallel()
	s, contest := storm(t, 3)
	c := s.audience(contest)
	c.join(200)
	s.counted(200)
	c.leave(120)
	if took := s.counted(80); took > time.Second {
		t.Errorf("noticed after %s", took)
	}
	c.recording.Store(true)
	ballots := s.casting(contest, 3).during(20, func() { time.Sleep(500 * time.Millisecond) })
	wait(t, "a frame with every ballot", func() (int, bool) {
		_, missing := c.lags(ballots)
		return missing, missing == 0
	})
	// Control: a ballot that nobody cast is in no frame.
	none := accepted{offset: ballots[len(ballots)-1].offset + 1, at: time.Now()}
	if _, missing := c.lags([]accepted{none}); missing != 80 {
		t.Errorf("of 80 readers %d lack a frame that there was not", missing)
	}
	if n := s.metric("joute_feed_readers"); n != 80 {
		t.Errorf("%v readers are counted, 80 stayed", n)
	}
}

func TestFeed_AllComeBackAtOnceAndBallotsAreTaken(t *testing.T) {
	t.Parallel()
	s, contest := storm(t, 3)
	c, casting := s.audience(contest), s.casting(contest, 3)
	c.join(200)
	ballots := casting.during(40, func() {
		for life := 2; life <= 4; life++ {
			c.cut()
			if _, ok := c.within(patience, life); !ok {
				t.Errorf("cut %d times: not all are back", life-1)
			}
		}
		time.Sleep(250 * time.Millisecond)
	})
	if failed, unanswered := casting.failures(); failed+unanswered > 0 || len(ballots) == 0 {
		t.Errorf("%d ballots taken; %d answers of 500 and above, %d without answer", len(ballots), failed, unanswered)
	}
	s.counted(200)
	// Controls: nobody was cut a fourth time, and nobody follows what is not there.
	if _, ok := c.within(0, 5); ok {
		t.Error("more connections than there were cuts")
	}
	lost := s.audience("nowhere")
	lost.readers = append(lost.readers, &follower{audience: lost, from: "127.0.0.1", gone: make(chan struct{})})
	if lost.readers[0].follow(func() {}) || lost.readers[0].lived(1) {
		t.Error("a feed of no contest")
	}
}

// A page that is told 503 gives the feed up; one that finds nobody tries again,
// and another server may be there by then.
func TestFeed_WhoIsSentAwayByAServerThatEndsFindsNobodyThere(t *testing.T) {
	t.Parallel()
	s, contest := storm(t, 3)
	c := s.audience(contest)
	c.join(200)
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	wait(t, "all to have tried again", func() (int64, bool) { n := c.unheard.Load(); return n, n >= 200 })
	if n := c.refused.Load(); n > 0 {
		t.Errorf("%d times it answered who came back", n)
	}
}

func TestCasting_CountsAnswersAfterWhichItAsksAgain(t *testing.T) {
	t.Parallel()
	fresh := true
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fresh {
			fresh = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"position":"1-0-5-7"}`))
	}))
	t.Cleanup(stub.Close)
	r := &running{t: t, url: stub.URL}
	c := r.casting("any", 1)
	c.cast(0, time.Now())
	if failed, unanswered := c.failures(); failed != 1 || unanswered != 0 || len(c.accepted) != 1 || c.accepted[0].offset != 7 {
		t.Errorf("%d failed, %d unanswered, %+v", failed, unanswered, c.accepted)
	}
	stub.Close()
	if status, _ := c.once("", nil); status != 0 {
		t.Errorf("nobody answered %d", status)
	}
}

// Frames of 512 schools fill the buffers of a reader that does not read within
// a second or two. The others have every ballot all the same, and who has not
// read for long is given up.
func TestFeed_WhoNeverReadsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s, contest := storm(t, 512)
	c, casting := s.audience(contest), s.casting(contest, 3)
	c.join(20)
	hangUp := s.deaf(contest, 100)
	defer hangUp()
	s.counted(120)
	c.recording.Store(true)
	ballots := casting.during(20, func() { s.counted(20) }) // control: the 20 that read stay
	wait(t, "a frame with every ballot", func() (int, bool) {
		_, missing := c.lags(ballots)
		return missing, missing == 0
	})
	lags, _ := c.lags(ballots)
	if p := newQuantiles(lags); p.P99 > 3_000 { // the patience with one that does not read is 5 s
		t.Errorf("ballots came to the readers that read after %+v ms", p)
	}
	// A busy machine sheds one now and then, which is asked again.
	if failed, unanswered := casting.failures(); failed+unanswered > len(ballots)/20 {
		t.Errorf("%d answers of 500 and above, %d without answer, of %d ballots", failed, unanswered, len(ballots))
	}
	if c.lives() != 1 {
		t.Error("a reader that reads was cut off")
	}
}
