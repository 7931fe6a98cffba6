package web

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// person is somebody whose every detail holds a word that nothing of ours does:
// whatever part of a detail comes out, in whichever form, the word is in it.
type person struct {
	first, name, username, email, member string
	address                              netip.Addr
	agent, device                        string
}

// The words. Addresses have a network of their own instead: one for documents
// and one for measurements, which no test uses elsewhere.
var (
	needleWords = []string{"quatrevingt", "Zéphyrine"}
	needleNet4  = netip.MustParsePrefix("198.19.0.0/16")
	needleNet6  = netip.MustParsePrefix("2001:db8:5eed::/48")
)

func personOf(n int) person {
	p := person{
		first: "Zéphyrine", name: fmt.Sprintf("Zéphyrine Quatrevingt-%04d", n), username: fmt.Sprintf("quatrevingt%04d", n),
		email:  fmt.Sprintf("z.quatrevingt.%04d@mail-%04d.quatrevingt.example", n, n),
		member: fmt.Sprintf("member-quatrevingt-%04d", n),
		agent:  fmt.Sprintf("Quatrevingt/%d.0 (Telephone; fr)", n), device: fmt.Sprintf("fp-quatrevingt-%04d", n),
	}
	if n%2 == 0 {
		a := needleNet4.Addr().As4()
		a[2], a[3] = byte(100+n/156), byte(100+n%156) // three digits each, so that without dots it is still long
		p.address = netip.AddrFrom4(a)
	} else {
		a := needleNet6.Addr().As16()
		a[6], a[7], a[15] = byte(n>>8), byte(n), 1
		p.address = netip.AddrFrom16(a)
	}
	return p
}

// needle is a form in which a detail would be recognized.
type needle struct {
	what  string
	bytes []byte
	fold  bool // whatever the case: the text is lower case
}

// needles are the forms of everything the people are known by.
func needles(people []person) (all []needle) {
	text := func(what, s string) {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), jsonText(s), strings.ReplaceAll(s, "é", `\u00e9`)} {
			all = append(all, needle{what, []byte(strings.ToLower(form)), true})
		}
	}
	raw := func(what string, b []byte) {
		all = append(all, needle{what + " in hex", []byte(hex.EncodeToString(b)), true})
		for _, form := range base64Of(b) {
			all = append(all, needle{what + " in base64", []byte(form), false})
		}
	}
	for _, word := range needleWords {
		text(word, word)
		for _, spelt := range []string{word, strings.ToLower(word), strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:]} {
			raw(spelt, []byte(spelt))
		}
	}
	text("an IPv4 address", "198.19.")
	raw("an IPv4 address", []byte("198.19."))
	text("an IPv6 address", "2001:db8:5eed")
	raw("an IPv6 address", []byte("2001:db8:5eed"))
	packed := needleNet6.Addr().AsSlice()[:6]
	all = append(all, needle{"an IPv6 address, packed", packed, false})
	raw("an IPv6 address, packed", packed)
	for _, p := range people[:min(len(people), 100)] {
		if p.address.Is4() {
			text("an IPv4 address without dots", strings.ReplaceAll(p.address.String(), ".", ""))
		}
	}
	// A hash that needs no key is as good as the value: few addresses are not in
	// somebody's list. Some people are enough to see whether there is one.
	for _, p := range people[:min(len(people), 2)] {
		for _, value := range []string{p.email, p.address.String(), p.member, p.username, p.agent, p.device} {
			m, s1, s2 := md5.Sum([]byte(value)), sha1.Sum([]byte(value)), sha256.Sum256([]byte(value))
			for what, sum := range map[string][]byte{"MD5": m[:], "SHA-1": s1[:], "SHA-256": s2[:16]} {
				all = append(all, needle{what + " of " + value, sum, false})
				raw(what+" of "+value, sum[:12])
			}
		}
	}
	slices.SortFunc(all, func(a, b needle) int { return bytes.Compare(a.bytes, b.bytes) })
	return slices.CompactFunc(all, func(a, b needle) bool { return bytes.Equal(a.bytes, b.bytes) && a.fold == b.fold })
}

func jsonText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form
	}
	return strings.Trim(string(text), `"`)
}

// base64Of are the texts that stand for b within a longer value, wherever it
// begins, in both alphabets: the first and last characters depend on what is
// beside it.
func base64Of(b []byte) (forms []string) {
	for shift := range 3 {
		padded := append(make([]byte, shift), b...)
		from, to := (shift*8+5)/6, len(padded)*8/6
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, alphabet.EncodeToString(padded)[from:to])
		}
	}
	return forms
}

// found says which needles are in a text, with what is around each.
func found(all []needle, text []byte) (hits []string) {
	folded := bytes.ToLower(text)
	for _, n := range all {
		in := text
		if n.fold {
			in = folded
		}
		if i := bytes.Index(in, n.bytes); i >= 0 {
			hits = append(hits, fmt.Sprintf("%s: …%q…", n.what, in[max(0, i-40):min(len(in), i+len(n.bytes)+40)]))
		}
	}
	return hits
}

// The control of the whole search: each detail of a person is found, in each form.
func TestNeedles_AreFoundInEveryForm(t *testing.T) {
	people := []person{personOf(0), personOf(1)}
	all := needles(people)
	if len(found(all, []byte(`{"net":"n3vJx2mQ8","voter":"0123456789abcdefghijklmnop","at":"2026-11-17T12:00:00.123Z","ms":1795003200123}`))) != 0 {
		t.Error("something is found where nothing is")
	}
	for _, p := range people {
		for _, value := range []string{p.name, p.username, p.email, p.email[:14], p.email[15:], p.member, p.address.String(), p.agent, p.device} {
			longer := "a=" + value + "&"
			for form, text := range map[string]string{
				"as it is": longer, "upper": strings.ToUpper(longer), "url": "x=" + url.QueryEscape(value), "path": url.PathEscape(value), "json": jsonText(longer),
				"hex": hex.EncodeToString([]byte(longer)), "base64": base64.StdEncoding.EncodeToString([]byte(longer)), "base64url": base64.RawURLEncoding.EncodeToString([]byte("-" + longer)), "base64, else": base64.StdEncoding.EncodeToString([]byte("--" + longer)),
			} {
				if len(found(all, []byte("before "+text+" after"))) == 0 {
					t.Errorf("%s %s is not found in %q", value, form, text)
				}
			}
			sum := sha256.Sum256([]byte(value))
			hashed := slices.Contains([]string{p.username, p.email, p.member, p.address.String(), p.agent, p.device}, value)
			if hashed && (len(found(all, sum[:])) == 0 || len(found(all, []byte(hex.EncodeToString(sum[:])))) == 0) {
				t.Errorf("a hash of %s is not found", value)
			}
		}
		if p.address.Is4() && len(found(all, []byte("x"+strings.ReplaceAll(p.address.String(), ".", "")))) == 0 {
			t.Errorf("%s without dots is not found", p.address)
		}
		if packed := p.address.AsSlice(); p.address.Is6() && (len(found(all, packed)) == 0 || len(found(all, []byte(base64.StdEncoding.EncodeToString(packed)))) == 0) {
			t.Errorf("%s packed is not found", p.address)
		}
	}
}
