package antifraud_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/joute/joute/antifraud"
)

func attempt() antifraud.Attempt {
	followers, verified := int64(10), true
	created := time.Date(2026, 12, 29, 12, 0, 0, 0, time.UTC)
	return antifraud.Attempt{
		At: created.Add(72 * time.Hour), Level: "device",
		Address: netip.MustParseAddr("192.0.2.17"), UserAgent: "Mozilla/5.0 (a phone)",
		Client:  antifraud.Client{Device: "fingerprint-of-a-phone", Via: "s7", Referrer: antifraud.ReferrerShare},
		Profile: &antifraud.Profile{Followers: &followers, CreatedAt: &created, Name: "Ada Lovelace", Username: "ada4242xyz", EmailVerified: &verified},
	}
}

func TestEvidence_ShowsNothingInClear(t *testing.T) {
	key := antifraud.NewEvidenceKey([]byte{1})
	text, err := json.Marshal(key.Evidence(attempt()))
	if err != nil {
		t.Fatal(err)
	}
	for _, clear := range []string{"192.0.2", "Mozilla", "phone", "fingerprint", "Lovelace", "ada4242xyz"} {
		if strings.Contains(string(text), clear) {
			t.Errorf("%q is in %s", clear, text)
		}
	}
	e := key.Evidence(attempt())
	if *e.Profile.AgeDays != 3 || *e.Profile.NameDigits != 0.4 || e.Via != "s7" {
		t.Errorf("%s", text)
	}
}

func TestEvidence_EqualMeansEqualUnderOneKeyOnly(t *testing.T) {
	key := antifraud.NewEvidenceKey([]byte{1})
	first, again := key.Evidence(attempt()), key.Evidence(attempt())
	if first.Net != again.Net || first.Device != again.Device || first.Agent != again.Agent || first.Block != again.Block {
		t.Fatal("the same attempt gives other hashes")
	}
	if elsewhere := antifraud.NewEvidenceKey([]byte{2}).Evidence(attempt()); elsewhere.Net == first.Net {
		t.Fatal("hashes of two contests can be compared")
	}
	// One value in two roles is not seen to be one.
	a := attempt()
	a.UserAgent = a.Client.Device
	if e := key.Evidence(a); e.Agent == e.Device {
		t.Fatal("roles share hashes")
	}
}

func TestEvidence_Blocks(t *testing.T) {
	key := antifraud.NewEvidenceKey([]byte{1})
	block := func(address string) string {
		a := attempt()
		a.Address = netip.MustParseAddr(address)
		return key.Evidence(a).Block
	}
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.17", "192.0.2.200", true},
		{"192.0.2.17", "192.0.3.17", false},
		{"192.0.2.17", "::ffff:192.0.2.17", true},
		{"2001:db8:1:2::3", "2001:db8:1:ffff::9", true},
		{"2001:db8:1::3", "2001:db8:2::3", false},
		{"fe80::1%eth0", "fe80::1", true},
	} {
		if same := block(row.a) == block(row.b); same != row.same {
			t.Errorf("%s and %s: same block %v", row.a, row.b, same)
		}
	}
}

func TestEvidence_WhatWasNotSeenIsAbsent(t *testing.T) {
	text, err := json.Marshal(antifraud.NewEvidenceKey([]byte{1}).Evidence(antifraud.Attempt{}))
	if err != nil || string(text) != "{}" {
		t.Fatalf("%s, %v", text, err)
	}
}

func TestEvidence_HasEveryMemberOfAClient(t *testing.T) {
	members := func(v any) (names map[string]any) {
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, &names)
		}
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	client := whole[antifraud.Client]()
	kept := members(antifraud.NewEvidenceKey([]byte{1}).Evidence(antifraud.Attempt{Client: client}))
	for name := range members(client) {
		if kept[name] == nil {
			t.Errorf("what a page says as %s is not kept", name)
		}
	}
}

func TestEvidence_AppendJSONWritesWhatMarshalDoes(t *testing.T) {
	same := func(e antifraud.Evidence) bool {
		want, err := json.Marshal(e)
		got, err2 := e.AppendJSON([]byte("before"))
		if err != nil || err2 != nil || string(got) != "before"+string(want) {
			t.Errorf("%s, %v, want %s, %v", got, err2, want, err)
		}
		return !t.Failed()
	}
	same(antifraud.Evidence{})
	if err := quick.Check(same, nil); err != nil { // random ones, of all members
		t.Error(err)
	}
}
