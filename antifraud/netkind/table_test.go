package netkind

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
)

func read(t testing.TB, text string) *Table {
	t.Helper()
	table := &Table{}
	if err := table.read("list", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return table
}

func TestLookup_TheNarrowestNetworkHolds(t *testing.T) {
	table := read(t, "\ufeff# networks\n192.0.2.0/24 hosting 64496\n192.0.2.128/25\tvpn # rented\n192.0.2.200 tor AS64497\n\n2001:db8::/32 mobile\n198.51.100.0/24 unknown 64498\n")
	for address, want := range map[string]Network{
		"192.0.2.1":          {antifraud.NetHosting, 64496},
		"::ffff:192.0.2.1":   {antifraud.NetHosting, 64496},
		"192.0.2.129":        {antifraud.NetVPN, 0},
		"192.0.2.200":        {antifraud.NetTor, 64497},
		"2001:db8:1::2":      {antifraud.NetMobile, 0},
		"2001:db8:1::2%eth0": {antifraud.NetMobile, 0},
		"198.51.100.1":       {antifraud.NetUnknown, 64498},
		"203.0.113.1":        {antifraud.NetUnknown, 0},
	} {
		if got := table.Lookup(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %+v, want %+v", address, got, want)
		}
	}
	if got := table.Lookup(netip.Addr{}); got.Kind != antifraud.NetUnknown {
		t.Errorf("no address: %+v", got)
	}
	if got := new(Table).Lookup(netip.MustParseAddr("192.0.2.1")); got.Kind != antifraud.NetUnknown {
		t.Errorf("an empty table: %+v", got)
	}
}

func TestRead_EachBadLineIsNamed(t *testing.T) {
	bad := []string{"192.0.2.0/24", "192.0.2.0/24 hosting 1 2", "192.0.2.1/24 hosting", "192.0.2.0/33 hosting", "::ffff:192.0.2.0/120 hosting", "fe80::1%eth0 hosting",
		"example.org hosting", "192.0.2.0/24 campus", "192.0.2.0/24 Hosting", "192.0.2.0/24 hosting x", "192.0.2.0/24 hosting 4294967296"}
	err := new(Table).read("list", strings.NewReader("10.0.0.0/8 hosting\n"+strings.Join(bad, "\n")))
	if err == nil {
		t.Fatal("all is taken")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(bad) {
		t.Fatalf("%d faults of %d:\n%v", len(lines), len(bad), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, fmt.Sprintf("list:%d: expected ", i+2)) {
			t.Errorf("%s", line)
		}
	}
	if err := new(Table).read("list", strings.NewReader(strings.Repeat("x\n", 1000))); strings.Count(err.Error(), "\n") != maxFaults {
		t.Errorf("%v", err)
	}
	if err := new(Table).read("list", strings.NewReader("\n"+strings.Repeat("x", 1<<17))); err == nil || err.Error() != "list:2: expected a line of at most 65536 bytes" {
		t.Errorf("a line without end: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("192.0.2.0/24 hosting 64496\n# \n::1 tor")
	f.Add("0.0.0.0/0 vpn\n::/0 mobile AS0")
	f.Fuzz(func(t *testing.T, text string) {
		table := &Table{}
		if err := table.read("list", strings.NewReader(text)); err != nil {
			return
		}
		for _, address := range []string{"192.0.2.1", "::1"} {
			if table.Lookup(netip.MustParseAddr(address)).Kind == "" {
				t.Errorf("no kind for %s in %q", address, text)
			}
		}
	})
}

// BenchmarkLookup is in 200,000 prefixes and then a database. The goal is 1 µs.
func BenchmarkLookup(b *testing.B) {
	table := &Table{}
	var addresses []netip.Addr
	for i := range 200_000 {
		address := netip.AddrFrom4([4]byte{byte(1 + i>>16), byte(i >> 8), byte(i), 0})
		table.prefixes.Insert(netip.PrefixFrom(address, 24), Network{Kind: antifraud.NetHosting})
		if i%200 == 0 {
			addresses = append(addresses, address.Next(), netip.AddrFrom4([4]byte{203, byte(i >> 8), byte(i), 1}))
		}
	}
	table.databases = append(table.databases, database(b, "203.0.113.0/24", map[string]any{"autonomous_system_number": uint32(64496)}))
	n := 0
	for b.Loop() {
		table.Lookup(addresses[n%len(addresses)])
		n++
	}
}
