package play

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting"
)

// What the laboratory says of an address is what a server reads of it: the kind, the
// block and whether it is the same.
func TestStreets_AreWhatTheListSays(t *testing.T) {
	folder := t.TempDir()
	if err := WriteNetworks(folder); err != nil {
		t.Fatal(err)
	}
	table, err := netkind.Files{Dir: folder}.Load()
	if err != nil {
		t.Fatal(err)
	}
	m := farmlab.OpenMarket(Mix(2, 200), 5)
	s, key := newStreets(), antifraud.NewEvidenceKey([]byte{1})
	nets, blocks := map[string]netip.Addr{}, map[string]string{}
	kinds := map[antifraud.NetKind]bool{}
	for _, b := range m.Ballots {
		a := s.address(&attack.Act{Ballot: b})
		kinds[b.Evidence.NetKind] = true
		if first, known := nets[b.Evidence.Net]; known && first != a {
			t.Fatalf("%s is %v and %v", b.Evidence.Net, first, a)
		}
		nets[b.Evidence.Net] = a
		want := b.Evidence.NetKind
		if want == antifraud.NetCampus {
			if want = antifraud.NetUnknown; !campuses.Contains(a) {
				t.Errorf("a campus at %v", a)
			}
		}
		if got := table.Lookup(a).Kind; got != want {
			t.Errorf("%v is %q to a server, %q to the laboratory", a, got, want)
		}
		block := key.Block(a)
		if first, known := blocks[b.Evidence.Block]; known && first != block {
			t.Errorf("neighbours of %s are in two blocks", b.Evidence.Block)
		}
		blocks[b.Evidence.Block] = block
	}
	if !kinds[antifraud.NetResidential] || !kinds[antifraud.NetMobile] || !kinds[antifraud.NetCampus] {
		t.Errorf("the crowd comes from %v", kinds)
	}
	distinct := map[netip.Addr]bool{}
	for _, a := range nets {
		distinct[a] = true
	}
	if len(distinct) < len(nets)*99/100 {
		t.Errorf("%d addresses for %d", len(distinct), len(nets))
	}
}

func TestPart_AreEighths(t *testing.T) {
	for i, want := range []string{"198.18.0.0/19", "198.18.32.0/19"} {
		if got := part(hosting, i).String(); got != want {
			t.Errorf("part %d is %s, want %s", i, got, want)
		}
	}
	if got := part(residential, 7).String(); got != "2001:db8:7000::/36" {
		t.Errorf("the last of homes is %s", got)
	}
}

func TestWriteNetworks_MakesItsFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteNetworks(filepath.Join(file, "none")); err == nil {
		t.Error("a folder was made in a file")
	}
	folder := filepath.Join(t.TempDir(), "none")
	if err := WriteNetworks(folder); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, networksFile)); err != nil || !strings.Contains(string(text), "198.18.0.0/19 hosting 4200000000\n") {
		t.Errorf("%s: %v", text, err)
	}
}

// Held and then void is one span; released is another.
func TestHistory_SinceItCountsOrNot(t *testing.T) {
	at := func(s int64, kind voting.Kind, to voting.Standing) voting.Record {
		return voting.Record{Ballot: uuid.New(), Kind: kind, Standing: to, Position: voting.Position{Millis: 1000 * s, Offset: s}}
	}
	var h history
	for _, step := range []struct {
		voting.Record
		since int64
	}{
		{at(1, voting.KindCast, voting.Counted), 1}, {at(2, voting.KindHold, voting.Held), 2}, {at(3, voting.KindVoid, voting.Void), 2},
		{at(4, voting.KindReinstate, voting.Counted), 4},
	} {
		if h = h.then(step.Record); !h.since.Equal(time.UnixMilli(1000*step.since)) || !h.cast.Equal(time.UnixMilli(1000)) {
			t.Errorf("after %s: %+v", step.Kind, h)
		}
	}
}
