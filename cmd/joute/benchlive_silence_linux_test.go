package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Addresses of the wire between this machine and the room of the silent.
const (
	wireHere  = "198.18.233.1"
	wireThere = "198.18.233.2"
)

// silence: readers vanish without a word, as a phone in a tunnel does, while
// others follow the same server. The contest is quiet: nothing but heartbeats
// finds them out.
func (b *bench) silence() {
	const n, stay = 200, 50
	measure := fmt.Sprintf("%d readers fall silent without FIN: the last one gone", n)
	room, err := openRoom()
	if err != nil {
		b.note(measure, "skipped: no network namespace can be made here: "+err.Error())
		return
	}
	defer room.close()
	// A server of its own: the other one is not to be reached over any wire.
	p := launch(b.t, append([]string{"--listen", wireHere + ":0"}, b.args...)...)
	s := &running{t: b.t, url: p.url}
	here, there := s.audience("hall"), s.audience("hall")
	here.network = func(d net.Dialer) (net.Conn, error) { d.LocalAddr = nil; return d.Dial("tcp", here.addr) }
	there.network = func(d net.Dialer) (net.Conn, error) { d.LocalAddr = nil; return room.dial(d, there.addr) }
	here.join(stay)
	there.join(n)
	s.counted(stay + n)
	s.casting("hall", benchEntries).during(1, func() { time.Sleep(500 * time.Millisecond) })
	time.Sleep(time.Second) // that frame is there: from now on it is quiet
	began := time.Now()
	if err := room.silence(); err != nil {
		b.t.Fatal(err)
	}
	for s.metric("joute_feed_readers") > float64(stay) && time.Since(began) < time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	took, left := time.Since(began), int(s.metric("joute_feed_readers"))
	b.row(measure, fmt.Sprintf("%.1f s (of %d others %d still counted)", took.Seconds(), stay, left),
		"<= 30 s", took <= 30*time.Second && left == stay)
	there.leave(n)
}

// room is a network namespace at the other end of a wire.
type room struct{ name, here, there string }

func openRoom() (*room, error) {
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, errors.New("ip of iproute2 is missing")
	}
	r := &room{fmt.Sprintf("joute-%d", os.Getpid()), fmt.Sprintf("jh%d", os.Getpid()), fmt.Sprintf("jt%d", os.Getpid())}
	if err := ip("netns add " + r.name); err != nil {
		return nil, err
	}
	for _, args := range []string{
		"link add " + r.here + " type veth peer name " + r.there + " netns " + r.name,
		"address add " + wireHere + "/30 dev " + r.here,
		"link set " + r.here + " up",
		"-n " + r.name + " address add " + wireThere + "/30 dev " + r.there,
		"-n " + r.name + " link set " + r.there + " up",
	} {
		if err := ip(args); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

// dial connects from inside: a socket stays in the namespace of the thread that
// made it. The thread comes back; if it ended, so would the servers it started.
func (r *room) dial(d net.Dialer, addr string) (net.Conn, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	outside, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer outside.Close()
	inside, err := os.Open("/run/netns/" + r.name)
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	conn, err := d.Dial("tcp", addr)
	if back := unix.Setns(int(outside.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // this thread would open everything else in there
	}
	return conn, err
}

// silence drops everything on its way, both ways, and tells neither end.
func (r *room) silence() error { return ip("-n " + r.name + " link set " + r.there + " down") }

// close takes the wire with the namespace.
func (r *room) close() {
	_ = ip("link del " + r.here)
	_ = ip("netns del " + r.name)
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, strings.TrimSpace(string(out)))
	}
	return nil
}
