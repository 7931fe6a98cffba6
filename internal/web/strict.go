package web

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// plainHead says that there is one way to read the head of a request. fasthttp
// lets pass, as RFC 9112 allows, what proxies in front may read otherwise: line
// feeds without a carriage return, folded lines, names with spaces, versions that
// are none, and two hosts, one in the address. Whoever needs none of it refuses it.
func plainHead(h *fasthttp.RequestHeader) bool {
	switch string(h.Protocol()) {
	case "HTTP/1.1", "HTTP/1.0":
	default:
		return false
	}
	return plainHost(h) && plainLines(h.RawHeaders())
}

func plainHost(h *fasthttp.RequestHeader) bool {
	host := h.Host()
	for _, c := range host {
		if !hostByte[c] {
			return false
		}
	}
	target := h.RequestURI()
	if len(target) > 0 && target[0] == '/' || string(target) == "*" {
		return true
	}
	_, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok {
		return false
	}
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return bytes.EqualFold(rest[:end], host)
}

// plainLines checks lines up to the empty one that ends them.
func plainLines(raw []byte) bool {
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return false
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			return true
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 {
			return false
		}
		for _, c := range line[:colon] {
			if c <= ' ' || c == 0x7f {
				return false
			}
		}
	}
	return true
}

// hostByte are the bytes of a host and a port: names, IPv4 and IPv6.
var hostByte = func() (allowed [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%") {
		allowed[c] = true
	}
	return allowed
}()
