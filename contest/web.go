package contest

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var (
	hostShape  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	localShape = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$")
	portShape  = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
)

// site takes the origin out of an address: https, or http on loopback. Hosts are
// ASCII (an international name in its xn-- form, as browsers send it), lower
// case, and a default port is dropped, so equal origins are equal strings.
func site(s string) (origin string, u *url.URL, ok bool) {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`\"'<>`+"`", r) }) {
		return "", nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || strings.HasSuffix(u.Host, ":") {
		return "", nil, false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	address, notAddress := netip.ParseAddr(host)
	loopback := host == "localhost" || notAddress == nil && address.IsLoopback()
	if notAddress != nil && !domain(host) || port != "" && !portShape.MatchString(port) {
		return "", nil, false
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return "", nil, false
	}
	if address.Is6() {
		if address.Zone() != "" {
			return "", nil, false
		}
		host = "[" + address.String() + "]"
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, u, true
}

// domain tells whether s is a host name, and not an address in disguise such as 127.1.
func domain(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	return len(s) <= 253 && hostShape.MatchString(s) && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

// origin reads the exact origin of an embedding page.
func origin(v value) string {
	o, u, ok := site(v.text)
	if v.kind != kindString || !ok || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(v.text, "#") {
		v.expected("an origin such as https://blog.example.org, without a path (http only on loopback)")
		return ""
	}
	return o
}

// link reads an address that pages link to.
func link(v value) string {
	_, _, ok := site(v.text)
	if v.kind != kindString || !ok || len(v.text) > maxLink {
		v.expected("an https address of at most %d characters (http only on loopback)", maxLink)
		return ""
	}
	return v.text
}

// contact reads an e-mail address or a link.
func contact(v value) string {
	local, host, found := strings.Cut(v.text, "@")
	if v.kind == kindString && found && localShape.MatchString(local) && domain(strings.ToLower(host)) {
		return v.text
	}
	if _, _, ok := site(v.text); v.kind != kindString || !ok || len(v.text) > maxLink {
		v.expected("an e-mail or https address")
		return ""
	}
	return v.text
}

// emailDomain reads the part of a school's addresses after the @.
func emailDomain(v value) string {
	s := strings.ToLower(v.text)
	if v.kind != kindString || !domain(s) || !strings.Contains(s, ".") {
		v.expected("a domain such as edu.example.org (an international one in its xn-- form)")
		return ""
	}
	return s
}

func video(v value) *Video {
	found, ok := parseVideo(v.text)
	if v.kind != kindString || !ok {
		v.expected("the address of a YouTube, Vimeo or Dailymotion video")
		return nil
	}
	return &found
}
