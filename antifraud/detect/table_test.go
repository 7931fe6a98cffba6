package detect

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// vote is a ballot so many seconds after noon. Its id says who, for what and when.
func vote(voter, entry string, second float64, e antifraud.Evidence) Ballot {
	at := noon.Add(time.Duration(second * float64(time.Second)))
	return Ballot{ID: fmt.Sprint(voter, entry, second), At: at, Voter: voter, Entry: entry, Level: string(contest.LevelDevice), Evidence: e}
}

func ms(n int64) *int64 { return &n }

// tableOf is a table of all the ballots.
func tableOf(ballots ...Ballot) (*log, *table) {
	l := &log{}
	places := make([]int32, len(ballots))
	for i := range ballots {
		l.add(&ballots[i])
		places[i] = int32(i)
	}
	return l, l.tabulate(places)
}

// seen are the texts of a column, by voter.
func seen(c *column, n *names) (texts []string) {
	for _, k := range c.of {
		text := "-"
		if k != unseen {
			text = n.text(c.log[k])
		}
		texts = append(texts, text)
	}
	return texts
}

func TestTabulate_AVoterIsWhatTheirFirstBallotsShow(t *testing.T) {
	poor := &antifraud.EvidenceProfile{Followers: ms(0), Following: ms(900), Posts: ms(0)}
	l, table := tableOf(
		vote("ann", "e2", 20, antifraud.Evidence{Device: "d2", Net: "n2", DwellMS: ms(9000)}), // later than her other
		vote("bob", "e1", 15, antifraud.Evidence{Device: "d1", NetKind: antifraud.NetHosting}),
		vote("ann", "e1", 10, antifraud.Evidence{Device: "d1", Agent: "a1"}),
		vote("cid", "e1", 30, antifraud.Evidence{NetKind: antifraud.NetUnknown, Referrer: antifraud.ReferrerSite, Profile: poor}),
		vote("cid", "e1", 31, antifraud.Evidence{NetKind: antifraud.NetCampus, Present: true}), // again, the next day's
	)
	for _, row := range []struct {
		name string
		got  []string
		want []string
	}{
		{"voters, in the order of their first ballots", func() (ids []string) {
			for _, k := range table.voter.log {
				ids = append(ids, l.voters.text(k))
			}
			return ids
		}(), []string{"ann", "bob", "cid"}},
		{"device", seen(&table.device, &l.devices), []string{"d1", "d1", "-"}},
		{"agent", seen(&table.agent, &l.agents), []string{"a1", "-", "-"}},
		{"net", seen(&table.net, &l.nets), []string{"n2", "-", "-"}},
		{"kind", seen(&table.kind, &l.kinds), []string{"-", "hosting", "campus"}},
		{"referrer", seen(&table.referrer, &l.ways), []string{"-", "-", "site"}},
	} {
		if !slices.Equal(row.got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, row.got, row.want)
		}
	}
	if !slices.Equal(table.device.voters, []int32{2}) {
		t.Errorf("voters by device: %v", table.device.voters)
	}
	if got := table.dwell[0]; math.Abs(got-math.Log(9000)) > 1e-5 || !math.IsNaN(table.dwell[1]) {
		t.Errorf("dwell: %v", table.dwell)
	}
	if !math.IsNaN(table.account[0]) || !(table.account[2] > 0) {
		t.Errorf("account: %v", table.account)
	}
	if !slices.Equal(table.proof, []float64{0, 0, -4}) {
		t.Errorf("proof: %v", table.proof)
	}
	for v, want := range []struct{ rented, campus bool }{{}, {rented: true}, {campus: true}} {
		if table.isRented(int32(v)) != want.rented || table.isCampus(int32(v)) != want.campus {
			t.Errorf("voter %d: rented %v, campus %v", v, table.isRented(int32(v)), table.isCampus(int32(v)))
		}
	}
}

func TestTabulate_TheSameEntryAgainIsOneAct(t *testing.T) {
	l, table := tableOf(
		vote("ann", "e1", 0, antifraud.Evidence{}), vote("ann", "e1", 86_400, antifraud.Evidence{}), vote("ann", "e2", 5, antifraud.Evidence{}),
		vote("bob", "e2", 3, antifraud.Evidence{}), vote("ann", "e1", 172_800, antifraud.Evidence{}),
	)
	acts := func(v int32) (entries []string) {
		from, to := table.acts(v)
		for a := from; a < to; a++ {
			entries = append(entries, l.entries.text(table.entries.log[table.entry[a]]))
		}
		return entries
	}
	if a, b := acts(0), acts(1); !slices.Equal(a, []string{"e1", "e2"}) || !slices.Equal(b, []string{"e2"}) {
		t.Errorf("acts: %q, %q", a, b)
	}
	if from, _ := table.acts(0); table.at[from] != float64(noon.Unix()) || table.hour[from] != int32(noon.Unix()/3600) {
		t.Errorf("an act is when it was done first: %v, hour %d", table.at[from], table.hour[from])
	}
	if len(table.voterOf) != 5 {
		t.Errorf("%d ballots have a voter", len(table.voterOf))
	}
}

func TestProofOdds_NothingProvenSaysNothing(t *testing.T) {
	for _, row := range []struct {
		level string
		e     antifraud.Evidence
		want  float64
	}{
		{"device", antifraud.Evidence{}, 0}, {"email", antifraud.Evidence{}, -2}, {"device", antifraud.Evidence{Present: true}, -4},
		{"email", antifraud.Evidence{SchoolDomain: true}, -5}, {"email", antifraud.Evidence{SchoolDomain: true, Present: true}, -9},
	} {
		if got := proofOdds(&Ballot{Level: row.level, Evidence: row.e}); got != row.want {
			t.Errorf("%s %+v: %v, want %v", row.level, row.e, got, row.want)
		}
	}
}

func TestLog_DwellIsTakenWithinItsBounds(t *testing.T) {
	var l log
	for _, row := range []struct {
		ms   int64
		want float64
	}{{-5, minTimeMS}, {0, minTimeMS}, {7000, 7000}, {math.MaxInt64, maxTimeMS}} {
		b := vote("v", "e", 0, antifraud.Evidence{DwellMS: &row.ms})
		l.add(&b)
		if got := math.Exp(float64(l.records[len(l.records)-1].dwell)); math.Abs(got/row.want-1) > 1e-5 {
			t.Errorf("%d ms: %v, want %v", row.ms, got, row.want)
		}
	}
}

func TestGrouping_AVoterIsInAGroupOnce(t *testing.T) {
	_, table := tableOf(
		vote("ann", "e1", 0, antifraud.Evidence{Net: "n1"}), vote("ann", "e2", 1, antifraud.Evidence{}),
		vote("bob", "e1", 2, antifraud.Evidence{Net: "n1"}), vote("cid", "e1", 3, antifraud.Evidence{}),
		vote("dan", "e2", 4, antifraud.Evidence{Net: "n2"}),
	)
	net := func(v, _ int32) int32 { return table.net.of[v] }
	day := func(_, act int32) int32 { return table.hour[act] / 24 }
	for _, row := range []struct {
		name string
		g    *grouping
		want [][]int32 // in any order of groups
	}{
		{"alone", table.alone("net", table.net.size(), net), [][]int32{{0, 1}, {3}}},
		{"within an entry", table.within("entry-net", net, false), [][]int32{{0, 1}, {0}, {3}}},
		{"within, those unseen together", table.within("entry-net", net, true), [][]int32{{0, 1}, {0}, {2}, {3}}},
		{"an entry's", table.within("entry-day", day, false), [][]int32{{0, 1, 2}, {0, 3}}},
		{"of two acts once", table.alone("day", 1, func(_, _ int32) int32 { return 0 }), [][]int32{{0, 1, 2, 3}}},
	} {
		row.g.list(table)
		var got [][]int32
		for k := range row.g.n {
			got = append(got, row.g.members(k))
		}
		sortGroups(got)
		sortGroups(row.want)
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

func TestPairs_AreOfTwoEntriesOfOneVoter(t *testing.T) {
	var ballots []Ballot
	for _, voter := range []string{"ann", "bob", "cid"} {
		ballots = append(ballots, vote(voter, "e1", 0, antifraud.Evidence{}))
	}
	ballots = append(ballots, vote("ann", "e2", 1, antifraud.Evidence{}), vote("ann", "e2", 2, antifraud.Evidence{}),
		vote("cid", "e2", 1, antifraud.Evidence{}), vote("cid", "e3", 2, antifraud.Evidence{}))
	for n := range 11 { // too many for any two of them to say something
		ballots = append(ballots, vote("dan", fmt.Sprint("e", n), float64(9+n), antifraud.Evidence{}))
	}
	_, table := tableOf(ballots...)
	got := table.pairs()
	sortGroups(got)
	// ann 0, bob 1, cid 2: e1 and e2 by two, e1 and e3, e2 and e3 by cid.
	if want := [][]int32{{0, 2}, {2}, {2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func sortGroups(groups [][]int32) { slices.SortFunc(groups, slices.Compare) }
