package web

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// address is the client's, as far as it can be believed. It is for evidence and
// limits; it is in no log and no answer.
func (s *Server) address(c *fiber.Ctx) netip.Addr {
	peer := peerOf(c)
	var room [4]string // a chain is seldom longer
	forwarded := room[:0]
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, string(line))
	}
	if len(forwarded) > 0 && isNear(peer) && !isTrusted(peer, s.cfg.TrustedProxies) {
		s.unnamedProxy.Do(func() {
			s.log.Warn("somebody in a private network forwards requests and is not among the trusted proxies: if it is a proxy, all its visitors count as one address; name it in --trusted-proxies")
		})
	}
	return clientAddress(peer, forwarded, s.cfg.TrustedProxies)
}

// peerOf is who holds the other end of the connection.
func peerOf(c *fiber.Ctx) (peer netip.Addr) {
	if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		peer = tcp.AddrPort().Addr().Unmap()
	}
	return peer
}

// isNear tells an address of this machine or of a private network (RFC 1918 and 4193, and
// those of the link).
func isNear(peer netip.Addr) bool {
	return peer.IsLoopback() || peer.IsPrivate() || peer.IsLinkLocalUnicast()
}

// clientAddress walks back from the peer over the proxies we trust, each of
// which wrote the address to its left: the first one that is no such proxy is
// the client. What stands further left is the client's own text. Where a hop
// cannot be read, the last one that could be is the answer.
func clientAddress(peer netip.Addr, forwarded []string, trusted []netip.Prefix) netip.Addr {
	client := peer
	if !isTrusted(peer, trusted) {
		return client
	}
	for hops := strings.Join(forwarded, ","); ; {
		comma := strings.LastIndexByte(hops, ',')
		hop, ok := parseHop(hops[comma+1:])
		if !ok {
			return client
		}
		client = hop
		if comma < 0 || !isTrusted(hop, trusted) {
			return client
		}
		hops = hops[:comma]
	}
}

func isTrusted(address netip.Addr, trusted []netip.Prefix) bool {
	for _, prefix := range trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// parseHop reads what proxies write: an address, with a port (1.2.3.4:5,
// [::1]:5), in brackets, with a zone.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(text); err == nil {
		return plain(address)
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		return plain(at.Addr())
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if text, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(text, ":") {
			return netip.Addr{}, false
		}
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, false
	}
	return plain(address)
}

func plain(address netip.Addr) (netip.Addr, bool) {
	address = address.WithZone("").Unmap()
	return address, !address.IsUnspecified()
}
