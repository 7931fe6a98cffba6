package play

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/internal/ndjson"
)

// Where the laboratory's voters come from: networks for benchmarks (RFC 2544), for
// documents (RFC 3849) and those between carriers and their customers (RFC 6598). No
// person is behind any of them.
var (
	hosting     = netip.MustParsePrefix("198.18.0.0/16")
	tunnels     = netip.MustParsePrefix("198.19.0.0/17")
	campuses    = netip.MustParsePrefix("198.19.128.0/17") // told by the contest, not by lists
	mobile      = netip.MustParsePrefix("100.64.0.0/10")
	residential = netip.MustParsePrefix("2001:db8::/33")
	unlisted    = netip.MustParsePrefix("2001:db8:8000::/33")
)

// landlords is how many autonomous systems each kind of network has: halves of
// halves of its prefix.
const landlords = 8

// plan is what lists of networks tell of the laboratory's.
var plan = []struct {
	prefix netip.Prefix
	kind   antifraud.NetKind
	asn    uint32 // the first of its landlords'; of those for private use (RFC 6996)
}{
	{hosting, antifraud.NetHosting, 4_200_000_000},
	{tunnels, antifraud.NetVPN, 4_200_000_100},
	{mobile, antifraud.NetMobile, 4_200_000_200},
	{residential, antifraud.NetResidential, 4_200_000_300},
}

// networksFile is the name of the list that WriteNetworks writes.
const networksFile = "farmlab.txt"

// WriteNetworks writes, into a folder that is made where there is none, the list by which
// a server knows the kinds of the laboratory's networks: for its --networks.
func WriteNetworks(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return ndjson.WriteWhole(filepath.Join(folder, networksFile), func(to *bufio.Writer) error {
		fmt.Fprintln(to, "# networks of the farm laboratory: for trials, and nobody's")
		for _, one := range plan {
			for i := range landlords {
				if _, err := fmt.Fprintln(to, part(one.prefix, i), one.kind, one.asn+uint32(i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// part is one eighth of a prefix.
func part(of netip.Prefix, i int) netip.Prefix {
	bytes := of.Addr().AsSlice()
	for bit := range 3 {
		if i>>(2-bit)&1 == 1 {
			at := of.Bits() + bit
			bytes[at/8] |= 0x80 >> (at % 8)
		}
	}
	address, _ := netip.AddrFromSlice(bytes) // of the length it had
	return netip.PrefixFrom(address, of.Bits()+3)
}

func prefixOf(kind antifraud.NetKind) netip.Prefix {
	switch kind {
	case antifraud.NetHosting:
		return hosting
	case antifraud.NetVPN, antifraud.NetTor:
		return tunnels
	case antifraud.NetMobile:
		return mobile
	case antifraud.NetCampus:
		return campuses
	case antifraud.NetResidential:
		return residential
	}
	return unlisted
}

// streets give the names of networks, blocks and addresses in evidence addresses of
// their own: what is one stays one, and neighbours stay neighbours.
type streets struct {
	blocks map[string]netip.Prefix
	taken  map[netip.Prefix]bool
	homes  map[string]netip.Addr
	used   map[netip.Addr]bool
}

func newStreets() *streets {
	return &streets{map[string]netip.Prefix{}, map[netip.Prefix]bool{}, map[string]netip.Addr{}, map[netip.Addr]bool{}}
}

// address is where an act comes from. Where a kind has no block or address left,
// strangers share one, as the log then does.
func (s *streets) address(act *attack.Act) netip.Addr {
	e := &act.Evidence
	if a, known := s.homes[e.Net]; known {
		return a
	}
	block, known := s.blocks[e.Block]
	if !known {
		landlord := part(prefixOf(e.NetKind), int(e.ASN%landlords))
		bits := 24
		if landlord.Addr().Is6() {
			bits = 48
		}
		for try := range 64 {
			block, _ = within(landlord, hash(e.Block, try)).Prefix(bits)
			if !s.taken[block] {
				break
			}
		}
		s.blocks[e.Block], s.taken[block] = block, true
	}
	var a netip.Addr
	for try := range 64 {
		a = within(block, hash(e.Net, try)|1) // not the network's own
		if !s.used[a] {
			break
		}
	}
	s.homes[e.Net], s.used[a] = a, true
	return a
}

func hash(name string, try int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, name, " ", try)
	return h.Sum64()
}

// within is the address of a prefix whose lower bits are of n.
func within(p netip.Prefix, n uint64) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(bytes); bit++ {
		if from := 8*len(bytes) - 1 - bit; n>>(from%64)&1 == 1 {
			bytes[bit/8] |= 0x80 >> (bit % 8)
		}
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}
