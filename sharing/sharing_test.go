package sharing

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/keyed"
	"github.com/joute/joute/voting"
)

var contractVia = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

func voterOf(n uint64) (v voting.Voter) {
	r := rand.New(rand.NewPCG(n, 7))
	for i := range v {
		v[i] = byte(r.Uint32())
	}
	return v
}

func TestCodeOf_OneAVoterAndAKey(t *testing.T) {
	seen := map[Code]bool{}
	for n := range uint64(10_000) {
		code := CodeOf(keyed.New([]byte("a key")), voterOf(n))
		if seen[code] {
			t.Fatalf("two voters have %s", code)
		}
		seen[code] = true
		if code != CodeOf(keyed.New([]byte("a key")), voterOf(n)) || code == CodeOf(keyed.New([]byte("another")), voterOf(n)) {
			t.Fatal("a code is not of its voter and key alone")
		}
		text := code.String()
		if len(text) != 12 || strings.ContainsAny(text, "ilou") || text != strings.ToLower(text) {
			t.Fatalf("code %q", text)
		}
		if back, err := ParseCode(text); err != nil || back != code {
			t.Fatalf("%q is read as %s, %v", text, back, err)
		}
	}
}

// All 60 bits are used: a short code could be guessed.
func TestCodeOf_UsesAllItsBits(t *testing.T) {
	var ones, zeros Code
	for n := range uint64(1000) {
		code := CodeOf(keyed.New([]byte("a key")), voterOf(n))
		ones |= code
		zeros |= ^code
	}
	if want := Code(1<<60 - 1); ones != want || zeros&want != want {
		t.Errorf("bits that are set %x, cleared %x", ones, zeros&want)
	}
}

func TestVia_EveryChannelAndNoOther(t *testing.T) {
	if len(letters) != len(Channels) {
		t.Fatal("a channel without a letter")
	}
	code := Code(123456789)
	seen := map[string]bool{}
	for _, channel := range Channels {
		via := Via{code, channel}
		text := via.String()
		if seen[text] || !contractVia.MatchString(text) {
			t.Errorf("%s is written %q", channel, text)
		}
		seen[text] = true
		if back, err := ParseVia(text); err != nil || back != via {
			t.Errorf("%q is read as %v, %v", text, back, err)
		}
		if Retyped(strings.ToUpper(text)) != text {
			t.Errorf("%q in capitals is %q", text, Retyped(strings.ToUpper(text)))
		}
	}
	for _, text := range []string{"", "-", code.String() + "-", code.String() + "-x", code.String() + "-ww", code.String()[1:], code.String() + "0", "s7", strings.ToUpper("abcdefghjkmn"), "abcdefghijkm", code.String() + ".x"} {
		if via, err := ParseVia(text); err == nil {
			t.Errorf("%q is read as %v", text, via)
		}
	}
	if got := Retyped("O0Il-W"); got != "0011-w" {
		t.Errorf("retyped %q", got)
	}
	if _, known := ParseChannel("telegram"); known {
		t.Error("telegram is no channel")
	}
}

func TestMarks_SayThatThisLinkWasOpenedToday(t *testing.T) {
	marks, via := NewMarks([]byte("key")), Via{42, WhatsApp}
	made := time.Date(2026, 11, 26, 15, 59, 59, 0, time.UTC)
	text := marks.Seal(via, made)
	if SplitMark(text) != via.String() || SplitMark("s7.not-a-mark") != "s7.not-a-mark" {
		t.Errorf("split %q", SplitMark(text))
	}
	for age, want := range map[time.Duration]bool{
		0: true, time.Hour: true, 23 * time.Hour: true, 24 * time.Hour: true, 26 * time.Hour: false, 32 * time.Hour: false, 64 * time.Hour: false,
		-30 * time.Minute: true, // the other server's clock is ahead
		-3 * time.Hour:    false,
	} {
		if got, opened, err := marks.Open(text, made.Add(age)); err != nil || got != via || opened != want {
			t.Errorf("after %v: %v, opened %v, %v", age, got, opened, err)
		}
	}
	forge := func(mark string) string { return via.String() + "." + mark }
	_, mark, _ := strings.Cut(text, ".")
	for name, forged := range map[string]string{
		"of another key":     NewMarks([]byte("other")).Seal(via, made),
		"of another link":    strings.Replace(text, "-w.", "-c.", 1),
		"of another hour":    forge(string(alphabet[(strings.IndexByte(alphabet, mark[0])+31)%32]) + mark[1:]),
		"with one character": forge(mark[:12] + string(alphabet[(strings.IndexByte(alphabet, mark[12])+1)%32])),
		"none":               via.String(),
	} {
		if got, opened, err := marks.Open(forged, made); err != nil || opened || got.Code != via.Code {
			t.Errorf("%s: %v, opened %v, %v", name, got, opened, err)
		}
	}
	for _, text := range []string{forge(""), forge("x"), forge(mark + "0"), forge(mark[:12] + "!"), "s7." + mark, "." + mark} {
		if _, opened, err := marks.Open(text, made); err == nil || opened {
			t.Errorf("%q is read", text)
		}
	}
}

func FuzzVia(f *testing.F) {
	marks, now := NewMarks([]byte("key")), time.Unix(1_800_000_000, 0)
	f.Add("abcdefghjkmn-w")
	f.Add(marks.Seal(Via{7, QR}, now))
	f.Add("ABCDEFGHJKMN.0")
	f.Add("-.")
	f.Fuzz(func(t *testing.T, text string) {
		if via, err := ParseVia(text); err == nil && (via.String() != text || !contractVia.MatchString(text)) {
			t.Fatalf("%q is read as %q", text, via)
		}
		via, opened, err := marks.Open(text, now)
		if err == nil && via.String() != SplitMark(text) {
			t.Fatalf("%q is of %q", text, via)
		}
		if opened && text != marks.Seal(via, now) && !strings.HasPrefix(text, via.String()+".") {
			t.Fatalf("%q is taken for opened", text)
		}
		if again := Retyped(Retyped(text)); again != Retyped(text) {
			t.Fatalf("%q is retyped to %q and %q", text, Retyped(text), again)
		}
	})
}

// Against the definition: both ways there is a path.
func TestRings_AreThoseThatReachEachOther(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		nodes := 1 + r.IntN(12)
		edges := make([][]bool, nodes)
		for n := range edges {
			edges[n] = make([]bool, nodes)
		}
		for range r.IntN(2 * nodes) {
			edges[r.IntN(nodes)][r.IntN(nodes)] = true
		}
		from, to := []int32{0}, []int32{}
		reach := make([][]bool, nodes)
		for n := range nodes {
			reach[n] = make([]bool, nodes)
			copy(reach[n], edges[n])
			for m, edge := range edges[n] {
				if edge {
					to = append(to, int32(m))
				}
			}
			from = append(from, int32(len(to)))
		}
		for k := range nodes {
			for i := range nodes {
				for j := range nodes {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		ring := rings(from, to)
		for i := range nodes {
			for j := range i {
				if got, want := ring[i] == ring[j], reach[i][j] && reach[j][i]; got != want {
					t.Fatalf("%d and %d in one ring: %v, want %v; edges %v", i, j, got, want, edges)
				}
			}
		}
	}
}

// A chain as long as a contest is large needs no stack.
func TestRings_LongChain(t *testing.T) {
	const n = 1_000_000
	from, to := make([]int32, n+1), make([]int32, n)
	for i := range int32(n) {
		from[i+1], to[i] = i+1, (i+1)%n
	}
	ring := rings(from, to)
	if ring[0] != ring[n-1] {
		t.Error("a ring of a million is not found")
	}
	from[n], to = n-1, to[:n-1] // the last one leads nowhere
	if ring = rings(from, to); ring[0] == ring[n-1] {
		t.Error("a chain is taken for a ring")
	}
}

// One code has one spelling: whoever writes it otherwise is refused.
func FuzzParseCode(f *testing.F) {
	f.Add("0123456789ab")
	f.Add("0123456789AB")
	f.Add("il0o")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := ParseCode(text)
		if err == nil && code.String() != text {
			t.Fatalf("%q is read as %s", text, code)
		}
		_, _ = ParseCode(Retyped(text))
	})
}
