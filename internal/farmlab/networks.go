package farmlab

import "github.com/joute/joute/antifraud"

// address is what evidence tells of where an attempt came from.
type address struct {
	net, block string
	asn        uint32
	kind       antifraud.NetKind
}

// provider is a network with a number of its own.
type provider struct {
	asn    uint32
	blocks []string
	exits  []address // that many share: a carrier's translated addresses, a VPN's exits
	busy   odds      // how many are behind each exit
}

// nets are the networks of a country, as far as voters see it.
type nets struct {
	homes, carriers, tunnels, hosts []provider
	homeShare, carrierShare         odds
	kinds                           map[string]antifraud.NetKind // by block, as tables tell it
}

func (w *world) newNets() {
	n := &w.nets
	n.kinds = map[string]antifraud.NetKind{}
	next := uint32(w.between(2000, 60_000))
	add := func(kind antifraud.NetKind, blocks, exits int) provider {
		next += uint32(w.between(1, 900))
		p := provider{asn: next}
		for range max(1, blocks) {
			p.blocks = append(p.blocks, w.block(kind))
		}
		for range exits {
			p.exits = append(p.exits, w.addressOf(p))
		}
		if exits > 0 {
			p.busy = zipf(w.dice, exits, w.real(0.4, 1.2))
		}
		return p
	}
	voters := w.mix.Voters + 1000
	providers := w.between(3, 9)
	for range providers {
		n.homes = append(n.homes, add(antifraud.NetResidential, voters/providers/w.between(2, 9), 0))
	}
	for range w.between(2, 4) {
		n.carriers = append(n.carriers, add(antifraud.NetMobile, w.between(2, 12), max(4, voters/w.between(60, 600))))
	}
	for range w.between(3, 8) {
		kind := antifraud.NetVPN
		if w.chance(0.5) { // tables call many a VPN what its landlord is
			kind = antifraud.NetHosting
		}
		n.tunnels = append(n.tunnels, add(kind, w.between(1, 4), w.between(2, 12)))
	}
	for range w.between(8, 20) {
		n.hosts = append(n.hosts, add(antifraud.NetHosting, w.between(1, 6), 0))
	}
	n.homeShare = zipf(w.dice, len(n.homes), 0.8)
	n.carrierShare = zipf(w.dice, len(n.carriers), 0.7)
}

// block is a new one, of a kind that tables know or not.
func (w *world) block(kind antifraud.NetKind) string {
	name := w.name()
	if w.chance(w.mix.Members.UnknownNets) {
		kind = antifraud.NetUnknown
	}
	w.nets.kinds[name] = kind
	return name
}

// addressOf is a new address of a provider.
func (w *world) addressOf(p provider) address {
	block := pick(w.dice, p.blocks)
	return address{net: w.name(), block: block, asn: p.asn, kind: w.nets.kinds[block]}
}

// home is the address of a household that nobody has been seen from.
func (w *world) home() address { return w.addressOf(w.nets.homes[w.nets.homeShare.draw(w.dice)]) }

// onMobile is one of the few addresses behind which a carrier has its customers.
func (w *world) onMobile() address {
	p := w.nets.carriers[w.nets.carrierShare.draw(w.dice)]
	return p.exits[p.busy.draw(w.dice)]
}

// tunnel is an exit of a VPN, which strangers share.
func (w *world) tunnel() address {
	p := pick(w.dice, w.nets.tunnels)
	return p.exits[p.busy.draw(w.dice)]
}

// rented are n new addresses of data centres, from that many of them, neighbours
// by the block.
func (w *world) rented(n, landlords int) []address {
	hosts := some(w.dice, w.nets.hosts, landlords)
	all := make([]address, n)
	for i := range all {
		p := hosts[i%len(hosts)]
		p.blocks = p.blocks[:1]
		all[i] = w.addressOf(p)
	}
	return all
}

// proxies are n addresses of homes whose owners do not know it. With that share
// the owner votes too: the address is one that was seen before.
func (w *world) proxies(n int, owned float64) []address {
	all := make([]address, n)
	for i := range all {
		if len(w.households) > 0 && w.chance(owned) {
			all[i] = pick(w.dice, w.households)
		} else {
			all[i] = w.home()
		}
	}
	return all
}
