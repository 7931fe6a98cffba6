package web

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

var proxies = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("127.0.0.1/32"),
}

func TestClientAddress(t *testing.T) {
	for _, c := range []struct{ name, peer, forwarded, want string }{
		{"no header", "203.0.113.9", "", "203.0.113.9"},
		{"header of a stranger", "203.0.113.9", "1.2.3.4", "203.0.113.9"},
		{"stranger who names a proxy", "203.0.113.9", "1.2.3.4, 10.0.0.1", "203.0.113.9"},
		{"one hop", "10.0.0.1", "198.51.100.7", "198.51.100.7"},
		{"the client's own text is left of it", "10.0.0.1", "9.9.9.9, 198.51.100.7", "198.51.100.7"},
		{"two proxies", "10.0.0.1", "9.9.9.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"},
		{"three proxies", "10.0.0.1", "198.51.100.7, 10.3.3.3, 10.0.0.2", "198.51.100.7"},
		{"only proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"trusted peer, no header", "10.0.0.1", "", "10.0.0.1"},
		{"no spaces", "10.0.0.1", "9.9.9.9,198.51.100.7", "198.51.100.7"},
		{"many spaces and tabs", "10.0.0.1", "9.9.9.9 ,\t 198.51.100.7 ", "198.51.100.7"},
		{"several headers", "10.0.0.1", "9.9.9.9|198.51.100.7", "198.51.100.7"},
		{"several headers, proxy last", "10.0.0.1", "198.51.100.7|10.0.0.2", "198.51.100.7"},
		{"port", "10.0.0.1", "198.51.100.7:50123", "198.51.100.7"},
		{"IPv6", "10.0.0.1", "2001:db8::7", "2001:db8::7"},
		{"IPv6 in brackets", "10.0.0.1", "[2001:db8::7]", "2001:db8::7"},
		{"IPv6 with port", "10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"},
		{"IPv6 zone", "10.0.0.1", "fe80::1%eth0", "fe80::1"},
		{"IPv6 zone in brackets", "10.0.0.1", "[fe80::1%25eth0]:1", "fe80::1"},
		{"mapped IPv4", "10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"},
		{"mapped proxy", "10.0.0.1", "198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7"},
		{"mapped peer", "::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"},
		{"IPv6 proxy", "fd00::1", "198.51.100.7, fd12::9", "198.51.100.7"},
		{"unknown", "10.0.0.1", "unknown", "10.0.0.1"},
		{"garbage behind a good hop", "10.0.0.1", "198.51.100.7, garbage, 10.0.0.2", "10.0.0.2"},
		{"garbage left of the client", "10.0.0.1", "<script>, 198.51.100.7", "198.51.100.7"},
		{"empty hop", "10.0.0.1", "198.51.100.7, ", "10.0.0.1"},
		{"only commas", "10.0.0.1", ",,,", "10.0.0.1"},
		{"address in disguise", "10.0.0.1", "0x7f.1", "10.0.0.1"},
		{"leading zeros", "10.0.0.1", "198.051.100.007", "10.0.0.1"},
		{"too many numbers", "10.0.0.1", "198.51.100.7.9", "10.0.0.1"},
		{"bad port", "10.0.0.1", "198.51.100.7:99999", "10.0.0.1"},
		{"IPv4 in brackets", "10.0.0.1", "[198.51.100.7]", "10.0.0.1"},
		{"unspecified", "10.0.0.1", "0.0.0.0", "10.0.0.1"},
		{"network", "10.0.0.1", "198.51.100.0/24", "10.0.0.1"},
		{"quoted", "10.0.0.1", `"198.51.100.7"`, "10.0.0.1"},
		{"loopback proxy", "127.0.0.1", "198.51.100.7", "198.51.100.7"},
		{"loopback that is none", "127.0.0.2", "198.51.100.7", "127.0.0.2"},
	} {
		peer := netip.MustParseAddr(c.peer).Unmap()
		if got := clientAddress(peer, strings.Split(c.forwarded, "|"), proxies); got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %s with %q is %s, want %s", c.name, c.peer, c.forwarded, got, c.want)
		}
	}
	if got := clientAddress(netip.MustParseAddr("127.0.0.1"), []string{"1.2.3.4"}, nil); got.String() != "127.0.0.1" {
		t.Errorf("without trusted proxies the header is read: %s", got)
	}
}

// Who has put a proxy in front and has not named it would have all voters at one address: the
// log says so, once and without an address.
func TestAddress_AProxyThatIsNotNamedIsTold(t *testing.T) {
	const said = "not among the trusted proxies"
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		header  string
		times   int
	}{
		"not named":                   {nil, "X-Forwarded-For: 203.0.113.9", 1},
		"named":                       {proxies, "X-Forwarded-For: 203.0.113.9", 0},
		"nobody forwards, none named": {nil, "X-Other: 203.0.113.9", 0},
	} {
		e := startOn(t, redistest.Shared(t).URL(), func(s *Server) { s.cfg.TrustedProxies = c.trusted })
		_, path := e.contest("")
		for range 2 {
			e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path), c.header).want(201, "")
		}
		log := e.log.String()
		if got := strings.Count(log, said); got != c.times || strings.Contains(log, "203.0.113") {
			t.Errorf("%s: told %d times, want %d\n%s", name, got, c.times, log)
		}
	}
}

// The answer is the peer or an address that stands in the header, and text left
// of the first stranger changes nothing.
func FuzzClientAddress(f *testing.F) {
	f.Add("9.9.9.9, 198.51.100.7, 10.0.0.2", "x")
	f.Add("[::1]:80,%", "1.2.3.4")
	f.Fuzz(func(t *testing.T, forwarded, more string) {
		peer := netip.MustParseAddr("10.0.0.1")
		got := clientAddress(peer, []string{forwarded}, proxies)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q gives %v", forwarded, got)
		}
		if !isTrusted(got, proxies) {
			if other := clientAddress(peer, []string{more + "," + forwarded}, proxies); other != got {
				t.Fatalf("%q before %q changes %v to %v", more, forwarded, got, other)
			}
		}
		if stranger := netip.MustParseAddr("203.0.113.9"); clientAddress(stranger, []string{forwarded}, proxies) != stranger {
			t.Fatalf("a stranger's %q is believed", forwarded)
		}
	})
}
