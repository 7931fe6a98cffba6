package antifraud

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var (
	sigNow   = time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC)
	robotMS  = int64(1500)
	personMS = int64(41_000)
)

// burst is the signature of a farm on two hosting blocks with one device, one link
// and the pace of a script.
func burst() Signature {
	return Signature{
		ID: "c1", Entries: []string{"e1", "e2"}, Members: 200, Since: sigNow.Add(-time.Hour), Expires: sigNow.Add(time.Hour),
		Features: []Feature{
			{"device", "d1", 2.5}, {"agent", "a1", 1.5}, {"block", "k1", 3}, {"block", "k2", 3}, {"net_kind", "hosting", 2.8},
			{"via", "s7", 1.2}, {"referrer", "share", 0.4}, {"dwell", TimeStep(robotMS), 2.2},
		},
	}
}

func TestSignature_MatchesTheCombinationAndNoPartAlone(t *testing.T) {
	for name, c := range map[string]struct {
		e    Evidence
		want bool
	}{
		"all of it":                                 {Evidence{Device: "d1", Agent: "a1", Block: "k2", NetKind: NetHosting, Via: "s7", Referrer: ReferrerShare, DwellMS: &robotMS}, true},
		"its device on its network":                 {Evidence{Device: "d1", Block: "k1", NetKind: NetHosting}, true},
		"its network at its pace, another device":   {Evidence{Device: "x", Agent: "y", Block: "k1", NetKind: NetHosting, DwellMS: &robotMS}, true},
		"its network and its school's own link":     {Evidence{Block: "k1", NetKind: NetHosting, Via: "s7"}, false},
		"its device and agent alone":                {Evidence{Device: "d1", Agent: "a1"}, false},
		"its model of phone, elsewhere":             {Evidence{Device: "d1", Agent: "a1", Block: "home", NetKind: NetResidential, Referrer: ReferrerShare, DwellMS: &personMS}, false},
		"its address alone":                         {Evidence{Block: "k1", NetKind: NetHosting}, false},
		"its address, another device, another link": {Evidence{Device: "x", Agent: "y", Block: "k1", NetKind: NetHosting, Via: "other", Referrer: ReferrerShare, DwellMS: &personMS}, false},
		"its link at its pace, from anywhere":       {Evidence{Via: "s7", Referrer: ReferrerShare, DwellMS: &robotMS}, false},
		"its sort of network at its pace":           {Evidence{NetKind: NetHosting, Referrer: ReferrerShare, DwellMS: &robotMS}, false},
		"nothing seen":                              {Evidence{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := burst()
			if got := s.Match("e1", &c.e, sigNow); got != c.want {
				t.Errorf("match %v, want %v", got, c.want)
			}
			if id, got := NewSignatures([]Signature{s}).Match("e1", &c.e, sigNow); got != c.want || got != (id == "c1") {
				t.Errorf("of all: %q %v, want %v", id, got, c.want)
			}
		})
	}
}

// However sure a signature is of one thing, that thing alone is none.
func TestSignature_OneFamilyNeverReachesTheSum(t *testing.T) {
	values := Evidence{Device: "v", Agent: "v", Net: "v", Block: "v", NetKind: "v", Via: "v", Referrer: "v", DwellMS: &robotMS}
	for _, family := range []Family{FamilyDevice, FamilyNetwork, FamilyProvenance, FamilyTempo} {
		s := burst()
		s.Features = nil
		for place, kind := range featureKinds {
			if featureFamilies[place] == family {
				s.Features = append(s.Features, Feature{kind, values.Feature(kind), 1e9})
			}
		}
		if len(s.Features) == 0 || s.Match("e1", &values, sigNow) {
			t.Errorf("%s alone is a farm, by %v", family, s.Features)
		}
	}
}

func TestSignature_SpeaksOnlyOfItsEntriesUntilItExpires(t *testing.T) {
	s := burst()
	e := Evidence{Device: "d1", Agent: "a1", Block: "k1", NetKind: NetHosting}
	for _, c := range []struct {
		entry string
		at    time.Time
		want  bool
	}{{"e1", sigNow, true}, {"e2", sigNow, true}, {"e3", sigNow, false}, {"e1", s.Expires.Add(-1), true}, {"e1", s.Expires, false}} {
		if got := s.Match(c.entry, &e, c.at); got != c.want {
			t.Errorf("%s at %v: %v", c.entry, c.at, got)
		}
	}
}

func TestSignature_WhatSpeaksForAnAttemptIsWeighedToo(t *testing.T) {
	s := burst()
	s.Features = append(s.Features, Feature{"net", "campus", -3})
	e := Evidence{Device: "d1", Agent: "a1", Block: "k1"}
	if !s.Match("e1", &e, sigNow) {
		t.Fatal("not borne without it")
	}
	if e.Net = "campus"; s.Match("e1", &e, sigNow) {
		t.Error("borne in spite of it")
	}
}

// Who is next to a farm, and for once as quick as its script, takes another time to
// confirm; and the farm was on two blocks, so who comes from a third is not on its.
func TestSignature_WhatItDoesNotNameSpeaksForAnAttempt(t *testing.T) {
	confirms, others := int64(310), int64(900)
	s := burst()
	s.Features = append(s.Features, Feature{"confirm", TimeStep(confirms), 2}, Feature{"confirm", OtherValue, -2.5}, Feature{"block", OtherValue, -3},
		Feature{"via", OtherValue, 3}) // that something is new speaks for nobody's farm
	for name, c := range map[string]struct {
		e    Evidence
		want bool
	}{
		"its network at both its paces":   {Evidence{Device: "x", Block: "k1", NetKind: NetHosting, DwellMS: &robotMS, ConfirmMS: &confirms}, true},
		"the second was not seen":         {Evidence{Device: "x", Block: "k1", NetKind: NetHosting, DwellMS: &robotMS}, true},
		"the second is another":           {Evidence{Device: "x", Block: "k1", NetKind: NetHosting, DwellMS: &robotMS, ConfirmMS: &others}, false},
		"its device and pace, from home":  {Evidence{Device: "d1", Agent: "a1", Block: "home", DwellMS: &robotMS, ConfirmMS: &confirms}, false},
		"the same, and no block was seen": {Evidence{Device: "d1", Agent: "a1", DwellMS: &robotMS, ConfirmMS: &confirms}, true},
		"a new link adds nothing":         {Evidence{Device: "d1", Agent: "y", Via: "new", DwellMS: &personMS, ConfirmMS: &confirms}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.Match("e1", &c.e, sigNow); got != c.want {
				t.Errorf("match %v, want %v", got, c.want)
			}
		})
	}
}

// A campus of one address and one model of phone beside a farm that hides in it:
// what its students share is common among others too, so its odds are small.
func TestSignature_ACampusDoesNotBearWhatItSharesWithAFarm(t *testing.T) {
	s := burst()
	s.Features = []Feature{{"device", "phone", 1.1}, {"agent", "phone", 0.8}, {"net", "campus", 0.9}, {"block", "campus", 0.9}, {"via", "school", 0.5}, {"dwell", TimeStep(robotMS), 2.2}}
	student := Evidence{Device: "phone", Agent: "phone", Net: "campus", Block: "campus", Via: "school", DwellMS: &personMS}
	if s.Match("e1", &student, sigNow) {
		t.Error("a student is taken for the farm")
	}
	robot := student
	if robot.DwellMS = &robotMS; !s.Match("e1", &robot, sigNow) {
		t.Error("the farm is not seen")
	}
}

// A farm that votes through carriers too, and honest voters behind one address with it:
// hundreds are, and each common thing is somewhat more common in the farm. What is somewhat so is
// added up, and is nobody's own.
func TestSignature_ACarriersAddressIsNobodysOwn(t *testing.T) {
	own := []Feature{{"agent", "app", 1.6}, {"net", "exit", 1.1}, {"block", "exit", 1.1}, {"referrer", "social", 1.4}, {"dwell", TimeStep(robotMS), 1}, {"confirm", TimeStep(robotMS), 1}}
	carriers := []Feature{{"agent", "app", 2.4}, {"net", "exit", 2.4}, {"block", "exit", 0.6}, {"net_kind", "mobile", 1.1}, {"referrer", "social", 1.2}}
	neighbour := Evidence{Device: "phone", Agent: "app", Net: "exit", Block: "exit", NetKind: NetMobile, Referrer: ReferrerSocial, DwellMS: &robotMS, ConfirmMS: &robotMS}
	for name, c := range map[string]struct {
		features []Feature
		kind     NetKind
		want     bool
	}{
		"in no hurry: a browser, and the sort of network that the farm has": {carriers, NetMobile, false},
		"the same of a data centre":                                         {slices.Replace(slices.Clone(carriers), 3, 4, Feature{"net_kind", "hosting", 1.1}), NetHosting, true},
		"a pace, at an address that hundreds use":                           {own, NetMobile, false},
		"at one that is the farm's":                                         {slices.Replace(slices.Clone(own), 1, 2, Feature{"net", "exit", 2.2}), NetMobile, true},
	} {
		s, e := burst(), neighbour
		s.Features, e.NetKind = c.features, c.kind
		if got := s.Match("e1", &e, sigNow); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSignatures_AnswerAsEachOfThem(t *testing.T) {
	all := make([]Signature, 40)
	for i := range all {
		all[i] = burst()
		all[i].ID, all[i].Entries = fmt.Sprint(i), []string{fmt.Sprint("e", i%5)}
		all[i].Features = []Feature{{"device", fmt.Sprint("d", i%7), 2.5}, {"block", fmt.Sprint("k", i%3), 3}, {"via", fmt.Sprint("s", i%11), 1.5}, {"via", fmt.Sprint("s", i%2), 1.5}, {"nonsense", "x", 9}, {"device", fmt.Sprint("d", i%7), 2},
			{"block", OtherValue, -float64(i % 4)}, {"agent", OtherValue, -1}}
	}
	set, found := NewSignatures(all), 0
	for n := range 2000 {
		e := Evidence{Device: fmt.Sprint("d", n%8), Agent: []string{"", "a"}[n/8%2], Block: fmt.Sprint("k", n%4), Via: fmt.Sprint("s", n%13)}
		entry, want := fmt.Sprint("e", n%6), ""
		for i := range all {
			if all[i].Match(entry, &e, sigNow) {
				want = all[i].ID
				break
			}
		}
		if id, ok := set.Match(entry, &e, sigNow); id != want || ok != (want != "") {
			t.Fatalf("%+v for %s: %q, want %q", e, entry, id, want)
		}
		if want != "" {
			found++
		}
	}
	if found == 0 || found == 2000 {
		t.Fatalf("%d of 2000: nothing is compared", found)
	}
	if _, ok := (*Signatures)(nil).Match("e1", &Evidence{Device: "d1"}, sigNow); ok {
		t.Error("none of none matches")
	}
}

func TestTimeStep_PeopleSpreadAndScriptsDoNot(t *testing.T) {
	if TimeStep(1500) != TimeStep(1510) || TimeStep(1500) == TimeStep(2000) || TimeStep(0) == TimeStep(1) || TimeStep(86_400_000) == TimeStep(40_000_000) {
		t.Error(TimeStep(1500), TimeStep(1510), TimeStep(2000), TimeStep(0), TimeStep(1))
	}
}

// The worst there is: as many signatures as a contest may have, all for this entry,
// all half met.
func BenchmarkSignatures_Match(b *testing.B) {
	all := make([]Signature, MaxSignatures)
	for i := range all {
		all[i] = burst()
		all[i].ID = fmt.Sprint(i)
		all[i].Features[0].Value, all[i].Features[1].Value = fmt.Sprint("d", i), fmt.Sprint("a", i)
	}
	for name, e := range map[string]Evidence{
		"nothing":   {Device: "x", Agent: "y", Net: "z", Block: "w", NetKind: NetResidential, Referrer: ReferrerSite, DwellMS: &personMS},
		"half each": {Device: "x", Agent: "y", Net: "z", Block: "k1", NetKind: NetHosting, DwellMS: &personMS},
	} {
		b.Run(name, func(b *testing.B) {
			set := NewSignatures(all)
			for b.Loop() {
				set.Match("e1", &e, sigNow)
			}
		})
	}
}
