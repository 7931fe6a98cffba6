package redistest

// place is where a server runs. The zero value is loopback.
type place struct {
	Host  string   // the address that nodes of a cluster and stores know it by
	Admin string   // another address of it, for the test's own client; empty: the same
	Enter []string // command that runs the server there, such as nsenter with its flags
}

func (p place) host() string {
	if p.Host == "" {
		return "127.0.0.1"
	}
	return p.Host
}

func (p place) admin() string {
	if p.Admin == "" {
		return p.host()
	}
	return p.Admin
}
