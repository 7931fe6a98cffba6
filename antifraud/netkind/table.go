// Package netkind says of which kind a network is: a data centre, a VPN, a carrier.
//
// It knows what files of the operator's tell and nothing else: what is in none
// is unknown. Lists of such networks come with licences that keep them out of a
// program, and are old within weeks.
package netkind

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"
	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/joute/joute/antifraud"
)

// Network is what is known of an address.
type Network struct {
	Kind antifraud.NetKind // never empty
	ASN  uint32            // 0: not known
}

// Table holds networks. It is not changed once read, and may be shared. The zero
// value knows none.
type Table struct {
	prefixes  bart.Table[Network]
	databases []*maxminddb.Reader
}

// Lookup is what is known of the narrowest network that an address is of: what a
// prefix list does not say, databases may.
func (t *Table) Lookup(address netip.Addr) Network {
	address = address.Unmap().WithZone("")
	if !address.IsValid() {
		return Network{Kind: antifraud.NetUnknown}
	}
	found, _ := t.prefixes.Lookup(address)
	for _, database := range t.databases {
		if known(found.Kind) && found.ASN != 0 {
			break
		}
		other := ask(database, address)
		if !known(found.Kind) {
			found.Kind = other.Kind
		}
		if found.ASN == 0 {
			found.ASN = other.ASN
		}
	}
	if found.Kind == "" {
		found.Kind = antifraud.NetUnknown
	}
	return found
}

func known(kind antifraud.NetKind) bool { return kind != "" && kind != antifraud.NetUnknown }

// Size is how many prefixes there are.
func (t *Table) Size() int { return t.prefixes.Size() }

// maxFaults is how many bad lines are told; a file of another kind has them all.
const maxFaults = 20

// read adds a list: a network, its kind and perhaps the number of its autonomous
// system a line; # begins a comment. Of a network that is told twice the last line
// holds. The error has a line NAME:LINE for each of the first lines that are wrong.
func (t *Table) read(name string, r io.Reader) error {
	var faults []error
	lines, number := bufio.NewScanner(r), 0
	for lines.Scan() {
		number++
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		prefix, network, err := parseLine(fields)
		if err == nil {
			t.prefixes.Insert(prefix, network)
			continue
		}
		if len(faults) == maxFaults {
			return errors.Join(append(faults, fmt.Errorf("%s:%d and perhaps others", name, number))...)
		}
		faults = append(faults, fmt.Errorf("%s:%d: %w", name, number, err))
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		faults = append(faults, fmt.Errorf("%s:%d: expected a line of at most %d bytes", name, number+1, bufio.MaxScanTokenSize))
	} else if err != nil {
		faults = append(faults, fmt.Errorf("%s:%d: %w", name, number+1, err))
	}
	return errors.Join(faults...)
}

func parseLine(fields []string) (netip.Prefix, Network, error) {
	if len(fields) < 2 || len(fields) > 3 {
		return netip.Prefix{}, Network{}, fmt.Errorf("expected NETWORK KIND [ASN], found %d words", len(fields))
	}
	prefix, err := parsePrefix(fields[0])
	if err != nil {
		return netip.Prefix{}, Network{}, fmt.Errorf("expected a network such as 192.0.2.0/24 or 2001:db8::/32, found %.60q", fields[0])
	}
	network := Network{Kind: antifraud.NetKind(fields[1])}
	switch network.Kind {
	case antifraud.NetHosting, antifraud.NetVPN, antifraud.NetTor, antifraud.NetMobile, antifraud.NetResidential, antifraud.NetUnknown:
	default: // campuses are in contests, each its own
		return netip.Prefix{}, Network{}, fmt.Errorf("expected hosting, vpn, tor, mobile, residential or unknown, found %.60q", fields[1])
	}
	if len(fields) == 3 {
		asn, err := strconv.ParseUint(strings.TrimPrefix(fields[2], "AS"), 10, 32)
		if err != nil {
			return netip.Prefix{}, Network{}, fmt.Errorf("expected the number of an autonomous system such as 64496, found %.60q", fields[2])
		}
		network.ASN = uint32(asn)
	}
	return prefix, network, nil
}

// parsePrefix reads a network, or one address; bits beyond its length must be zero,
// as they are a slip that would be of another network.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() || prefix != prefix.Masked() {
		return netip.Prefix{}, errors.New("not a network")
	}
	return prefix, nil
}
