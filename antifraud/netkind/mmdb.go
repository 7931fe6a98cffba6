package netkind

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/joute/joute/antifraud"
)

// record are the members that databases of this format have for what we ask: those
// of autonomous systems, of anonymous networks and of connection types, each
// vendor's under the names that MaxMind gave them. Others are passed over.
type record struct {
	ASN        uint32 `maxminddb:"autonomous_system_number"`
	Hosting    bool   `maxminddb:"is_hosting_provider"`
	VPN        bool   `maxminddb:"is_anonymous_vpn"`
	Tor        bool   `maxminddb:"is_tor_exit_node"`
	Connection string `maxminddb:"connection_type"`
	UserType   string `maxminddb:"user_type"`
}

// openDatabase reads a database whole: a file that is replaced meanwhile changes
// nothing of it.
func openDatabase(file string) (*maxminddb.Reader, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	database, err := maxminddb.OpenBytes(bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: not a database in MaxMind's format: %w", file, err)
	}
	return database, nil
}

// ask is what a database says of an address. What it does not have, or what of it
// cannot be read, is unknown: the vote goes on without.
func ask(database *maxminddb.Reader, address netip.Addr) Network {
	var r record
	if err := database.Lookup(address).Decode(&r); err != nil {
		return Network{}
	}
	return Network{Kind: r.kind(), ASN: r.ASN}
}

// kind is the strongest that is said: an exit of Tor stands in some data centre.
func (r *record) kind() antifraud.NetKind {
	user, connection := strings.ToLower(r.UserType), strings.ToLower(r.Connection)
	switch {
	case r.Tor:
		return antifraud.NetTor
	case r.VPN:
		return antifraud.NetVPN
	case r.Hosting || user == "hosting":
		return antifraud.NetHosting
	case connection == "cellular" || user == "cellular":
		return antifraud.NetMobile
	case connection == "cable/dsl" || user == "residential":
		return antifraud.NetResidential
	}
	return ""
}
