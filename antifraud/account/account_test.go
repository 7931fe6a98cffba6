package account

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/joute/joute/antifraud"
)

func ptr[T any](x T) *T { return &x }

// parsed is the profile of a line's members.
func parsed(t testing.TB, members string) Profile {
	t.Helper()
	line, err := Parse([]byte(`{"id":"a"` + strings.TrimSuffix(","+members, ",") + `}`))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return line.Profile
}

func TestScore_NothingKnownIsTheBaseRate(t *testing.T) {
	for name, v := range map[string]Verdict{
		"no profile": Score(nil), "an empty one": Score(&antifraud.EvidenceProfile{}), "an empty line": parsed(t, "").Score(),
		"no number": Score(&antifraud.EvidenceProfile{NameDigits: ptr(math.NaN())}),
	} {
		if math.Abs(v.Score-BaseRate) > 1e-12 || v.LogOdds != 0 || v.Reasons != nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestItems_OneByOne has one member in each row, or the two that make a ratio: what
// it adds, and what is told of it.
func TestItems_OneByOne(t *testing.T) {
	for _, row := range []struct {
		members string
		sum     float64 // before it is bent
		reasons string
	}{
		{`"has_picture":false`, math.Log(.35 / .05), "no-picture"},
		{`"has_picture":true`, math.Log(.65 / .95), ""},
		{`"has_bio":false`, math.Log(.6 / .3), "no-bio"},
		{`"has_bio":true`, math.Log(.4 / .7), "bio"},
		{`"bio_length":0`, .7, "no-bio"},
		{`"bio_length":20`, 0, ""},
		{`"bio_length":500`, -.8, "bio"},
		{`"has_bio":true,"bio_length":0`, math.Log(.4 / .7), "bio"}, // one of them is wrong: the kinder
		{`"has_bio":true,"bio_length":80`, -.8, "bio"},
		{`"posts":0`, .8, "few-posts"},
		{`"posts":9`, 0, ""},
		{`"posts":100000`, -1.6, "posts"},
		{`"followers":0`, 1, "few-followers"},
		{`"followers":30`, 0, ""},
		{`"followers":100000`, -1.2, "followers"},
		{`"following":7000`, 0, ""}, // of how many followers is not known
		{`"following":50,"followers":30`, 0, ""},
		{`"following":1990,"followers":30`, 2, "follows-many"},
		{`"following":5000,"followers":5000,"posts":0`, -1.2 + .8 + 2.4, "follow-trading few-posts"},
		{`"following":5000,"followers":5000`, -1.2, "followers"}, // of how many posts is not known
		{`"following":5000,"followers":10000,"posts":0`, -1.2 + .8, "followers"},
		{`"following":5000,"followers":5000,"posts":100`, -1.2 - 1.6, "posts followers"},
		{`"username":"ada.lovelace"`, -.4, "plain-name"},
		{`"username":"ada42.lo"`, 0, ""},
		{`"username":"u84216"`, 1.4, "digits-in-name"},
		{`"name_digits":0.4`, .6, "digits-in-name"},
		{`"name_digits":0.4,"username":"ada"`, .6, "digits-in-name"}, // what is given is not counted again
		{`"age_days":0`, .7, "new-account"},
		{`"age_days":180`, 0, ""},
		{`"age_days":365`, -.1, ""},
		{`"age_days":9000`, -.9, "old-account"},
		{`"has_url":true`, math.Log(.08 / .15), "link"},
		{`"has_url":false`, math.Log(.92 / .85), ""},
		{`"is_private":true`, 0, ""}, {`"is_private":false`, 0, ""}, {`"name":""`, 0, ""}, {`"name":"12345"`, 0, ""},
	} {
		v := parsed(t, row.members).Score()
		if want := most * math.Tanh(row.sum/most); math.Abs(v.LogOdds-want) > 1e-9 {
			t.Errorf("%s: %.4f, want %.4f", row.members, v.LogOdds, want)
		}
		if got := strings.Join(v.Reasons, " "); got != row.reasons {
			t.Errorf("%s: %q, want %q", row.members, got, row.reasons)
		}
	}
}

// TestScore_People are sketches of accounts, and where their scores must be.
func TestScore_People(t *testing.T) {
	for _, row := range []struct {
		who, members string
		from, to     float64
	}{
		{"bought by the thousand", `"followers":3,"following":1900,"posts":0,"has_picture":false,"has_bio":false,"age_days":4,"name_digits":0.5`, .8, .86},
		{"a shell with a picture", `"followers":12,"following":2100,"posts":1,"has_picture":true,"has_bio":false,"name_digits":0.3`, .5, .86},
		{"grown by trading follows", `"followers":6100,"following":6000,"posts":2,"has_picture":true,"has_bio":true`, BaseRate, .5},
		{"a student who only reads", `"followers":41,"following":130,"posts":0,"has_picture":true,"has_bio":false,"username":"lea.m2008"`, 0, .5},
		{"a student new for the contest", `"followers":2,"following":6,"posts":0,"has_picture":true,"has_bio":false,"age_days":0,"username":"tomg"`, 0, .5},
		{"somebody who posts", `"followers":400,"following":380,"posts":60,"has_picture":true,"has_bio":true,"bio_length":40`, 0, .02},
		{"a band", `"followers":9000,"following":300,"posts":800,"has_picture":true,"bio_length":120,"has_url":true,"age_days":2000`, 0, .01},
	} {
		if v := parsed(t, row.members).Score(); v.Score < row.from || v.Score > row.to {
			t.Errorf("%s: %+v, expected %g to %g", row.who, v, row.from, row.to)
		}
	}
}

// TestScore_PassAndLineAgree has the same account in a partner's pass and in a file.
func TestScore_PassAndLineAgree(t *testing.T) {
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	created := at.Add(-72 * time.Hour)
	pass := antifraud.NewEvidenceKey([]byte{1}).Evidence(antifraud.Attempt{At: at, Profile: &antifraud.Profile{
		Followers: ptr(int64(3)), Following: ptr(int64(900)), Posts: ptr(int64(0)), CreatedAt: &created,
		HasPicture: ptr(false), HasBio: ptr(true), BioLength: ptr(int64(4)), Name: "Ada", Username: "ada4242xyz",
	}})
	line := parsed(t, `"followers":3,"following":900,"posts":0,"age_days":3,"has_picture":false,"has_bio":true,"bio_length":4,"name":"Ada","username":"ada4242xyz"`)
	if a, b := Score(pass.Profile), line.Score(); a.LogOdds != b.LogOdds || a.LogOdds == 0 || !slices.Equal(a.Reasons, b.Reasons) {
		t.Errorf("%+v by the pass, %+v by the line", a, b)
	}
}

func TestVerdict_TheBaseMovesTheScoreByBayes(t *testing.T) {
	v := Verdict{LogOdds: math.Log(9)} // nine times as many of the fake look so
	for base, want := range map[float64]float64{.1: .5, .5: .9, .01: 9. / 108} {
		if got := v.At(base); math.Abs(got-want) > 1e-12 {
			t.Errorf("base %g: %g, want %g", base, got, want)
		}
	}
}

// drawn is any profile at all, absurd numbers among them.
func drawn(t *rapid.T) Profile {
	flags := rapid.Ptr(rapid.Bool(), true)
	counts := rapid.Ptr(rapid.OneOf(rapid.Int64Range(0, 200), rapid.Int64Range(0, 20_000), rapid.Int64()), true)
	return Profile{EvidenceProfile: antifraud.EvidenceProfile{
		Followers: counts.Draw(t, "followers"), Following: counts.Draw(t, "following"), Posts: counts.Draw(t, "posts"),
		AgeDays: counts.Draw(t, "age"), BioLength: counts.Draw(t, "bio"), HasPicture: flags.Draw(t, "picture"), HasBio: flags.Draw(t, "has bio"),
		NameDigits: rapid.Ptr(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64()), true).Draw(t, "digits"),
	}, HasURL: flags.Draw(t, "url")}
}

func TestScore_IsAlwaysAProbabilityBelowVoid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawn(t).Score()
		if !(v.Score > 0 && v.Score < .9 && math.Abs(v.LogOdds) <= most) || slices.Contains(v.Reasons, "") {
			t.Fatalf("%+v", v)
		}
	})
}

// TestScore_MissingIsNeutral takes one member away: what the others say stays as it
// was, so that the score goes towards what it was without that member's item.
func TestScore_MissingIsNeutral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		before := p.looks()
		hide := rapid.SampledFrom([]struct {
			items []int
			from  func(*Profile)
		}{
			{[]int{0}, func(p *Profile) { p.HasPicture = nil }},
			{[]int{1}, func(p *Profile) { p.HasBio, p.BioLength = nil, nil }},
			{[]int{2, 5}, func(p *Profile) { p.Posts = nil }},
			{[]int{3, 4, 5}, func(p *Profile) { p.Followers = nil }},
			{[]int{4, 5}, func(p *Profile) { p.Following = nil }},
			{[]int{6}, func(p *Profile) { p.NameDigits = nil }},
			{[]int{7}, func(p *Profile) { p.AgeDays = nil }},
			{[]int{8}, func(p *Profile) { p.HasURL = nil }},
		}).Draw(t, "hidden")
		hide.from(&p)
		after := p.looks()
		for i := range card {
			was, is := card[i].weigh(before), card[i].weigh(after)
			if slices.Contains(hide.items, i) && is != 0 || !slices.Contains(hide.items, i) && is != was {
				t.Fatalf("item %d: %g, was %g", i, is, was)
			}
		}
	})
}

// TestScore_Monotone raises one number of a profile: more of it never speaks for
// the other side than less did.
func TestScore_Monotone(t *testing.T) {
	for _, row := range []struct {
		name     string
		set      func(*Profile, int64)
		up       bool // more of it is more fake
		notTrade bool // but for those who trade follows, of whom the same count says two things
	}{
		{"posts", func(p *Profile, n int64) { p.Posts = &n }, false, false},
		{"age", func(p *Profile, n int64) { p.AgeDays = &n }, false, false},
		{"bio", func(p *Profile, n int64) { p.BioLength = &n }, false, false},
		{"digits", func(p *Profile, n int64) { p.NameDigits = ptr(float64(n) / 500) }, true, false},
		{"followers", func(p *Profile, n int64) { p.Followers = &n }, false, true},
		{"following", func(p *Profile, n int64) { p.Following = &n }, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				less, more := drawn(t), Profile{}
				if row.notTrade {
					less.Posts = nil
				}
				more = less
				n := rapid.OneOf(rapid.Int64Range(-5, 100), rapid.Int64Range(0, 1_000_000)).Draw(t, "n")
				row.set(&less, n)
				row.set(&more, n+rapid.Int64Range(1, 2000).Draw(t, "more"))
				a, b := less.Score().LogOdds, more.Score().LogOdds
				if row.up && b < a-1e-12 || !row.up && b > a+1e-12 {
					t.Fatalf("%g, with more %g", a, b)
				}
			})
		})
	}
}

// TestScore_NoCliff walks each number by one part in a hundred, and at least by
// one: nowhere does that move the score by more than a tenth of what an item can say.
func TestScore_NoCliff(t *testing.T) {
	for name, set := range map[string]func(*Profile, float64){
		"posts":     func(p *Profile, x float64) { p.Posts = ptr(int64(x)) },
		"followers": func(p *Profile, x float64) { p.Followers = ptr(int64(x)) },
		"following": func(p *Profile, x float64) { p.Following = ptr(int64(x)) },
		"age":       func(p *Profile, x float64) { p.AgeDays = ptr(int64(x)) },
		"bio":       func(p *Profile, x float64) { p.BioLength = ptr(int64(x)) },
		"digits":    func(p *Profile, x float64) { p.NameDigits = ptr(x / 100) },
	} {
		for _, others := range []int64{0, 40, 1500, 6000} {
			p := Profile{EvidenceProfile: antifraud.EvidenceProfile{Followers: &others, Following: &others, Posts: ptr(int64(3)), HasBio: ptr(true)}}
			set(&p, 5)
			before := p.Score().LogOdds
			for x := 5.; x < 20_000; x = max(x+1, x*1.01) {
				set(&p, x)
				if is := p.Score().LogOdds; math.Abs(is-before) > .2 {
					t.Errorf("%s at %g beside %d: %g after %g", name, x, others, is, before)
				} else {
					before = is
				}
			}
		}
	}
}

func BenchmarkScore(b *testing.B) {
	p := parsed(b, `"followers":3,"following":1900,"posts":0,"has_picture":false,"has_bio":false,"age_days":4,"name_digits":0.5`)
	b.ReportAllocs()
	for b.Loop() {
		Score(&p.EvidenceProfile)
	}
}
