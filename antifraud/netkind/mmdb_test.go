package netkind

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/joute/joute/antifraud"
)

// encode writes a value as MaxMind's format does ("MaxMind DB File Format
// Specification", version 2.0).
func encode(value any) []byte {
	switch v := value.(type) {
	case string:
		return append([]byte{2<<5 | byte(len(v))}, v...) // below 29 bytes
	case uint16:
		return binary.BigEndian.AppendUint16([]byte{5<<5 | 2}, v)
	case uint32:
		return binary.BigEndian.AppendUint32([]byte{6<<5 | 4}, v)
	case uint64:
		return binary.BigEndian.AppendUint64([]byte{8, 2}, v)
	case bool:
		if v {
			return []byte{1, 7}
		}
		return []byte{0, 7}
	case []string:
		b := []byte{byte(len(v)), 4}
		for _, item := range v {
			b = append(b, encode(item)...)
		}
		return b
	case map[string]any:
		b := []byte{7<<5 | byte(len(v))}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = append(append(b, encode(name)...), encode(v[name])...)
		}
		return b
	}
	panic(fmt.Sprintf("%T", value))
}

// databaseOf is a database of one IPv4 network: a chain of nodes, one a bit.
func databaseOf(network string, record map[string]any) []byte {
	prefix := netip.MustParsePrefix(network)
	address, nodes := prefix.Addr().As4(), prefix.Bits()
	var b []byte
	for bit := range nodes {
		next := bit + 1
		if next == nodes {
			next = nodes + 16 // the first record of the data section
		}
		branches := [2]int{nodes, nodes} // nothing is known
		branches[address[bit/8]>>(7-bit%8)&1] = next
		for _, to := range branches {
			b = append(b, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	b = append(b, make([]byte, 16)...)
	b = append(b, encode(record)...)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	return append(b, encode(map[string]any{
		"node_count": uint32(nodes), "record_size": uint16(24), "ip_version": uint16(4), "database_type": "Test", "languages": []string{"en"},
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1), "description": map[string]any{"en": "test"},
	})...)
}

func database(t testing.TB, network string, record map[string]any) *maxminddb.Reader {
	t.Helper()
	d, err := maxminddb.OpenBytes(databaseOf(network, record))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLookup_DatabasesSayWhatListsDoNot(t *testing.T) {
	inside, outside := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("203.0.114.5")
	for _, row := range []struct {
		list    string
		records []map[string]any
		want    Network
	}{
		{"", []map[string]any{{"autonomous_system_number": uint32(64496)}}, Network{antifraud.NetUnknown, 64496}},
		{"", []map[string]any{{"is_hosting_provider": true}}, Network{antifraud.NetHosting, 0}},
		{"", []map[string]any{{"is_hosting_provider": true, "is_anonymous_vpn": true}}, Network{antifraud.NetVPN, 0}},
		{"", []map[string]any{{"is_hosting_provider": true, "is_tor_exit_node": true}}, Network{antifraud.NetTor, 0}},
		{"", []map[string]any{{"connection_type": "Cellular"}}, Network{antifraud.NetMobile, 0}},
		{"", []map[string]any{{"connection_type": "Cable/DSL"}}, Network{antifraud.NetResidential, 0}},
		{"", []map[string]any{{"connection_type": "Corporate"}}, Network{antifraud.NetUnknown, 0}},
		{"", []map[string]any{{"user_type": "hosting"}}, Network{antifraud.NetHosting, 0}},
		{"", []map[string]any{{"autonomous_system_number": "a text"}}, Network{antifraud.NetUnknown, 0}},
		{"", []map[string]any{{"autonomous_system_number": uint32(64496)}, {"is_hosting_provider": true}}, Network{antifraud.NetHosting, 64496}},
		{"203.0.113.0/24 residential", []map[string]any{{"is_hosting_provider": true, "autonomous_system_number": uint32(7)}}, Network{antifraud.NetResidential, 7}},
		{"203.0.113.0/24 unknown 9", []map[string]any{{"is_hosting_provider": true, "autonomous_system_number": uint32(7)}}, Network{antifraud.NetHosting, 9}},
	} {
		table := read(t, row.list)
		for _, record := range row.records {
			table.databases = append(table.databases, database(t, "203.0.113.0/24", record))
		}
		if got := table.Lookup(inside); got != row.want {
			t.Errorf("%q %v: %+v, want %+v", row.list, row.records, got, row.want)
		}
		if got := table.Lookup(outside); got != (Network{Kind: antifraud.NetUnknown}) {
			t.Errorf("%q %v: outside %+v", row.list, row.records, got)
		}
	}
}

// A database that is damaged is refused, or tells less: nothing it says ends a vote.
func FuzzDatabase(f *testing.F) {
	f.Add(databaseOf("192.0.2.0/24", map[string]any{"is_hosting_provider": true, "autonomous_system_number": uint32(64500)}))
	f.Add([]byte("\xab\xcd\xefMaxMind.com"))
	f.Fuzz(func(t *testing.T, bytes []byte) {
		database, err := maxminddb.OpenBytes(bytes)
		if err != nil {
			return
		}
		for _, address := range []string{"192.0.2.1", "2001:db8::1", "::"} {
			ask(database, netip.MustParseAddr(address))
		}
	})
}
