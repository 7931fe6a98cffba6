package store

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ends are those of a connection over loopback.
func ends(t *testing.T) (near, away net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if away, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); away.Close() })
	return near, away
}

// A reply is not read after all requests that came before it; the control is a reader
// who stands in their row.
func TestEager_DoesNotStandInTheRow(t *testing.T) {
	const row, work = 500, time.Millisecond
	// behind is how many of the row had not had their turn when the reply was read.
	behind := func(wrap func(net.Conn) net.Conn) int {
		near, away := ends(t)
		reader := wrap(near)
		var mu sync.Mutex
		done := 0
		var working sync.WaitGroup
		var begins []*os.File
		for range row {
			end, begin, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			begins = append(begins, begin)
			working.Go(func() {
				defer end.Close()
				_, _ = end.Read(make([]byte, 1))
				for began := time.Now(); time.Since(began) < work; {
				}
				mu.Lock()
				defer mu.Unlock()
				done++
			})
		}
		left := make(chan int, 1)
		var came sync.WaitGroup
		var reading atomic.Bool
		came.Add(1)
		go func() {
			came.Wait()
			reading.Store(true)
			if _, err := reader.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			left <- row - done
		}()
		for i, begin := range begins {
			if _, err := begin.Write([]byte{0}); err != nil {
				t.Fatal(err)
			}
			begin.Close()
			if i == row/10 {
				came.Done()
				// A reader who comes when the reply is there already stands in no row.
				for !reading.Load() {
					runtime.Gosched()
				}
			}
		}
		if _, err := away.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		n := <-left
		working.Wait()
		return n
	}
	// Another program that has the processors may spoil any try, and make a few of the
	// control's: so the reply has to come before nearly all of the row some times, and
	// hardly ever where it waits.
	const most, enough = 40, 4
	var first, last []int
	early, waited := 0, 0
	for len(first) < most && early < max(enough, 3*waited) {
		first, last = append(first, behind(eagerly)), append(last, behind(func(c net.Conn) net.Conn { return c }))
		if first[len(first)-1] > row*9/10 {
			early++
		}
		if last[len(last)-1] > row*9/10 {
			waited++
		}
	}
	if early < max(enough, 3*waited) {
		t.Errorf("of %d, %v were behind the reply, and %v where it waits in their row", row, first, last)
	}
}

func TestEager_ReadsAsAnyConnection(t *testing.T) {
	near, away := ends(t)
	reader := eagerly(near)
	if err := reader.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	if _, err := reader.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing came: %v", err)
	}
	if err := reader.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, _ = away.Write([]byte("reply"))
	if n, err := reader.Read(buf); err != nil || string(buf[:n]) != "reply" {
		t.Errorf("%q, %v", buf[:max(n, 0)], err)
	}
	away.Close()
	if n, err := reader.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("the other end has closed: %d, %v", n, err)
	}
	near.Close()
	if n, err := reader.Read(buf); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %d, %v", n, err)
	}
}
