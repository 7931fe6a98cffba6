package detect

import (
	"math"
	"testing"

	"github.com/joute/joute/antifraud"
)

func TestTemper_TakesBackBelief(t *testing.T) {
	for _, row := range []struct{ w, want float64 }{
		{0, 0}, {0.3, 0.3}, {0.5, 0.5}, {1, 1}, {0.9, logistic(tempered * math.Log(9))},
	} {
		if got := temper(row.w); !near(got, row.want) {
			t.Errorf("%v: %v, want %v", row.w, got, row.want)
		}
	}
	for w := 0.5; w < 1; w += 0.01 {
		if x := temper(w); x > w || temper(w+0.009) < x {
			t.Fatalf("%v: %v", w, x)
		}
	}
}

func TestFarm_WhoHasNoLookOfTheirOwnIsDoubted(t *testing.T) {
	paced := []int{byTempo, byProvenance}
	for _, row := range []struct {
		by     [families]float64
		firm   []int
		stands bool
	}{
		{[families]float64{byDevice: 1.1}, nil, true}, {[families]float64{byTempo: 1.1}, nil, true}, {[families]float64{byNetwork: 3}, nil, false},
		{[families]float64{byDevice: clearly}, nil, false}, {[families]float64{}, nil, false},
		// A post that a farm uses brings honest people, who take the time that people take.
		{[families]float64{byProvenance: 3}, paced, false}, {[families]float64{byProvenance: 3, byTempo: -2}, paced, false},
		{[families]float64{byProvenance: 3, byTempo: 0.6}, paced, true}, {[families]float64{byProvenance: 3}, append(paced, byDevice), true},
	} {
		f := member(true, row.by, row.firm...)
		f.w[0] = 0.8
		p := temper(0.8)
		want := p
		if !row.stands {
			want = p * p
		}
		if got := f.belief(0); f.stands(0) != row.stands || !near(got, want) {
			t.Errorf("%v of %v: %v, want %v", row.by, row.firm, got, want)
		}
	}
}

func TestSuspect_FarmsAddUpAndThePlainestIsNamed(t *testing.T) {
	a, b := member(true, [families]float64{byDevice: 2, byTempo: 2}, byDevice, byTempo), member(false, [families]float64{byDevice: 2})
	a.w[0], b.w[0] = 0.5, 0.4
	a.confirmed[0].w = 0.5
	s := suspect(2, []farm{*b, *a})
	if !near(s[0].score, 1-0.5*0.6) || s[0].farm != 1 || s[0].in != 0 {
		t.Errorf("%+v", s[0])
	}
	if s[1].score != 0 || s[1].farm != unseen {
		t.Errorf("of no farm: %+v", s[1])
	}
}

// weighing is a hand of so many members in a contest of 1,000, by itself.
func weighing(members float64) *hand {
	return &hand{composition: composition{mass: members}, c: &crowd{n: 1000}}
}

func TestEvidence_Convinces(t *testing.T) {
	const limit = 40
	const n = 100 // members
	type by = [families]float64
	for _, row := range []struct {
		name       string
		e          evidence
		members    float64
		strong, ok bool
	}{
		{"device and network", evidence{by: by{byDevice: 300, byNetwork: 150}, all: 500, place: 4, pool: 20}, n, true, true},
		{"device and tempo", evidence{by: by{byDevice: 300, byTempo: 50}, all: 400, place: 4, pool: 20}, n, true, true},
		{"tempo and account convince, and void nobody (condemns)", evidence{by: by{byTempo: 50, byAccount: 60}, all: 400, place: 4, pool: 20}, n, true, true},
		{"device and network, through an address or two: a room of a school behind a data centre", evidence{by: by{byDevice: 300, byNetwork: 150}, all: 500, place: 4, pool: 1, fewExits: true}, n, false, false},
		{"network and tempo", evidence{by: by{byNetwork: 200, byTempo: 30}, all: 400, place: 4, pool: 20, addresses: 9}, n, true, true},
		{"some of it in a hurry: schools behind a security service", evidence{by: by{byNetwork: 200, byTempo: 29}, all: 400, place: 4, pool: 20, addresses: 9}, n, false, false},
		{"a class at machines of one model, somewhat quick", evidence{by: by{byDevice: 300, byTempo: 20}, all: 400, place: 4, pool: 1, machine: 1, room: true}, n, false, true},
		{"more of a hurry than any class", evidence{by: by{byDevice: 300, byTempo: 80}, all: 400, place: 4, pool: 1, machine: 1, room: true}, n, true, true},
		{"who takes turns there", evidence{by: by{byDevice: 300, byTempo: 20}, all: 400, place: 4, pool: 1, machine: 1, room: true, turns: 9}, n, true, true},
		{"some devices and some addresses", evidence{by: by{byDevice: 100, byNetwork: 120}, all: 400, place: 4, pool: 8, addresses: 8}, n, false, true},
		{"more devices and fewer addresses", evidence{by: by{byDevice: 245, byNetwork: 75}, all: 400, place: 4, pool: 8, addresses: 8}, n, false, true},
		{"not as many in all", evidence{by: by{byDevice: 244, byNetwork: 75}, all: 400, place: 4, pool: 8, addresses: 8}, n, false, false},
		{"as much by devices, and hardly any addresses", evidence{by: by{byDevice: 245, byNetwork: 49}, all: 400, place: 4, pool: 8, addresses: 8}, n, false, false},
		{"few devices and some addresses", evidence{by: by{byDevice: 100, byNetwork: 120}, all: 400, place: 4, pool: 7, addresses: 8}, n, false, false},
		{"hardly any devices and some addresses", evidence{by: by{byDevice: 99, byNetwork: 120}, all: 400, place: 4, pool: 8, addresses: 8}, n, false, false},
		{"network alone", evidence{by: by{byNetwork: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"tempo alone", evidence{by: by{byTempo: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"account alone", evidence{by: by{byAccount: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"structure alone", evidence{by: by{byStructure: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"network and structure: no look", evidence{by: by{byNetwork: 400, byStructure: 400}, all: 900, place: 4, pool: 20}, n, false, false},
		{"the same through a pool of addresses: enough to hold", evidence{by: by{byNetwork: 400, byStructure: 400}, all: 900, place: 4, pool: 20, addresses: 8, pooled: 0.4}, n, false, true},
		{"in step, and through a pool of addresses that says but some", evidence{by: by{byNetwork: 50, byStructure: 300}, all: 400, place: 4, addresses: 8, pooled: 0.4}, n, false, true},
		{"in step, and through addresses that others have, too: friends", evidence{by: by{byNetwork: 50, byStructure: 700}, all: 800, place: 4, addresses: 8, pooled: 0.39}, n, false, false},
		{"in step, and quick: they know whom they vote for", evidence{by: by{byTempo: 79, byStructure: 700}, all: 800, place: 4, pool: 20}, n, false, false},
		{"in step, and as quick as no friends are", evidence{by: by{byTempo: 80, byStructure: 700}, all: 800, place: 4, pool: 20}, n, true, true},
		{"less in step", evidence{by: by{byNetwork: 50, byStructure: 299}, all: 400, place: 4, addresses: 8, pooled: 1}, n, false, false},
		{"in step, each at home: fans", evidence{by: by{byNetwork: 49, byStructure: 700}, all: 800, place: 4, addresses: 8, pooled: 1}, n, false, false},
		{"in step, through few addresses", evidence{by: by{byNetwork: 50, byStructure: 700}, all: 800, place: 4, addresses: 7, pooled: 1}, n, false, false},
		{"five votes at one home with a machine that nobody else has, a little quick", evidence{by: by{byDevice: 42, byTempo: 1.5}, all: 48, place: 8, pool: 1, machine: 1, most: true, one: 1}, 5, false, true},
		{"at leisure", evidence{by: by{byDevice: 42, byTempo: 1.4}, all: 48, place: 8, pool: 1, machine: 1, most: true, one: 1}, 5, false, false},
		{"with one that others have", evidence{by: by{byDevice: 29, byTempo: 1.5}, all: 48, place: 8, pool: 1, machine: 1, most: true, one: 1}, 5, false, false},
		{"five at a school's, clearly quick", evidence{by: by{byDevice: 42, byTempo: 3}, all: 48, place: 8, pool: 1, machine: 1, most: true}, 5, false, true},
		{"the same five of a class at that machine", evidence{by: by{byDevice: 42, byTempo: 3}, all: 48, place: 8, pool: 1, machine: 1}, 5, false, false},
		{"in a hurry", evidence{by: by{byDevice: 42, byTempo: 4}, all: 48, place: 8, pool: 1, machine: 1}, 5, false, true},
		{"a little: a small room", evidence{by: by{byDevice: 42, byTempo: 2.9}, all: 48, place: 8, pool: 1, machine: 1, most: true}, 5, false, false},
		{"twelve, a little quick: a room", evidence{by: by{byDevice: 100, byTempo: 7}, all: 120, place: 8, pool: 1, machine: 1, most: true}, 12, false, false},
		{"devices alone hold, where they are many", evidence{by: by{byDevice: 400}, all: 500, place: 4, pool: 20}, n, false, true},
		{"twelve, who draw from as many", evidence{by: by{byDevice: 48}, all: 60, place: 4, pool: 5, drawn: 9}, 12, false, true},
		{"eleven may do so by chance", evidence{by: by{byDevice: 48}, all: 60, place: 4, pool: 5, drawn: 9}, 11, false, false},
		{"twelve who draw from fewer", evidence{by: by{byDevice: 48}, all: 60, place: 4, pool: 5, drawn: 7}, 12, false, false},
		{"twelve who are not plain", evidence{by: by{byDevice: 39}, all: limit - 1, place: 4, pool: 5, drawn: 9}, 12, false, false},
		{"some, through three addresses that are theirs", evidence{by: by{byDevice: 320}, all: 500, place: 4, pool: 4, addresses: 2.5, pooled: 0.9}, n, false, true},
		{"through two ways out: a school's rooms", evidence{by: by{byDevice: 320}, all: 500, place: 4, pool: 4, addresses: 2.4, pooled: 0.9}, n, false, false},
		{"where strangers vote, too", evidence{by: by{byDevice: 320}, all: 500, place: 4, pool: 4, addresses: 2.5, pooled: 0.89}, n, false, false},
		{"devices that are made up, through a pool of addresses", evidence{by: by{byDevice: 40, byNetwork: 50}, all: limit, place: 4, madeUp: true, addresses: 2.5, pooled: 0.4}, n, false, true},
		{"each at home", evidence{by: by{byDevice: 40, byNetwork: 50}, all: limit, place: 4, madeUp: true, addresses: 2.5, pooled: 0.39}, n, false, false},
		{"through addresses that say little", evidence{by: by{byDevice: 40, byNetwork: 49}, all: limit, place: 4, madeUp: true, addresses: 2.5, pooled: 0.4}, n, false, false},
		{"a pool of addresses, and accounts somewhat bad", evidence{by: by{byNetwork: 240, byAccount: 15}, all: 400, place: 4, addresses: 8, pooled: 0.7}, n, false, true},
		{"accounts as people have: offices", evidence{by: by{byNetwork: 240, byAccount: 14}, all: 400, place: 4, addresses: 8, pooled: 0.7}, n, false, false},
		{"rented addresses of many networks", evidence{by: by{byNetwork: 320}, all: 400, place: 4, rented: true, addresses: 8, networks: 8, pooled: 0.9}, n, false, true},
		{"of few: a school behind a security service", evidence{by: by{byNetwork: 320}, all: 400, place: 4, rented: true, addresses: 8, networks: 7, pooled: 0.9}, n, false, false},
		{"homes of many networks, and a hurry", evidence{by: by{byTempo: 40, byNetwork: 150}, all: 400, place: 4}, n, true, true},
		{"homes of a region", evidence{by: by{byTempo: 40, byNetwork: 150}, all: 400, place: 4, oneRegion: true}, n, false, false},
		{"few devices alone do not", evidence{by: by{byDevice: 400}, all: 500, place: 4, pool: 3}, n, false, false},
		{"one model of phone, and votes for the same: friends", evidence{by: by{byDevice: 300, byStructure: 300}, all: 700, place: 4, pool: 2}, n, false, false},
		{"many models, and votes for the same", evidence{by: by{byDevice: 300, byStructure: 300}, all: 700, place: 4, pool: 20}, n, true, true},
		{"one person's machine and pace", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4, pool: 1, machine: 0.9}, n, true, true},
		{"the same pace, and one agent on machines of their own", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4}, n, false, false},
		{"many have that phone on one campus, and some are quick", evidence{by: by{byDevice: 260, byTempo: 40}, all: 400, place: 4, pool: 1, machine: 0.9}, n, false, false},
		{"the same of many machines is not enough", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4, pool: 20}, n, false, false},
		{"a look more like the crowd's than the crowd", evidence{by: by{byDevice: 300, byNetwork: 150, byTempo: -20}, all: 500, place: 4, pool: 20}, n, false, false},
		{"they vote anywhere", evidence{by: by{byDevice: 300, byNetwork: 150}, all: 500, place: 1.9, pool: 20}, n, false, false},
		{"less than the best of so many cohorts", evidence{by: by{byDevice: 300, byNetwork: 150}, all: limit - 16, place: 4, pool: 20}, n, false, false},
		{"about as much: nobody is void for it", evidence{by: by{byDevice: 330, byNetwork: 150}, all: limit - 1, place: 4, pool: 20}, n, false, true},
		{"three are nobody's farm", evidence{by: by{byDevice: 60, byNetwork: 60}, all: 500, place: 4, pool: 20}, leastHand - 1, false, false},
		{"more than half of a contest is its crowd", evidence{by: by{byDevice: 3000, byNetwork: 3000}, all: 9000, place: 4, pool: 20}, 501, false, false},
	} {
		strong, ok := row.e.convinces(weighing(row.members), limit)
		if strong != row.strong || ok != row.ok {
			t.Errorf("%s: strong %v, convincing %v", row.name, strong, ok)
		}
	}
}

// Of a contest that just began a program on rented machines may be the most, and nobody else.
func TestEvidence_MoreThanHalfOfAContest(t *testing.T) {
	program := [families]float64{byNetwork: 1000, byTempo: 300}
	for _, row := range []struct {
		name            string
		by              [families]float64
		addresses       float64
		members, rented float64
		ok              bool
	}{
		{"a program, through many rented addresses", program, 9, 700, 600, true},
		{"so many that hardly a crowd is left", program, 9, 801, 700, false},
		{"a school behind one data centre", program, 2, 700, 600, false},
		{"homes", program, 9, 700, 300, false},
		{"in no hurry", [families]float64{byNetwork: 1000, byDevice: 2000}, 9, 700, 600, false},
		{"no network of its own", [families]float64{byDevice: 2000, byTempo: 300}, 9, 700, 600, false},
		{"machines that nobody else votes with, in a hurry, at homes", [families]float64{byDevice: 2300, byTempo: 300}, 9, 700, 0, true},
		{"the same, in less of a hurry", [families]float64{byDevice: 2300, byTempo: 200}, 9, 700, 0, false},
	} {
		e := evidence{by: row.by, all: 5000, place: 4, pool: 20, addresses: row.addresses, rented: 2*row.rented > row.members}
		if strong, ok := e.convinces(weighing(row.members), 40); strong != row.ok || ok != row.ok {
			t.Errorf("%s: strong %v, convincing %v", row.name, strong, ok)
		}
	}
}

func TestMixed(t *testing.T) {
	for _, row := range []struct{ x, s, left, want float64 }{
		{0, 0, 1, 0}, {0, 1, 1, math.Log(0.5 + 0.5*math.E)}, {-50, 3, 1, 0}, {50, 3, 1, 3}, {0, -50, 1, math.Log(0.5)},
		{50, 3, 0, 0}, {50, 1, 0.5, math.Log(0.5 + 0.5*math.E)},
	} {
		if got := mixed(row.x, row.s, row.left); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%v, %v, %v left: %v, want %v", row.x, row.s, row.left, got, row.want)
		}
	}
}

func TestPartOf_NamesEveryFeatureOnce(t *testing.T) {
	names := map[string]bool{}
	for feature, part := range partOf {
		if part.signal == "" || part.family == "" || names[part.signal] {
			t.Errorf("feature %d: %+v", feature, part)
		}
		names[part.signal] = true
	}
	for family, name := range familyOf {
		if name == "" || name == antifraud.FamilyProof {
			t.Errorf("family %d: %q", family, name)
		}
	}
}
